"""Networks that hold out other rows each, against NumPy and scikit-learn."""

import io
import json
import signal
import time

import keras
import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from sklearn.metrics import log_loss

from kerasrecipes import runs
from kerasrecipes.callbacks.time_budget import TimeBudget
from kerasrecipes.runs import _networks, automatic, execute
from kerasrecipes.runs._baseline import baseline, fit_to
from kerasrecipes.runs._comparison import compare
from kerasrecipes.runs._networks import Network, judged, known, more
from kerasrecipes.runs.prepare import Prepared

RNG = np.random.default_rng(0)
N = 200
FRAME = pd.DataFrame({"size": RNG.uniform(-2, 2, N), "city": RNG.choice(["Bern", None], N)})
FRAME["sold"] = np.where(FRAME["size"] + RNG.normal(0, 1, N) > 0, "yes", "no")
SMALL = {"model.hidden": [8], "model.members": 2, "fit.epochs": 2, "model.learning_rate": 0.02}
QUIET = Console(quiet=True)


@pytest.fixture(scope="module")
def csv(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "houses.csv"
    FRAME.to_csv(path, index=False)
    return path


@pytest.fixture
def first(csv):
    """The first network, trained, and the linear model."""
    prepared, _ = automatic._prepared(automatic.inferred(csv, None), csv, SMALL, 0)
    execute.fit(prepared, [])
    return prepared, baseline("tabular", prepared.rows, 0)


def further_of(first, count, **arguments):
    given = {"seconds": 0.0, "deadline": time.perf_counter() + 600, "console": QUIET}
    yield from more(*first, count, **{**given, **arguments})


def further(first, count, **arguments):
    return list(further_of(first, count, **arguments))


def test_each_row_is_held_out_once(first):
    prepared, linear = first
    networks = [judged(prepared, linear), *further(first, 5)]
    assert len(networks) == 6
    y = np.concatenate([each.y for each in networks])
    all_rows = known(prepared)
    np.testing.assert_array_equal(np.sort(y, axis=0), np.sort(all_rows.y, axis=0))
    parts = _networks._parts(prepared, 5)
    numbers = np.concatenate(parts)
    assert sorted(numbers) == list(range(len(prepared.rows.parts["train"].y)))
    shares = [each.y.mean() for each in networks[1:]]
    assert np.ptp(shares) < 0.03  # by class


def test_the_rows_held_out_were_not_seen(first, monkeypatch):
    prepared, _ = first
    seen = []

    def fit(own: Prepared, callbacks):
        seen.append((own.rows.parts["train"], own.rows.parts["validation"]))

    monkeypatch.setattr(execute, "fit", fit)
    found = further(first, 3)
    everything = known(prepared).x["size"]
    for (train, validation), network in zip(seen, found, strict=True):
        together = pd.concat([train.x["size"], validation.x["size"]])
        assert not set(train.x["size"]) & set(validation.x["size"])
        assert sorted(together) == sorted(everything)
        np.testing.assert_array_equal(network.y, validation.y)
        expected = network.model.predict(validation.x, verbose=0)
        np.testing.assert_allclose(network.outputs["network"], expected, rtol=1e-5, atol=1e-6)


def test_networks_differ_by_seed_and_prepare_their_rows_alike(first):
    prepared, _ = first
    a, b = further(first, 2)
    assert a.model.name != b.model.name
    kernels = [model.get_layer("head").get_weights()[0] for model in (a.model, b.model)]
    assert not np.allclose(*kernels)
    statistics = [model.non_trainable_variables for model in (prepared.model, a.model, b.model)]
    assert len(statistics[0]) > 0
    for own, *others in zip(*statistics, strict=True):
        if "seed" not in own.path:
            for other in others:
                np.testing.assert_array_equal(own, other)


def test_the_linear_model_has_not_seen_them_either(first):
    prepared, linear = first
    before = [w.copy() for w in linear.model.get_weights()]
    (network, *_) = further(first, 3)
    for old, new in zip(before, linear.model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    held_out = _networks._parts(prepared, 3)[0]
    rows = known(prepared)
    others = np.setdiff1d(np.arange(len(rows.y)), held_out)
    fit_to(linear, rows.x.iloc[others], rows.y[others], prepared.rows.target)
    expected = linear.model.predict(rows.x.iloc[held_out], verbose=0)
    np.testing.assert_allclose(network.outputs["baseline"], expected, rtol=1e-4, atol=1e-6)


def test_scores_are_those_of_rows_held_out(first):
    prepared, linear = first
    networks = [judged(prepared, linear), *further(first, 2)]
    model, found = compare(prepared, networks, linear)
    y = np.concatenate([each.y for each in networks]).ravel()
    for name in ("network", "baseline"):
        p = np.concatenate([each.outputs[name] for each in networks]).ravel()
        score = found["scores"][name]["validation"]
        assert score["loss"] == pytest.approx(log_loss(y, p.astype("float64")), rel=1e-4)
        assert score["accuracy"] == pytest.approx(((p > 0.5) == y).mean(), rel=1e-6)
    x, y = prepared.rows.parts["test"]
    single = [each.model.predict(x, verbose=0) for each in networks]
    mean = np.mean(single, axis=0, dtype="float64").ravel()
    score = found["scores"]["network"]["test"]["loss"]
    assert score == pytest.approx(log_loss(y.ravel(), mean), rel=1e-4)
    assert found["networks"] == 3
    test = found["scores"][found["kept"]]["test"]["loss"]
    assert model.evaluate(x, y, verbose=0, return_dict=True)["loss"] == pytest.approx(test, 1e-4)


def test_the_mean_is_saved_without_the_optimizers_of_its_parts(first, tmp_path):
    prepared, _ = first
    networks = [judged(prepared, None), *further((prepared, None), 2)]
    model, found = compare(prepared, networks, None)
    assert found["kept"] == "network"
    model.save(tmp_path / "m.keras")
    optimizers = 2  # moments per weight, of the mean alone
    weights = 4 * model.count_params()
    assert (tmp_path / "m.keras").stat().st_size < (1 + optimizers) * weights + 300_000
    x = prepared.rows.parts["test"].x
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(
        loaded.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize(("count", "least"), [(1, 0.68), (2, 0.68), (5, 0.68), (8, 0.74)])
def test_few_networks_train_on_as_many_rows_as_many(csv, count, least):
    prepared, _ = automatic._prepared(automatic.inferred(csv, None), csv, SMALL, 0)
    rows = known(prepared)
    for held_out in _networks._parts(prepared, count):
        assert len(rows.y) - len(held_out) >= least * N - 1


def test_the_area_under_the_curve_is_the_mean_of_those_of_the_networks(first):
    """Scores of different networks cannot be ranked with one another."""
    prepared, _ = first
    y = [np.array([[0.0], [0.0], [1.0]]), np.array([[0.0], [1.0]]), np.zeros((3, 1))]
    p = [np.array([[0.5], [0.6], [0.7]]), np.array([[0.1], [0.2]]), np.full((3, 1), 0.9)]
    networks = [Network(prepared.model, a, {"network": b}) for a, b in zip(y, p, strict=True)]
    found = compare(prepared, networks, None)[1]["scores"]["network"]["validation"]
    assert found["auc"] == pytest.approx(1.0, abs=1e-3)
    expected = log_loss(np.concatenate(y).ravel(), np.concatenate(p).ravel())
    assert found["loss"] == pytest.approx(expected, rel=1e-5)


def test_none_begins_that_would_not_end_in_time(first):
    said = Console(file=io.StringIO())
    assert further(first, 3, seconds=1e6, console=said) == []
    assert further(first, 3, deadline=0.0) == []
    assert "No time for more networks than 1" in said.file.getvalue()


def test_one_that_is_stopped_is_left_out(first, monkeypatch):
    times = iter([0, 1, 2, 3])
    fit = execute.fit

    def stopped(own, callbacks):
        if next(times) == 1:
            next(c for c in callbacks if isinstance(c, TimeBudget)).interrupted = True
            return None
        return fit(own, callbacks)

    monkeypatch.setattr(execute, "fit", stopped)
    assert len(further(first, 3)) == 1


def test_ctrl_c_keeps_what_is_trained(first, monkeypatch):
    _, linear = first
    before = [w.copy() for w in linear.model.get_weights()]
    calls = []

    def interrupted(linear, *rows):
        calls.append(fit_to(linear, *rows))
        if len(calls) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(_networks, "fit_to", interrupted)
    found = []
    with pytest.raises(KeyboardInterrupt):
        found.extend(further_of(first, 3))
    assert len(found) == 1
    for old, new in zip(before, linear.model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_in_a_further_fit_ends_the_run_with_everything(name, csv, tmp_path, monkeypatch):
    """Ctrl-C ends in a run; SIGTERM too, and then the process."""
    fit, calls = execute.fit, []

    class Signal(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            signal.raise_signal(getattr(signal, name))

    def signalled(own, callbacks):
        calls.append(own)
        return fit(own, [*callbacks, Signal()] if len(calls) == 3 else callbacks)

    monkeypatch.setattr(execute, "fit", signalled)
    given = {"overrides": SMALL, "seconds": 600, "out": tmp_path, "quiet": True}
    if name == "SIGINT":
        runs.auto(csv, **given)
    else:
        with pytest.raises(SystemExit):
            runs.auto(csv, **given)
    (folder,) = (tmp_path / "houses").iterdir()
    assert runs.evaluate(folder).differences == {}
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["compared"]["networks"] == 2


def test_a_network_that_diverged_is_left_out(first, monkeypatch):
    outputs, calls = _networks.predictions, []

    def diverged(*given):
        calls.append(1)
        found = outputs(*given)
        return {**found, "network": found["network"] * np.nan} if len(calls) == 1 else found

    monkeypatch.setattr(_networks, "predictions", diverged)
    assert len(further(first, 3)) == 2


@pytest.mark.parametrize(("count", "networks"), [(0, 0), (1, 1), (2, 2)])
def test_as_many_as_are_asked_for(first, count, networks):
    assert len(further(first, count)) == networks


def test_fewer_rows_of_each_class_than_parts(csv):
    prepared, _ = automatic._prepared(automatic.inferred(csv, None), csv, SMALL, 0)
    train = prepared.rows.parts["train"]
    parts = {**prepared.rows.parts, "train": type(train)(train.x[:5], train.y[:5])}
    few = Prepared(prepared.recipe, type(prepared.rows)(None, prepared.rows.target, parts), None)
    assert [len(each) for each in _networks._parts(few, 5)] == [1] * 5
    assert _networks._parts(few, 6) == []
    assert len(_networks._parts(few, 2)) == 2


def test_a_run_with_several(csv, tmp_path):
    found = runs.auto(csv, networks=3, overrides=SMALL, seconds=600, out=tmp_path, quiet=True)
    compared = found.metrics["compared"]
    assert compared["networks"] == 3
    kept = compared["scores"][compared["kept"]]
    assert found.metrics["metrics"]["validation"] == kept["validation"]
    assert found.test == pytest.approx(kept["test"], rel=1e-4)
    assert runs.evaluate(found.folder).differences == {}
    assert "the mean of 3" in (found.folder / "report.html").read_text()
    model = keras.saving.load_model(found.folder / "model.keras")
    strange = FRAME.drop(columns="sold")[:5].assign(city="Chur", size=np.nan)
    assert np.isfinite(model.predict(strange, verbose=0)).all()
