"""FeatureScale, EnsembleMean and PredictionClip."""

import numpy as np
import pytest

from kerasrecipes._checks import InputError
from kerasrecipes.layers import EnsembleMean, FeatureScale, PredictionClip
from tests.backends import array, assert_close

X = np.random.default_rng(0).normal(size=(6, 4, 2)).astype("float32")


def test_feature_scale_multiplies_each_feature():
    layer = FeatureScale()
    np.testing.assert_array_equal(array(layer(X)), X)
    layer.gain.assign([2.0, -1.0])
    assert_close(layer(X), X * [2.0, -1.0])


def test_ensemble_mean():
    layer = EnsembleMean()
    assert_close(layer(X), X.mean(axis=1), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(array(layer(X, training=True)), X)
    with pytest.raises(InputError, match=r"an input \(batch, members, units\)"):
        layer.build((None, 3))


def test_prediction_clip_is_off_in_training():
    layer = PredictionClip([-0.5, 0.0], [0.5, 1.0])
    assert_close(layer(X), np.clip(X, [-0.5, 0.0], [0.5, 1.0]))
    np.testing.assert_array_equal(array(layer(X, training=True)), X)
    for low, high in ((1.0, 0.0), ([0.0], [1.0, 2.0]), (np.nan, 1.0)):
        with pytest.raises(InputError, match="`low` must be numbers of at most `high`"):
            PredictionClip(low, high)
