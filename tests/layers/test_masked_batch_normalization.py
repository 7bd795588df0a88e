import keras
import numpy as np
import pytest

from kerasrecipes.layers import MaskedBatchNormalization
from tests.backends import BACKEND, array
from tests.replicas import run_on_replicas

RNG = np.random.default_rng(0)
X = RNG.normal(3.0, 2.0, size=(6, 5, 4)).astype("float32")
SYNCHRONIZED = BACKEND == "tensorflow"  # elsewhere Keras refuses it
MASK = np.arange(5) < RNG.integers(1, 6, 6)[:, None]


def test_statistics_are_those_of_the_steps():
    layer = MaskedBatchNormalization(synchronized=SYNCHRONIZED, momentum=0.9)
    y = array(layer(X, training=True, mask=MASK))
    steps = X[MASK].astype("float64")
    mean, variance = steps.mean(axis=0), steps.var(axis=0)
    np.testing.assert_allclose(y[MASK], (steps - mean) / np.sqrt(variance + 1e-3), atol=1e-5)
    np.testing.assert_allclose(array(layer.moving_mean), 0.1 * mean, rtol=1e-5)
    np.testing.assert_allclose(array(layer.moving_variance), 0.9 + 0.1 * variance, rtol=1e-5)


@pytest.mark.parametrize("arguments", [{"mask": None}, {"mask": MASK, "training": False}])
def test_else_it_is_the_layer_of_keras(arguments):
    arguments = {"training": True, **arguments}
    ours, keras_s = (
        MaskedBatchNormalization(synchronized=SYNCHRONIZED),
        keras.layers.BatchNormalization(),
    )
    first, second = (array(layer(X, **arguments)) for layer in (ours, keras_s))
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_rows_that_are_all_padding_do_no_harm():
    layer = MaskedBatchNormalization(synchronized=SYNCHRONIZED)
    y = array(layer(X, training=True, mask=np.zeros_like(MASK)))
    assert np.isfinite(y).all()


@pytest.mark.multi_device
def test_replicas_share_their_statistics():
    """Those of Keras part under a mask, though they are to be synchronised."""
    code = """
        from tests.layers.test_masked_batch_normalization import MASK, X
        found = {}
        for kind in (keras.layers.BatchNormalization, kr.layers.MaskedBatchNormalization):
            with strategy.scope():
                layer = kind(synchronized=True)
                layer.build(X.shape)
            x, mask = tf.constant(X), tf.constant(MASK)

            @tf.function
            def step():
                half = tf.distribute.get_replica_context().replica_id_in_sync_group * 3
                return layer(x[half:half + 3], training=True, mask=mask[half:half + 3])

            y = strategy.experimental_local_results(strategy.run(step))
            found[kind.__name__] = tf.concat(y, 0).numpy()[MASK].tolist()
        report(**found)
    """
    found = run_on_replicas(code, replicas=2)
    steps = X[MASK].astype("float64")
    expected = (steps - steps.mean(axis=0)) / np.sqrt(steps.var(axis=0) + 1e-3)
    np.testing.assert_allclose(found["MaskedBatchNormalization"], expected, atol=1e-5)
    assert np.abs(np.array(found["BatchNormalization"]) - expected).max() > 0.01
