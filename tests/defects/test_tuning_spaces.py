"""T2: KerasTuner guesses that less is better, and returns the worst model; or gives up."""

import keras_tuner
import pytest
from keras_tuner.engine.metrics_tracking import infer_metric_direction

from kerasrecipes.tuning.objective import objective

pytestmark = [
    pytest.mark.filterwarnings("ignore:currentThread:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:getName:DeprecationWarning"),
]
MORE_IS_BETTER = ["val_f1_score", "val_r2_score", "val_binary_io_u", "val_cosine_similarity"]


class Scores(keras_tuner.GridSearch):
    """Trials whose score is the hyperparameter itself; no model is trained."""

    def run_trial(self, trial, *args, **kwargs):
        return {self.oracle.objective.name: trial.hyperparameters.get("score")}


def best(goal, tmp_path):
    """The best score that a search over 0.1, 0.5 and 0.9 reports."""
    hp = keras_tuner.HyperParameters()
    hp.Choice("score", [0.1, 0.5, 0.9])
    tuner = Scores(objective=goal, hyperparameters=hp, directory=tmp_path)
    tuner.search(verbose=0)
    return tuner.get_best_hyperparameters()[0].get("score")


@pytest.mark.parametrize("name", MORE_IS_BETTER)
def test_t2_keras_tuner_minimises_what_should_be_large(name):
    assert infer_metric_direction(name) == "min"
    assert objective(name).direction == "max"


def test_t2_keras_tuner_returns_the_worst_trial(tmp_path):
    assert best("val_f1_score", tmp_path / "theirs") == 0.1
    assert best(objective("val_f1_score"), tmp_path / "ours") == 0.9


@pytest.mark.parametrize(
    ("name", "better"),
    [("val_auc_1", "max"), ("val_rmse", "min"), ("val_head_accuracy", "max"), ("val_f1", "max")],
)
def test_t2_keras_tuner_does_not_know_usual_names(name, better):
    with pytest.raises(ValueError, match="Could not infer optimization direction"):
        keras_tuner.oracles.RandomSearchOracle(objective=name)
    assert objective(name).direction == better
