"""scikit-learn's own checks of estimators, on the smallest networks that learn what they ask."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from kerasrecipes.estimators import RecipeClassifier, RecipeRegressor

SMALL = {
    "hidden": (),
    "optimizer": "sgd",
    "clip_norm": None,
    "epochs": 1,
    "batch_size": 2,
    "validation": None,
    "seed": 0,
}
CLASSIFIER = RecipeClassifier("mlp", learning_rate=0.3, **SMALL)
REGRESSOR = RecipeRegressor("mlp", learning_rate=0.01, **SMALL)
EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": (
        "training draws batches of rows, so a row of weight 2 is not the same as two rows"
    ),
    "check_methods_sample_order_invariance": (
        "float32 rounds by 1e-7, which is what the check allows; it passes on most machines"
    ),
}


@pytest.mark.slow
@parametrize_with_checks([CLASSIFIER, REGRESSOR], expected_failed_checks=lambda _: EXPECTED)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
