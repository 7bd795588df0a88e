import keras
import numpy as np
import pytest

from kerasrecipes._checks import InputError
from kerasrecipes.layers import ChannelPReLU, DenseBlock, RReLU
from tests.backends import BACKEND, WIDEST, array, assert_close
from tests.harness import check_config_round_trip

RNG = np.random.default_rng(0)
X = RNG.normal(1.0, 2.0, size=(64, 5))


def block(*args, **kwargs):
    layer = DenseBlock(*args, dtype=WIDEST, **{"seed": 0, **kwargs})
    layer.build((None, 5))
    return layer


def batch_norm(x, epsilon=1e-3):
    return (x - x.mean(0)) / np.sqrt(x.var(0) + epsilon)


def test_parameter_count_of_mission_s1_4():
    inputs = keras.Input((50,))
    x = DenseBlock(100, normalization=None)(inputs)
    x = DenseBlock(100, normalization=None)(x)
    model = keras.Model(inputs, keras.layers.Dense(10)(x))
    assert model.count_params() == 5_000 + 100 + 10_000 + 100 + 1_000 + 10 == 16_210


def test_default_order_in_training_and_inference():
    layer = block(7)
    kernel = array(layer.linear.kernel)
    assert_close(array(layer(X, training=True)), np.maximum(batch_norm(X @ kernel), 0), atol=1e-12)
    z = X @ kernel
    mean, variance = 0.01 * z.mean(0), 0.99 + 0.01 * z.var(0)
    expected = np.maximum((z - mean) / np.sqrt(variance + 1e-3), 0)
    assert_close(array(layer(X, training=False)), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("post-activation", lambda w: np.tanh(batch_norm(X @ w))),
        ("linear-norm-activation-dropout", lambda w: np.tanh(batch_norm(X @ w))),
        ("linear-activation-norm-dropout", lambda w: batch_norm(np.tanh(X @ w))),
        ("pre-activation", lambda w: np.tanh(batch_norm(X)) @ w),
        ("activation-norm-dropout-linear", lambda w: batch_norm(np.tanh(X)) @ w),
    ],
)
def test_orders(order, expected):
    layer = block(7, "tanh", order=order)
    y = array(layer(X, training=True))
    assert_close(y, expected(array(layer.linear.kernel)), atol=1e-12)


def test_dropout_of_the_preactivation_order_comes_before_the_linear_step():
    layer = block(7, order="pre-activation", dropout=0.5)
    names = [type(step).__name__.removeprefix("Hash") for step in layer.steps]
    assert names == ["BatchNormalization", "Activation", "Dropout", "Dense"]


BIAS = [
    ({"normalization": "batch"}, False),
    ({"normalization": "layer"}, False),
    ({"normalization": None}, True),
    ({"normalization": "rms"}, True),
    ({"normalization": {"name": "batch", "center": False}}, True),
    ({"normalization": "batch", "order": "linear-activation-norm-dropout"}, True),
    ({"normalization": "batch", "order": "pre-activation"}, True),
    ({"normalization": "batch", "use_bias": True}, True),
    ({"normalization": None, "use_bias": False}, False),
]


def test_bias_only_where_no_later_offset_makes_it_redundant():
    for arguments, bias in BIAS:
        assert block(7, **arguments).linear.use_bias is bias, arguments


def test_selu_pairs_with_lecun_and_alpha_dropout():
    layer = DenseBlock(4000, "selu", normalization=None, dropout=0.1, seed=0)
    assert isinstance(layer.drop, keras.layers.AlphaDropout)
    given = DenseBlock(3, keras.layers.Activation("selu"), dropout=0.1)
    assert isinstance(given.drop, keras.layers.AlphaDropout)
    layer.build((None, 100))
    assert np.std(array(layer.linear.kernel)) == pytest.approx(100**-0.5, rel=0.02)
    # Mean and variance survive a training pass; with plain dropout the variance would not.
    x = RNG.normal(size=(500, 100)).astype("float32")
    y = array(layer(x, training=True))
    assert y.mean() == pytest.approx(0, abs=0.03)
    assert y.std() == pytest.approx(1, abs=0.05)


def test_initializer_follows_the_activation():
    variances = {
        "relu": 2 / 100,
        "tanh": 2 / 4100,
        "elu": 1 / 100,
        "PReLU": 2 / 100 / 1.0625,
        None: 2 / 4100,
    }
    for activation, variance in variances.items():
        layer = DenseBlock(4000, activation, seed=0)
        layer.build((None, 100))
        kernel = array(layer.linear.kernel)
        assert np.var(kernel) == pytest.approx(variance, rel=0.02), activation


def test_activation_may_be_a_layer_name_a_layer_or_none():
    assert isinstance(block(3, "rrelu").activate, RReLU)
    assert isinstance(block(3, "prelu").activate, ChannelPReLU)
    assert block(3, None).activate is None
    assert block(3, {"name": "RReLU", "lower": 0.2}).activate.lower == 0.2
    leaky = block(3, {"name": "leaky_relu", "negative_slope": 0.5}).activate
    assert_close(leaky(np.array([[-2.0]])), [[-1.0]])


def test_layers_given_are_templates_that_each_block_copies():
    given = {
        "activation": keras.layers.PReLU(alpha_initializer="ones"),
        "normalization": keras.layers.BatchNormalization(momentum=0.7),
        "dropout": keras.layers.GaussianDropout(0.2, seed=3),
    }
    blocks = [DenseBlock(n, **given, seed=n, dtype=WIDEST) for n in (3, 4)]
    for each in blocks:
        each.build((None, 5))
        assert each.norm.momentum == 0.7
        assert each.activate.dtype_policy.name == WIDEST
    assert [tuple(each.activate.alpha.shape) for each in blocks] == [(3,), (4,)]
    assert blocks[0].drop.seed != blocks[1].drop.seed
    assert not given["normalization"].built


def test_dropout_scales_what_it_keeps():
    layer = block(4000, None, normalization=None, dropout=0.3)
    x = np.ones((1, 5))
    ratio = array(layer(x, training=True)) / array(layer(x, training=False))
    assert_close(np.unique(ratio.round(5)), [0.0, np.round(1 / 0.7, 5)])
    assert (ratio == 0).mean() == pytest.approx(0.3, abs=0.03)


def test_residual_is_the_input_when_widths_agree():
    layer = block(5, "tanh", residual=True)
    assert layer.projection is None
    expected = X + np.tanh(batch_norm(X @ array(layer.linear.kernel)))
    assert_close(array(layer(X, training=True)), expected, atol=1e-12)


def test_residual_is_projected_without_bias_when_widths_differ():
    layer = block(3, "tanh", residual=True)
    assert not layer.projection.use_bias
    shortcut = X @ array(layer.projection.kernel)
    expected = shortcut + np.tanh(batch_norm(X @ array(layer.linear.kernel)))
    assert_close(array(layer(X, training=True)), expected, atol=1e-12)
    assert not np.allclose(array(layer.projection.kernel), array(layer.linear.kernel))


def test_stochastic_depth_leaves_the_shortcut():
    layer = block(5, "tanh", normalization=None, residual=True, stochastic_depth=0.5)
    branch = array(layer(X)) - X
    ratio = (array(layer(X, training=True)) - X).sum(1) / branch.sum(1)
    assert set(ratio.round(6 if WIDEST == "float64" else 3)) == {0.0, 2.0}


def test_regularizer_is_on_kernels_only():
    layer = block(3, residual=True, kernel_regularizer=keras.regularizers.L2(0.1))
    kernels = [array(layer.linear.kernel), array(layer.projection.kernel)]
    assert len(layer.losses) == 2
    expected = 0.1 * sum((kernel**2).sum() for kernel in kernels)
    assert array(sum(layer.losses)) == pytest.approx(expected)


def test_seeds():
    same, again, other = block(7), block(7), block(7, seed=1)
    np.testing.assert_array_equal(array(same.linear.kernel), array(again.linear.kernel))
    assert not np.allclose(array(same.linear.kernel), array(other.linear.kernel))
    unseeded = [block(7, seed=None) for _ in range(2)]
    assert not np.allclose(*(array(each.linear.kernel) for each in unseeded))


def test_parts_of_one_block_and_blocks_with_other_seeds_do_not_share_masks():
    first = block(5, dropout=0.5, residual=True, stochastic_depth=0.5)
    second = block(5, dropout=0.5, seed=1)
    states = [
        array(generator.state)[0]
        for generator in (
            first.drop.seed_generator,
            first.drop_branch.seed_generator,
            second.drop.seed_generator,
        )
    ]
    assert len(set(states)) == 3


def test_masked_steps_stay_out_of_the_statistics_and_the_mask_goes_on():
    x = RNG.normal(size=(4, 6, 5))
    mask = np.arange(6) < 4
    mask = np.broadcast_to(mask, (4, 6))
    dirty = np.where(mask[..., None], x, 1e3)
    layer = DenseBlock(7, dtype=WIDEST, seed=0)
    explicit = array(layer(dirty, training=True, mask=mask))
    expected = batch_norm((x[:, :4] @ array(layer.linear.kernel)).reshape(-1, 7))
    assert_close(explicit[:, :4].reshape(-1, 7), np.maximum(expected, 0), atol=1e-9)
    masked = keras.layers.Masking(dtype=WIDEST)(np.where(mask[..., None], x, 0.0))
    implicit = layer(masked, training=True)
    assert_close(array(implicit)[:, :4], explicit[:, :4], atol=1e-9)
    np.testing.assert_array_equal(array(implicit._keras_mask), mask)


def test_synchronized_reaches_batch_normalization_only():
    there = BACKEND == "tensorflow"  # elsewhere Keras refuses the argument
    assert block(3, synchronized=True).norm.synchronized is there
    assert not block(3).norm.synchronized
    given = keras.layers.BatchNormalization(momentum=0.5)
    assert block(3, normalization=given, synchronized=True).norm.synchronized is there
    named = {"name": "batch", "momentum": 0.5}
    assert block(3, normalization=named, synchronized=True).norm.synchronized is there
    assert block(3, normalization="layer", synchronized=True).norm is not None


def test_config_keeps_objects():
    layer = DenseBlock(
        3,
        keras.layers.LeakyReLU(negative_slope=0.3),
        normalization={"name": "batch", "momentum": 0.9},
        dropout=keras.layers.GaussianDropout(0.2),
        kernel_initializer=keras.initializers.Orthogonal(),
        kernel_regularizer=keras.regularizers.L1L2(0.1, 0.2),
    )
    clone = check_config_round_trip(layer)
    assert clone.activate.negative_slope == 0.3
    assert clone.norm.momentum == 0.9
    assert isinstance(clone.drop, keras.layers.GaussianDropout)
    assert isinstance(clone.linear.kernel_initializer, keras.initializers.Orthogonal)
    given = DenseBlock(3, normalization=keras.layers.BatchNormalization(epsilon=0.1))
    assert check_config_round_trip(given).norm.epsilon == 0.1


ERRORS = [
    ({"units": 0}, "`units` must be an integer >= 1"),
    ({"units": 3, "dropout": 1.0}, r"`dropout` must be a number in \[0, 1\)"),
    ({"units": 3, "normalization": "bach"}, "`normalization`.*Did you mean 'batch'"),
    (
        {"units": 3, "normalization": {"name": "batch", "momntum": 1}},
        "`normalization.momntum`.*'momentum'",
    ),
    ({"units": 3, "normalization": {"momentum": 0.9}}, "`normalization` must be one of 'batch'"),
    ({"units": 3, "order": "linear-norm-activation"}, "`order` must be one of"),
    ({"units": 3, "use_bias": "yes"}, "`use_bias` must be one of 'auto'"),
    ({"units": 3, "stochastic_depth": 0.1}, "needs `residual=True`"),
    ({"units": 3, "seed": 1.5}, "`seed` must be an integer"),
    ({"units": 3, "activation": "rellu"}, "`activation`.*Did you mean 'relu'"),
    ({"units": 3, "activation": {"name": "rrelu", "lowr": 0.1}}, "`activation.lowr`.*'lower'"),
    ({"units": 3, "kernel_initializer": "he_norml"}, "`initializer`.*Did you mean 'he_normal'"),
]


def test_errors():
    for arguments, message in ERRORS:
        with pytest.raises(InputError, match=message):
            DenseBlock(**arguments)
