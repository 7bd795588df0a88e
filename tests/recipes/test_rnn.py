"""The recurrent recipe: parameters, kernels, padding, dropout, saving, learning, errors."""

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

import kerasrecipes as kr
from kerasrecipes._checks import InputError
from kerasrecipes.recipes import rnn
from tests.harness import check_save_round_trip, representative
from tests.recipes.sequences import PADDING, RAGGED, TARGET, X, Y, check_first_guess, padded
from tests.recipes.wrong import EVERYWHERE, names
from tests.replicas import run_on_replicas

SMALL = {"units": (8,), "seed": 0}


def small(shape=(24, 2), target=TARGET, **arguments):
    return rnn(shape, target, **{**SMALL, **arguments})


def parameters(cell, channels, widths, directions, units):
    """Gates of a kernel, a recurrent kernel and biases (two of them in a GRU), and the head."""
    gates, biases = {"gru": (3, 2), "lstm": (4, 1)}[cell]
    total = 0
    for width in widths:
        total += directions * gates * width * (channels + width + biases)
        channels = directions * width
    return total + channels * units + units


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_parameters_are_predictable(cell):
    """S1.4."""
    for bidirectional in (True, False):
        model = small(cell=cell, units=(6, 4), bidirectional=bidirectional)
        expected = parameters(cell, 2, (6, 4), 1 + bidirectional, 3)
        assert model.count_params() == expected
    assert rnn((40,), TARGET, cell=cell).count_params() == parameters(cell, 1, (64,), 2, 3)


def recurrent_layers(model):
    found = [each for each in model.layers if each.name.startswith("recurrent")]
    both = [getattr(each, "forward_layer", each) for each in found]
    return both + [each.backward_layer for each in found if hasattr(each, "backward_layer")]


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_recurrent_kernels_are_orthogonal_and_directions_differ(cell):
    """S3: orthogonal for recurrent kernels, gate by gate; forget gates of an LSTM start open."""
    model = small(cell=cell, units=(6, 6))
    layers = recurrent_layers(model)
    assert len(layers) == 4
    for layer in layers:
        kernel = layer.cell.recurrent_kernel.numpy().astype("float64")
        for part in np.split(kernel, kernel.shape[1] // 6, axis=1):
            np.testing.assert_allclose(part.T @ part, np.eye(6), atol=1e-5)
        if cell == "lstm":
            np.testing.assert_array_equal(layer.cell.bias.numpy()[6:12], 1)
    for name in ("kernel", "recurrent_kernel"):
        weights = [getattr(each.cell, name).numpy() for each in layers]
        shapes = [(a, b) for i, a in enumerate(weights) for b in weights[i + 1 :]]
        assert not any(a.shape == b.shape and np.allclose(a, b) for a, b in shapes)


def gru(layer, x):
    """All outputs of a GRU layer of Keras (reset after the product) in NumPy float64."""
    kernel, recurrent, bias = (w.numpy().astype("float64") for w in layer.cell.weights)
    state, found = np.zeros(layer.units), []
    for step in x:
        z, r, h = np.split(step @ kernel + bias[0], 3)
        rz, rr, rh = np.split(state @ recurrent + bias[1], 3)
        z, r = 1 / (1 + np.exp(-(z + rz))), 1 / (1 + np.exp(-(r + rr)))
        state = z * state + (1 - z) * np.tanh(h + r * rh)
        found.append(state)
    return np.stack(found)


def reference(model, series):
    """The probabilities for one series without padding, in NumPy float64."""
    x = np.asarray(series, "float64")
    pooling = model.recipe.arguments["pooling"]
    both = model.get_layer("recurrent_1")
    there, back = gru(both.forward_layer, x), gru(both.backward_layer, x[::-1])[::-1]
    x = np.concatenate([there, back], axis=1).mean(axis=0)
    if pooling == "last":
        x = np.concatenate([there[-1], back[0]])
    kernel, bias = (w.numpy().astype("float64") for w in model.get_layer("head").weights)
    z = x @ kernel + bias
    return np.exp(z - z.max()) / np.exp(z - z.max()).sum()


@pytest.mark.parametrize("pooling", ["mean", "last"])
def test_padding_changes_nothing(pooling):
    """Every series of a padded batch is predicted as it is by itself, whatever the padding."""
    series, y = RAGGED
    model = small((None, 2), mask_value=PADDING, pooling=pooling)
    model.fit(padded(series), y, epochs=2, verbose=0)
    expected = np.stack([reference(model, each) for each in series[:30]])
    for steps in (24, 33):
        found = model.predict(padded(series[:30], steps=steps), verbose=0)
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_dropout_is_the_same_at_all_steps_and_not_on_the_state():
    """S5: 0.3 for recurrent networks."""
    model = small(units=(8, 8), bidirectional=False)
    drops = [each for each in model.layers if isinstance(each, keras.layers.Dropout)]
    assert [each.rate for each in drops] == [0.3, 0.3]
    y = keras.ops.convert_to_numpy(drops[0](np.ones((50, 24, 8)), training=True))
    assert (y == y[:, :1]).all()
    assert set(np.unique(y).round(4)) == {0, np.float32(1 / 0.7).round(4)}
    assert all(layer.recurrent_dropout == layer.dropout == 0 for layer in recurrent_layers(model))
    assert small(dropout=0.0).layers[-1].name == "predictions"


def test_gradients_are_clipped():
    """S6."""
    assert small().optimizer.clipping == kr.optimizers.Clipping(global_clipnorm=1.0)


LEARN = [
    {},
    {"cell": "lstm", "units": (8, 8), "dropout": 0.1},
    {"pooling": "last", "bidirectional": False, "schedule": None},
    {"recurrent_initializer": "orthogonal", "l2": 1e-5, "optimizer": "nadam"},
    {"mask_value": PADDING, "label_smoothing": 0.1, "learning_rate": 0.02},
]


@pytest.mark.parametrize(
    "arguments",
    representative(LEARN, LEARN[0]),
    ids=lambda arguments: "-".join(arguments) or "defaults",
)
def test_learns_saves_and_goes_on(arguments, tmp_path):
    model = small(**{"learning_rate": 0.01, "units": (12,), **arguments})
    x = padded(list(X), steps=26) if "mask_value" in arguments else X
    history = model.fit(X, Y, epochs=12, batch_size=16, verbose=0).history["loss"]
    assert history[-1] < 0.8 * history[0]
    loaded = check_save_round_trip(model, X, tmp_path)
    assert loaded.predict(x[:, :24], verbose=0).shape == (120, 3)
    again = rnn(**loaded.recipe.arguments)
    assert again.count_params() == model.count_params()
    expected = model.evaluate(X, Y, verbose=0, return_dict=True)
    assert loaded.evaluate(X, Y, verbose=0, return_dict=True) == pytest.approx(expected, rel=1e-5)
    loaded.fit(X, Y, epochs=1, batch_size=16, verbose=0)


def test_seed_decides_weights():
    kernels = [small(seed=seed).get_weights() for seed in (1, 1, 2)]
    for a, b, c in list(zip(*kernels, strict=True))[:2]:
        np.testing.assert_array_equal(a, b)
        assert not np.allclose(a, c)


def test_penalty_is_on_kernels_only():
    model = small(l2=0.1)
    kernels = [w.numpy() for w in model.trainable_weights if w.path.endswith("kernel")]
    assert len(kernels) == 5
    expected = 0.1 * sum((kernel.astype("float64") ** 2).sum() for kernel in kernels)
    assert float(sum(model.losses)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_silent_in_its_own_sanity_check(cell):
    """Digits read row by row."""
    x, y = load_digits(return_X_y=True)
    rows = kr.data.split(x.reshape(-1, 8, 8) / 16, y, validation=0.2, test=0.2, seed=0)
    target = kr.targets.Multiclass(10).adapt(rows.train.y)
    model = rnn((8, 8), target, cell=cell, units=(32,), seed=0)
    report = kr.sanity.check(model, tuple(rows.train), validation_data=tuple(rows.validation))
    assert not (*report.failures, *report.warnings), str(report)


def test_the_search_begins_with_the_recipe_as_it_is():
    check_first_guess(rnn)


@pytest.mark.multi_device
def test_two_replicas_equal_one():
    code = """
        from tests.recipes.sequences import PADDING, RAGGED, TARGET, padded
        series, y = RAGGED
        model = kr.recipes.rnn(
            (24, 2), TARGET, units=(4,), dropout=0.0, mask_value=PADDING, strategy=strategy, seed=0
        )
        x = padded(series)
        model.fit(x, y, epochs=2, batch_size=24, verbose=0, shuffle=False)
        report(p=model.predict(x, verbose=0).ravel().tolist())
    """
    one, two = (run_on_replicas(code, replicas=count)["p"] for count in (1, 2))
    np.testing.assert_allclose(one, two, atol=1e-5)


BAD = [
    *EVERYWHERE,
    ({"input_shape": ()}, "`input_shape`"),
    ({"input_shape": (None,)}, r"`input_shape` must be \(None, channels\)"),
    ({"cell": "gruu"}, "Did you mean 'gru'"),
    ({"units": 64}, "`units`"),
    ({"units": ()}, "`units`"),
    ({"units": (8, 0)}, "`units`"),
    ({"bidirectional": "yes"}, "`bidirectional`"),
    ({"pooling": "max"}, "`pooling`"),
    ({"initializer": "hee"}, "hee"),
    ({"recurrent_initializer": "gate_orthogonl"}, "Did you mean 'gate_orthogonal'"),
    ({"dropout": 1.0, "units": (8, 8)}, "`dropout`"),
    ({"mask_value": "0"}, "`mask_value`"),
]


@pytest.mark.parametrize(("change", "message"), BAD, ids=names(BAD))
def test_bad_input(change, message):
    arguments = {"input_shape": (24, 2), "target": TARGET, **SMALL, **change}
    with pytest.raises(InputError, match=message):
        rnn(arguments.pop("input_shape"), arguments.pop("target"), **arguments)
