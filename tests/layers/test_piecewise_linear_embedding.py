import keras
import numpy as np
import pytest

from kerasrecipes._checks import InputError
from kerasrecipes.layers import PiecewiseLinearEmbedding
from tests.backends import WIDEST, array, assert_close
from tests.harness import check_save_round_trip

RNG = np.random.default_rng(0)


def encoding(x, edges):
    """The encoding of the paper for one value, bin by bin."""
    filled = []
    for t in range(1, len(edges)):
        if x < edges[t - 1] and t > 1:
            filled.append(0.0)
        elif x >= edges[t] and t < len(edges) - 1:
            filled.append(1.0)
        else:
            filled.append((x - edges[t - 1]) / (edges[t] - edges[t - 1]))
    return filled


def make(*args, **kwargs):
    return PiecewiseLinearEmbedding(*args, dtype=WIDEST, seed=0, **kwargs)


EDGES = [[0.0, 1.0, 3.0, 4.0], [-1.0, 2.0]]
VALUES = [-5.0, -1.0, 0.0, 0.5, 1.0, 2.0, 3.5, 4.0, 9.0]
TABLE = np.stack([VALUES, VALUES[::-1]], axis=1)


def test_equals_the_paper_for_given_edges():
    layer = make(3, 3, edges=EDGES)
    y = array(layer(TABLE))
    fill = array(layer.encode(TABLE))
    expected = np.zeros((9, 2, 3))
    for row, feature in np.ndindex(9, 2):
        values = encoding(TABLE[row, feature], EDGES[feature])
        expected[row, feature, : len(values)] = values
    assert_close(fill, expected, atol=1e-12)
    kernel, bias = array(layer.kernel), array(layer.bias)
    assert_close(y, np.einsum("bft,ftu->bfu", expected, kernel) + bias, atol=1e-12)


def test_activation_and_linear_skip():
    relu, plain = make(3, 3, edges=EDGES, activation="relu"), make(3, 3, edges=EDGES)
    assert_close(relu(TABLE), np.maximum(array(plain(TABLE)), 0))
    skip = make(3, 3, edges=EDGES, linear_skip=True)
    y = array(skip(TABLE))
    expected = TABLE[..., None] * array(skip.skip) + array(skip.bias)
    assert_close(y, expected, atol=1e-12)


def test_adapt_takes_quantiles_merges_equal_ones_and_ignores_missing_values():
    data = np.stack([RNG.normal(size=500), RNG.integers(0, 2, 500), np.full(500, 7.0)], axis=1)
    data[3, 0] = np.nan
    layer = make(4, 10)
    layer.adapt(data)
    edges = array(layer.edges)
    known = np.delete(data[:, 0], 3)
    assert_close(edges[0], np.quantile(known, np.linspace(0, 1, 11)), rtol=1e-6)
    assert set(edges[1]) == {0.0, 1.0}
    fill = array(layer.encode(data[:3]))
    assert_close(fill[:, 1, 0], data[:3, 1])
    assert not fill[:, 1, 1:].any()
    assert not fill[:, 2].any()


def test_each_bin_holds_its_share_of_the_data():
    data = RNG.exponential(size=(1000, 1))
    layer = make(4, 8)
    layer.adapt(data)
    full = (array(layer.encode(data)) >= 1).mean(axis=(0, 1))
    assert_close(full[:-1], 1 - np.arange(1, 8) / 8, atol=0.01)


def test_edges_before_adapt_are_normal_quantiles():
    layer = make(4, 8)
    layer.build((None, 2))
    data = RNG.normal(size=(20000, 2))
    full = (array(layer.encode(data)) >= 1).mean(axis=0)
    shares = 1 - (np.arange(1, 9) + 0.5) / 9
    assert_close(full, np.stack([shares] * 2), atol=0.02)


def test_adapted_edges_are_saved_and_not_trained(tmp_path):
    data = RNG.normal(3.0, 2.0, size=(64, 3)).astype("float32")
    layer = PiecewiseLinearEmbedding(4, 6, seed=0)
    layer.adapt(data)
    edges = array(layer.edges)
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Flatten()(layer(inputs))))
    model.compile("adam", "mse")
    model.fit(data, data[:, :1], verbose=0)
    np.testing.assert_array_equal(array(layer.edges), edges)
    loaded = check_save_round_trip(model, data, tmp_path)
    np.testing.assert_array_equal(array(loaded.layers[1].edges), edges)


def test_given_edges_survive_the_config():
    layer = PiecewiseLinearEmbedding(3, 3, edges=EDGES)
    clone = PiecewiseLinearEmbedding.from_config(layer.get_config())
    clone.build((None, 2))
    np.testing.assert_array_equal(array(clone.edges), [[0, 1, 3, 4], [-1, 2, 2, 2]])


ERRORS = [
    ({"units": 0}, "`units` must be an integer >= 1"),
    ({"bins": 0}, "`bins` must be an integer >= 1"),
    ({"edges": [[0.0]]}, "`edges` must hold, for each feature, 2 to 49 increasing"),
    ({"edges": [[0.0, 0.0]]}, "`edges` must hold, for each feature"),
    ({"edges": [[0.0, 1.0, 2.0]], "bins": 1}, "2 to 2 increasing"),
]


def test_errors():
    for arguments, message in ERRORS:
        with pytest.raises(InputError, match=message):
            PiecewiseLinearEmbedding(**arguments)


def test_errors_of_data():
    with pytest.raises(InputError, match="one list for each of the 3 features"):
        make(3, 3, edges=EDGES).build((None, 3))
    for data in ([1.0, 2.0], [[1.0], [np.inf]], [[np.nan], [np.nan]]):
        with pytest.raises(InputError, match="`data` must be a table"):
            make().adapt(data)
    with pytest.raises(InputError, match=r"needs an input \(batch, features\)"):
        make()(np.ones((2, 3, 4)))
