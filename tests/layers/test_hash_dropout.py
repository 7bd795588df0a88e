import math

import keras
import numpy as np
import pytest
from scipy import stats

from kerasrecipes._checks import InputError
from kerasrecipes.layers import HashDropout, monte_carlo_predict
from tests.backends import array, assert_close, gradients, needs
from tests.replicas import run_on_replicas

RATES = [0.1, 0.3, 0.5, 0.9]
STEPS, ROWS, COLUMNS = 24, 256, 128
STRIDE = 0x9E3779B9  # between the seeds of replicas


def h(x):
    x = x ^ (x >> 16)
    x = x * 0x21F0AAAD & 0xFFFFFFFF
    x = x ^ (x >> 15)
    x = x * 0xD35A2D97 & 0xFFFFFFFF
    return x ^ (x >> 15)


def reference(shape, rate, seed, step):
    """The equations of the docstring, in Python's integers."""
    rows = range(math.prod(shape[:-1]))
    constants = [(0xB9D1F4A7, 0x8C6E2F93, 0x6A09D3C5), (0x5E3C7A1D, 0xE7154BCB, 0xC3F1875F)]
    mask = []
    for i in rows:
        a, b = (h((seed * s + step * t + i * r) % 2**32) for s, t, r in constants)
        z = [(a * h(j) + b) % 2**32 for j in range(shape[-1])]
        mask += [z * (z + 1) % 2**32 >= rate * 2**32 for z in z]
    return np.reshape(mask, shape)


def kept(layer, shape, steps=1):
    """The masks of several steps, (steps, *shape)."""
    x = np.ones(shape, "float32")
    return np.stack([array(layer(x, training=True)) > 0 for _ in range(steps)])


@pytest.fixture(scope="module", params=RATES)
def masks(request):
    """The rate, and masks of many steps, rows and columns."""
    layer = HashDropout(request.param, seed=20)
    return request.param, kept(layer, (ROWS, COLUMNS), STEPS)


def standard(masks, rate):
    """Masks as numbers of mean 0 and variance 1."""
    return (masks - (1 - rate)) / math.sqrt(rate * (1 - rate))


def assert_chi_square(squares, freedom):
    """The sum is neither too large nor too small for independent masks."""
    assert 1e-3 < stats.chi2.sf(squares, freedom) < 1 - 1e-3


def assert_uncorrelated(*pairs):
    """The products of each pair have mean 0, given independent numbers of mean 0, variance 1."""
    z = [np.mean(x * y) * math.sqrt(x.size) for x, y in pairs]
    assert_chi_square(np.sum(np.square(z)), len(z))
    assert np.abs(z).max() < stats.norm.isf(1e-3 / len(z))


@pytest.mark.parametrize("shape", [(5,), (3, 1), (32, 100), (64, 64), (4, 3, 7), (2, 3, 3, 5)])
@pytest.mark.parametrize(("rate", "seed"), [(0.1, 0), (0.5, 1234567), (0.9, 2**31 - 1)])
def test_masks_are_those_of_the_equations(shape, rate, seed):
    found = kept(HashDropout(rate, seed=seed), shape, 3)
    for step in range(3):
        np.testing.assert_array_equal(found[step], reference(shape, rate, seed, step))


def test_what_stays_is_scaled():
    x = np.random.default_rng(0).normal(size=(50, 40)).astype("float32") + 9
    y = array(HashDropout(0.2, seed=0)(x, training=True))
    mask = reference(x.shape, 0.2, 0, 0)
    assert_close(y, np.where(mask, x / 0.8, 0), rtol=1e-6)


def test_inference_and_rate_zero_are_the_identity():
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    layer = HashDropout(0.9, seed=3)
    np.testing.assert_array_equal(array(layer(x)), x)
    np.testing.assert_array_equal(array(layer.seed_generator.state), [3, 0])
    np.testing.assert_array_equal(array(HashDropout(0.0)(x, training=True)), x)


@pytest.mark.parametrize("rate", [2**-40, 1 - 2**-40])
def test_rates_next_to_the_ends(rate):
    found = kept(HashDropout(rate, seed=0), (100, 100))
    assert found.mean() == round(1 - rate)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "mixed_float16"])
def test_dtype_is_kept(dtype):
    layer = HashDropout(0.5, seed=0, dtype=dtype)
    y = layer(np.ones((30, 20), "float32"), training=True)
    assert keras.backend.standardize_dtype(y.dtype) == dtype.removeprefix("mixed_")
    y = array(keras.ops.cast(y, "float32"))
    np.testing.assert_array_equal(y, 2.0 * reference(y.shape, 0.5, 0, 0))


@pytest.mark.parametrize("noise_shape", [(None, 1, None), (1, 3, 4), [6, 3, 1], (None,) * 3])
def test_noise_shape(noise_shape):
    found = kept(HashDropout(0.5, noise_shape=noise_shape, seed=2), (6, 3, 4))[0]
    small = tuple(n or m for n, m in zip(noise_shape, (6, 3, 4), strict=True))
    expected = np.broadcast_to(reference(small, 0.5, 2, 0), (6, 3, 4))
    np.testing.assert_array_equal(found, expected)


def test_it_stands_where_a_dropout_does():
    layer = HashDropout(0.5, noise_shape=(None, 1, None), name="drop", seed=4)
    assert isinstance(layer, keras.layers.Dropout)
    assert layer.supports_masking
    assert layer.compute_output_shape((None, 3, 4)) == (None, 3, 4)
    clone = HashDropout.from_config(layer.get_config())
    assert clone.get_config() == layer.get_config()
    assert (clone.rate, clone.seed, clone.noise_shape) == (0.5, 4, (None, 1, None))
    model = keras.Sequential([keras.Input((400,)), HashDropout(0.5)])
    result = monte_carlo_predict(model, np.ones((1, 400)), passes=50, seed=0)
    assert (result.standard_deviation**2).mean() == pytest.approx(1, abs=0.05)


def test_masks_of_time_steps_pass():
    inputs = keras.Input((5,), dtype="int32")
    x = keras.layers.Embedding(4, 3, mask_zero=True)(inputs)
    outputs = keras.layers.GlobalAveragePooling1D()(HashDropout(0.5)(x))
    tokens = np.array([[1, 2, 0, 0, 0]], "int32")
    model = keras.Model(inputs, outputs)
    vectors = array(model.layers[1].embeddings)
    assert_close(model.predict(tokens, verbose=0)[0], vectors[[1, 2]].mean(0), rtol=1e-5)


def test_set_random_seed_repeats_masks():
    found = []
    for seed in (7, 7, 8):
        keras.utils.set_random_seed(seed)
        found.append(kept(HashDropout(0.5), (20, 20)))
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])


def test_a_fit_counts_its_steps_and_a_state_goes_on_where_it_was(tmp_path):
    layer = HashDropout(0.5, seed=6)
    model = keras.Sequential([keras.Input((4,)), layer, keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((20, 4), "float32")
    model.fit(x, x[:, :1], batch_size=4, epochs=2, verbose=0)
    np.testing.assert_array_equal(array(layer.seed_generator.state), [6, 10])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras").layers[0]
    assert type(loaded) is HashDropout
    loaded.seed_generator.state.assign([6, 10])  # Keras's files have no random states
    np.testing.assert_array_equal(kept(loaded, (8, 9))[0], reference((8, 9), 0.5, 6, 10))


def test_gradient_is_the_mask():
    x = keras.Variable(np.random.default_rng(0).normal(size=(12, 9)))
    layer = HashDropout(0.3, seed=1)
    (found,) = gradients(lambda: keras.ops.sum(layer(x.value, training=True)), [x])
    assert_close(found, reference((12, 9), 0.3, 1, 0) / 0.7, rtol=1e-6)


@pytest.mark.parametrize("rate", [-0.1, 1.0, "half", True])
def test_errors(rate):
    with pytest.raises(InputError, match=r"`rate` must be a number in \[0, 1\)"):
        HashDropout(rate)


def test_errors_of_seed_and_noise_shape():
    with pytest.raises(InputError, match="`seed` must be an integer"):
        HashDropout(0.5, seed=0.5)
    for wrong in ("12", 3, (0, None), (None, 1.0), (True, 1)):
        with pytest.raises(InputError, match="`noise_shape` must be None or a sequence"):
            HashDropout(0.5, noise_shape=wrong)
    for wrong in ((1,), (None, 3), (None, 1, 1)):
        with pytest.raises(InputError, match=r"each axis of the inputs, of shape \(2, 4\)"):
            HashDropout(0.5, noise_shape=wrong)(np.ones((2, 4)), training=True)


# Statistics. Seeds are fixed, and so are results; limits are those of independent masks.


@pytest.mark.parametrize("shape", [(1000,), (2000, 1), (1, 3000), (37, 41), (16, 8, 8, 4)])
@pytest.mark.parametrize("rate", RATES)
def test_share_of_kept(shape, rate):
    found = kept(HashDropout(rate, seed=10), shape, 10)
    assert stats.binomtest(int(found.sum()), found.size, 1 - rate).pvalue > 1e-3


def test_shares_of_columns_rows_and_steps(masks):
    rate, found = masks
    x = standard(found, rate)
    for axis in (0, 1, 2, (0, 1), (0, 2), (1, 2)):
        sums = x.sum(axis)
        assert_chi_square((sums**2).sum() / (x.size / sums.size), sums.size)


def test_neighbours_and_steps_are_independent(masks):
    rate, found = masks
    x = standard(found, rate)
    assert_uncorrelated(*((x[:, :, d:], x[:, :, :-d]) for d in range(1, 33)))
    assert_uncorrelated(*((x[:, d:], x[:, :-d]) for d in range(1, 33)))
    assert_uncorrelated(*((x[d:], x[:-d]) for d in range(1, 17)))
    assert_uncorrelated(*((x[d:, d:], x[:-d, :-d]) for d in range(1, 9)))
    assert_uncorrelated((x[:, :, 2:] * x[:, :, 1:-1], x[:, :, :-2]))


def test_every_pair_of_columns_is_independent(masks):
    rate, found = masks
    x = standard(found, rate).reshape(-1, COLUMNS)
    z = (x.T @ x)[np.triu_indices(COLUMNS, 1)] / math.sqrt(len(x))
    assert np.abs(z).max() < stats.norm.isf(1e-3 / z.size)
    # The squares are uncorrelated, and their variance is near 2.
    assert abs((z**2).mean() - 1) < 4 * math.sqrt(2 / z.size)


def test_autocorrelation_of_the_flat_mask(masks):
    rate, found = masks
    x = standard(found, rate).ravel()
    assert_uncorrelated(*((x[lag:], x[:-lag]) for lag in range(1, 65)))


def test_patterns_of_eight_neighbours(masks):
    rate, found = masks
    for axis in (2, 1, 0):
        bits = np.moveaxis(found, axis, -1).reshape(-1, 8)
        counts = np.bincount(np.packbits(bits, axis=1).ravel(), minlength=256)
        ones = np.unpackbits(np.arange(256, dtype="uint8")[:, None], axis=1).sum(1).astype(int)
        expected = (1 - rate) ** ones * rate ** (8 - ones) * len(bits)
        groups = np.where(expected < 10, 256 + ones, np.arange(256))  # the rare ones together
        counts, expected = (np.bincount(groups, each) for each in (counts, expected))
        use = expected >= 10
        counts, expected = counts[use], expected[use]
        squares = ((counts - expected) ** 2 / expected).sum()
        assert_chi_square(squares, len(counts) - (len(counts) == 256))


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("seeds", [(0, 1, 2, 3), tuple((5 + r * STRIDE) % 2**31 for r in range(4))])
def test_seeds_are_independent(rate, seeds):
    each = [standard(kept(HashDropout(rate, seed=s), (ROWS, 64), 8), rate) for s in seeds]
    pairs = [(a, b) for i, a in enumerate(each) for b in each[:i]]
    assert_uncorrelated(*pairs)
    # Nor are they the same but for a few rows or steps.
    shifts = [(a[:, d:], b[:, :-d]) for a, b in pairs for d in range(1, 5)]
    shifts += [(b[:, d:], a[:, :-d]) for a, b in pairs for d in range(1, 5)]
    shifts += [(a[d:], b[:-d]) for a, b in pairs for d in range(1, 5)]
    assert_uncorrelated(*shifts)


def test_no_row_comes_twice():
    found = kept(HashDropout(0.5, seed=0), (ROWS, COLUMNS), STEPS).reshape(-1, COLUMNS)
    assert len(np.unique(np.packbits(found, axis=1), axis=0)) == len(found)


@pytest.mark.parametrize("rate", RATES)
def test_mean_over_steps_is_the_input(rate):
    x = np.random.default_rng(0).normal(size=(8, 16)).astype("float32")
    layer, steps = HashDropout(rate, seed=30), 400
    mean = np.mean([array(layer(x, training=True)) for _ in range(steps)], axis=0)
    z = (mean - x) / (np.abs(x) * math.sqrt(rate / (1 - rate) / steps))
    assert np.abs(z).max() < stats.norm.isf(1e-3 / x.size)
    assert_chi_square((z**2).sum(), x.size)


# TensorFlow's graphs.


@needs("tensorflow", "of tf.function")
@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("shape", [(None, 9), (None, None), (None, 3, None), (None, 3, 5)])
def test_graphs_have_the_masks_of_eager_calls(jit_compile, shape):
    import tensorflow as tf

    layer = HashDropout(0.4, seed=11)
    signature = [tf.TensorSpec(shape, "float32")]
    call = tf.function(
        lambda x: layer(x, training=True), input_signature=signature, jit_compile=jit_compile
    )
    for step, size in enumerate((9, 4)):
        given = [n or size for n in shape]
        found = array(call(tf.ones(given))) > 0
        np.testing.assert_array_equal(found, reference(given, 0.4, 11, step))


@needs("tensorflow", "of tf.while_loop")
@pytest.mark.parametrize("jit_compile", [False, True])
def test_each_turn_of_a_loop_has_its_mask(jit_compile):
    import tensorflow as tf

    layer = HashDropout(0.5, seed=12)

    @tf.function(jit_compile=jit_compile)
    def masks(x):
        def turn(i, found):
            y = layer(x, training=True)
            return i + 1, tf.tensor_scatter_nd_update(found, [[i]], y[None])

        return tf.while_loop(lambda i, _: i < 6, turn, (0, tf.zeros((6, *x.shape))))[1]

    found = array(masks(tf.ones((7, 10)))) > 0
    for step in range(6):
        np.testing.assert_array_equal(found[step], reference((7, 10), 0.5, 12, step))
    np.testing.assert_array_equal(array(layer.seed_generator.state), [12, 6])


@pytest.mark.multi_device
@needs("tensorflow", "of tf.distribute")
def test_replicas_have_their_own_masks():
    found = run_on_replicas(
        """
        from kerasrecipes.distribute._replica_seeds import give_own_seeds
        with strategy.scope():
            layer = kr.layers.HashDropout(0.5, seed=1)
            model = keras.Sequential([keras.Input((40,)), layer])
        give_own_seeds(model)
        run = tf.function(lambda: strategy.run(lambda: layer(tf.ones((30, 40)), training=True)))
        each = [[y.numpy().tolist() for y in strategy.experimental_local_results(run())]
                for step in range(2)]
        report(masks=each)
        """,
        replicas=2,
    )["masks"]
    for step in range(2):
        for replica in range(2):
            expected = reference((30, 40), 0.5, 1 + replica * STRIDE, step)
            np.testing.assert_array_equal(np.array(found[step][replica]) > 0, expected)
