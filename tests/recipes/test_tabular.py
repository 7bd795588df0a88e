"""The recipe for tables: forms, raw rows in and out, saving, and RealMLP-TD part by part."""

import dataclasses
import subprocess
import sys

import keras
import numpy as np
import pandas as pd
import pytest

import kerasrecipes as kr
from kerasrecipes._checks import InputError
from kerasrecipes.recipes import TableModel, tabular
from tests.harness import check_save_round_trip

RNG = np.random.default_rng(0)
N = 240
FRAME = pd.DataFrame(
    {
        "a": RNG.normal(size=N),
        "b": RNG.exponential(100.0, N),
        "city": RNG.choice(["u", "v", "w"], N),
        "store": RNG.choice([f"s{i}" for i in range(20)], N),
        "open": RNG.random(N) < 0.5,
        "month": RNG.integers(1, 13, N),
    },
    index=RNG.permutation(N),
)
FRAME.loc[FRAME.index[::7], "b"] = np.nan
FRAME.loc[FRAME.index[::11], "city"] = None
VALUE = (FRAME.a + (FRAME.city == "u") + 0.5 * FRAME.open).to_numpy(float) * 1000
CLASS = np.digitize(VALUE, [0.0, 800.0])
REGRESSION = kr.targets.Regression().adapt(VALUE)
SMALL = {
    "auto": {"hidden": (8, 8), "members": 3},
    "tabm": {"hidden": (8, 8), "members": 3, "embedding_units": 4, "bins": 8},
    "realmlp": {"hidden": (16, 16)},
    "mlp": {"hidden": (16,)},
}
FORMS = sorted(SMALL)


def small(form="tabm", target=REGRESSION, **arguments):
    return tabular(FRAME, target, form=form, **{**SMALL[form], "seed": 0, **arguments})


KINDS = [(form, kind) for kind in ("values", "two", "three") for form in FORMS]


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        case
        if case in (("auto", "three"), ("realmlp", "values"), ("mlp", "two"))
        else pytest.param(*case, marks=pytest.mark.slow)
        for case in KINDS
    ],
)
def test_learns_from_raw_rows_and_survives_saving(form, kind, tmp_path):
    y = {"values": VALUE, "two": np.array(["no", "yes"])[(VALUE > 500) * 1], "three": CLASS}[kind]
    names = kr.targets.Binary(["no", "yes"])
    target = {"values": REGRESSION, "two": names, "three": kr.targets.Multiclass(3)}[kind]
    target = target.adapt(y)
    guess = target.random_guess_loss(y)
    model = small(form, target, learning_rate=None if form == "realmlp" else 0.02)
    data = kr.data.batches(FRAME, y, batch_size=32, seed=0)
    history = model.fit(data, validation_data=(FRAME, y), epochs=12, verbose=0).history
    assert history["val_loss"][-1] < 0.8 * guess
    loaded = check_save_round_trip(model, FRAME, tmp_path, atol=1e-3)
    assert isinstance(loaded, TableModel)
    assert loaded.schema == model.schema
    seen = model.evaluate(FRAME, y, verbose=0, return_dict=True)
    assert loaded.evaluate(FRAME, y, verbose=0, return_dict=True) == pytest.approx(seen, rel=1e-5)
    loaded.fit(data, epochs=1, verbose=0)


@pytest.mark.slow
def test_predicts_raw_rows_in_a_new_process(tmp_path):
    model = small()
    model.save(tmp_path / "model.keras")
    FRAME.to_csv(tmp_path / "rows.csv", index=False)
    code = (
        "import kerasrecipes, keras, pandas\n"
        f"model = keras.models.load_model({str(tmp_path / 'model.keras')!r})\n"
        f"rows = pandas.read_csv({str(tmp_path / 'rows.csv')!r})\n"
        "print(*model.predict(rows, verbose=0)[:, 0])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = [float(each) for each in done.stdout.split()]
    np.testing.assert_allclose(found, model.predict(FRAME, verbose=0)[:, 0], rtol=1e-4)


def test_rows_may_come_in_any_form():
    model = small()
    expected = model.predict(FRAME, verbose=0)
    columns = {name: FRAME[name].to_numpy() for name in FRAME}
    shuffled = FRAME[FRAME.columns[::-1]].assign(more=1)
    batches = kr.data.batches(FRAME, batch_size=50, shuffle=False)
    for rows in (columns, shuffled, batches, model.encode(FRAME)):
        np.testing.assert_allclose(model.predict(rows, verbose=0), expected, rtol=1e-5)
    for y in (VALUE, pd.Series(VALUE), VALUE[:, None]):
        losses = [model.evaluate(rows, y, verbose=0) for rows in (FRAME, columns)]
        losses.append(model.evaluate(kr.data.batches(FRAME, y, shuffle=False), verbose=0))
        np.testing.assert_allclose(losses[1:], [losses[0]] * 2, rtol=1e-4)


@pytest.mark.slow
def test_all_ways_to_give_training_rows_train_alike():
    def history(x, y=None, **arguments):
        keras.utils.set_random_seed(0)
        model = small(dropout=0.0)
        fitted = model.fit(x, y, epochs=3, verbose=0, shuffle=False, **arguments)
        return fitted.history["loss"]

    expected = history(FRAME, VALUE, batch_size=40)
    encoded = small().encode(FRAME)
    assert history(encoded, VALUE, batch_size=40) == pytest.approx(expected, rel=1e-5)
    ordered = kr.data.batches(FRAME, VALUE, batch_size=40, shuffle=False)
    assert history(ordered) == pytest.approx(expected, rel=1e-4)
    split = history(FRAME, VALUE, batch_size=40, validation_split=0.25)
    assert len(split) == 3


@pytest.mark.slow
def test_batches_keep_their_order_and_count():
    data = kr.data.batches(FRAME, VALUE, batch_size=40, seed=1)

    def losses(model, **arguments):
        return model.fit(data, verbose=0, **arguments).history["loss"]

    keras.utils.set_random_seed(0)
    whole = losses(small(dropout=0.0, schedule="constant"), epochs=4)
    model = small(dropout=0.0, schedule="constant")
    parts = losses(model, epochs=2) + losses(model, epochs=4, initial_epoch=2)
    assert parts == whole
    assert data.epoch == 4


@pytest.mark.parametrize("form", FORMS)
def test_missing_values_and_unknown_categories_are_taken(form):
    model = small(form)
    strange = FRAME[:4].assign(city="new", store=None, b=np.nan, a=1e30, open=None)
    assert np.isfinite(model.predict(strange, verbose=0)).all()
    missing = FRAME[:4].assign(a=np.nan)
    median = FRAME[:4].assign(a=FRAME.a.median())
    # `a` is never missing in training, so a gap counts as the median; `b` has an input that tells
    np.testing.assert_allclose(
        model.predict(missing, verbose=0), model.predict(median, verbose=0), rtol=1e-4
    )
    found = [layer for layer in model.layers if isinstance(layer, kr.layers.MissingIndicator)]
    assert [layer.columns for layer in found] == [[1]]


def test_predictions_stay_in_the_range_of_the_training_labels():
    for form in ("tabm", "realmlp"):
        model = small(form)
        for weight in model.get_layer("head").weights:
            weight.assign(weight + 50.0)
        p = model.predict(FRAME, verbose=0)
        assert p.min() >= VALUE.min() - 1e-3
        assert p.max() <= VALUE.max() + 1e-3


@pytest.mark.parametrize(
    ("rows", "rate", "members", "embeds", "suggestion"),
    [
        (1_499, 0.003, 16, False, (25, 32)),
        (1_500, 0.006, 8, True, (20, 128)),
        (9_999, 0.006, 8, True, (20, 128)),
        (10_000, 0.012, 8, True, (16, 256)),
    ],
)
def test_auto_decides_by_rows(rows, rate, members, embeds, suggestion):
    schema = kr.data.TableSchema.from_dataframe(FRAME)
    schema = dataclasses.replace(schema, rows=rows)
    model = tabular(schema, REGRESSION)
    assert model.optimizer.schedule.learning_rate == pytest.approx(rate)
    assert bool(layer_of(model, kr.layers.PiecewiseLinearEmbedding)) == embeds
    assert model.suggestion == suggestion
    assert [layer.members for layer in layer_of(model, kr.layers.EnsembleDense)] == [members] * 2
    other = tabular(FRAME, REGRESSION, rows=rows)
    assert other.schema.rows == N
    assert other.optimizer.schedule.learning_rate == pytest.approx(rate)
    assert other.suggestion == suggestion


def test_matrices_and_frames_without_categories():
    x = RNG.normal(size=(60, 4))
    x[:, 3] = 1.0
    for form in FORMS:
        model = tabular(x, "binary", form=form, **SMALL[form])
        assert model.predict(x[:5], verbose=0).shape == (5, 1)
        assert model.schema.ignored == ("3",)
        model = tabular(FRAME[["city", "store"]], "binary", form=form, **_without_numbers(form))
        assert model.predict(FRAME[:5], verbose=0).shape == (5, 1)


def _without_numbers(form):
    return {k: v for k, v in SMALL[form].items() if k not in ("bins", "embedding_units")}


def test_the_record_holds_the_schema_and_never_the_rows():
    model = small(categorical=["month"])
    assert isinstance(model.recipe.arguments["table"], kr.data.TableSchema)
    assert [c.name for c in model.schema.numeric] == ["a", "b"]
    again = getattr(kr.recipes, model.recipe.name)(
        **{k: v for k, v in model.recipe.arguments.items()}
    )
    assert again.count_params() == model.count_params()


def test_target_kinds():
    for target, units in (
        (kr.targets.Multilabel(3), 3),
        (kr.targets.Regression(2).adapt(np.stack([VALUE, -VALUE], 1)), 2),
        (kr.targets.PositiveRegression().adapt(VALUE - VALUE.min()), 1),
        (kr.targets.Count().adapt(CLASS), 1),
        (kr.targets.BoundedRegression(0, 10).adapt(CLASS), 1),
    ):
        for form in FORMS:
            model = small(form, target)
            assert model.output_shape == (None, units)


def test_ensemble_trains_on_the_mean_of_the_losses_and_predicts_the_mean():
    target = kr.targets.Multiclass(3)
    model = small("tabm", target, dropout=0.0, schedule="constant")
    members = keras.Model(model.inputs, model.get_layer("mean").input)
    encoded = model.encode(FRAME)
    p = keras.ops.convert_to_numpy(members([encoded[k] for k in sorted(encoded)]))
    assert p.shape == (N, 3, 3)
    np.testing.assert_allclose(model.predict(FRAME, verbose=0), p.mean(axis=1), atol=1e-6)
    likelihood = p[np.arange(N)[:, None], np.arange(3), CLASS[:, None]].astype("float64")
    of_members = -np.log(likelihood).mean()
    of_mean = -np.log(likelihood.mean(axis=1)).mean()
    logs = model.train_on_batch(encoded, CLASS, return_dict=True)
    assert logs["loss"] == pytest.approx(of_members, rel=1e-5)
    assert of_members > of_mean
    accuracy = (p.mean(axis=1).argmax(1) == CLASS).mean()
    assert logs["accuracy"] == pytest.approx(accuracy, abs=1e-6)


def test_weights_of_rows_count_for_every_member():
    model = small("tabm", schedule="constant", dropout=0.0)
    weight = np.zeros(N)
    weight[:10] = 2.0
    encoded = model.encode(FRAME)
    members = keras.Model(model.inputs, model.get_layer("mean").input)
    p = keras.ops.convert_to_numpy(members([encoded[k] for k in sorted(encoded)]))
    error = (p[..., 0] - VALUE[:, None]) / REGRESSION.scale
    logs = model.train_on_batch(
        encoded, VALUE.astype("float32"), sample_weight=weight.astype("float32"), return_dict=True
    )
    assert logs["loss"] == pytest.approx((error**2 * weight[:, None]).mean(), rel=1e-4)


# RealMLP-TD, each part as docs/tabular.md lists it.


def layer_of(model, kind):
    return [layer for layer in model.layers if isinstance(layer, kind)]


def test_realmlp_layers_and_optimizer():
    model = tabular(FRAME, REGRESSION, form="realmlp", seed=0)
    assert [layer.units for layer in layer_of(model, kr.layers.NTKDense)] == [256, 256, 256, 1]
    (embedding,) = layer_of(model, kr.layers.PeriodicEmbedding)
    found = embedding.units, embedding.frequencies, embedding.frequency_scale
    assert (*found, embedding.append_input) == (3, 16, 0.1, True)
    (categories,) = layer_of(model, kr.layers.CategoryEmbedding)
    assert (categories.sizes, categories.units) == ([3, 20, 2], [0, 8, 0])
    drops = layer_of(model, kr.layers.ScheduledDropout)
    assert [layer.rate for layer in drops] == [0.15] * 3
    assert {type(layer.schedule).__name__ for layer in drops} == {"FlatCosine"}
    names = [layer.activation for layer in layer_of(model, kr.layers.ParametricActivation)]
    assert names == ["mish"] * 3
    optimizer = model.optimizer
    assert (optimizer.beta_1, optimizer.beta_2, optimizer.epsilon) == (0.9, 0.95, 1e-8)
    assert optimizer.weight_decay == 0.02
    assert type(optimizer.decay_schedule).__name__ == "FlatCosine"
    assert type(optimizer.schedule).__name__ == "CosLog"
    assert optimizer.schedule.learning_rate == pytest.approx(0.2)
    assert not optimizer.clipping
    classes = tabular(FRAME, kr.targets.Multiclass(3), form="realmlp", seed=0)
    assert classes.optimizer.schedule.learning_rate == pytest.approx(0.04)
    assert classes.loss.label_smoothing == 0.1
    names = [layer.activation for layer in layer_of(classes, kr.layers.ParametricActivation)]
    assert names == ["selu"] * 3
    assert (classes.suggestion.epochs, classes.suggestion.batch_size) == (256, 256)


def test_realmlp_frequencies_start_from_their_scale():
    models = [small("realmlp", frequency_scale=scale) for scale in (None, 0.1, 0.4)]
    own, same, wide = (layer_of(m, kr.layers.PeriodicEmbedding)[0].frequency for m in models)
    np.testing.assert_array_equal(own, same)
    np.testing.assert_allclose(wide, 4 * np.asarray(own), rtol=1e-5)


def test_realmlp_rates_and_decay_by_variable():
    model = small("realmlp")
    optimizer = model.optimizer
    factors = {}
    for variable in model.trainable_variables:
        index = optimizer._get_variable_index(variable)
        factors["/".join(variable.path.split("/")[-2:])] = (
            optimizer._factors[index],
            optimizer.decay_of(variable),
        )
    assert factors["feature_scale/gain"] == (6.0, 0.02)
    for name in ("frequency", "phase", "kernel"):
        assert factors[f"periodic/{name}"] == (0.1, 0.02)
    for name in ("hidden_1", "hidden_2", "head"):
        assert factors[f"{name}/kernel"] == (1.0, 0.02)
        assert factors[f"{name}/bias"] == (0.1, 0.0)
    assert factors["activation_2/alpha"] == (0.1, 0.02)
    assert factors["categories/vectors_8"] == (1.0, 0.02)


@pytest.mark.parametrize("from_schema", [False, True])
def test_realmlp_starts_with_unit_deviation_at_every_layer(from_schema):
    schema = kr.data.TableSchema.from_dataframe(FRAME)
    model = tabular(schema if from_schema else FRAME, REGRESSION, form="realmlp", seed=0)
    encoded = model.encode(FRAME)
    for layer in layer_of(model, kr.layers.NTKDense):
        outputs = keras.Model(model.inputs, layer.output)
        z = keras.ops.convert_to_numpy(outputs([encoded[k] for k in sorted(encoded)]))
        bounds = (0.5, 2.0) if from_schema else (0.999, 1.001)
        assert bounds[0] < z.std(axis=0).min() <= z.std(axis=0).mean() < bounds[1], layer.name


def test_best_epoch_with_ties_to_the_latest():
    target = kr.targets.Binary().adapt(VALUE > 500)
    stopping = kr.callbacks.EarlyStopping("val_accuracy", patience=None, ties="last")
    model = small("realmlp", target)
    y = (VALUE > 500) * 1
    history = model.fit(
        FRAME[:200], y[:200], validation_data=(FRAME[200:], y[200:]), epochs=12, verbose=0,
        callbacks=[stopping],
    ).history["val_accuracy"]  # fmt: skip
    assert stopping.best_epoch == max(i for i, v in enumerate(history) if v == max(history))


@pytest.mark.slow
def test_seed_decides_everything():
    runs = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(0)
        model = small("realmlp", seed=seed)
        model.fit(FRAME, VALUE, epochs=2, batch_size=64, verbose=0, shuffle=False)
        runs.append(model.predict(FRAME, verbose=0))
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.allclose(runs[0], runs[2])


@pytest.mark.slow
def test_mixed_precision():
    keras.config.set_dtype_policy("mixed_float16")
    for form in ("realmlp", "tabm"):
        model = small(form)
        wide = FRAME.assign(b=FRAME.b * 1e6)
        assert np.isfinite(model.predict(wide, verbose=0)).all()
        assert np.isfinite(model.fit(FRAME, VALUE, verbose=0).history["loss"]).all()


BAD = [
    ({"form": "tabmm"}, "`form` must be one of.*Did you mean 'tabm'"),
    ({"target": kr.targets.Regression()}, r"Use `Regression\(\).adapt\(y\)`"),
    ({"target": "regression"}, r"Use `Regression\(\).adapt\(y\)`"),
    ({"hidden": 8}, "`hidden`"),
    ({"hidden": ()}, "`hidden`"),
    ({"members": 0}, "`members`"),
    ({"bins": 0}, "`bins`"),
    ({"embedding_units": -1}, "`embedding_units`"),
    ({"category_units": 0}, "`category_units`"),
    ({"dropout": 1.0}, "`dropout`"),
    ({"form": "realmlp", "frequency_scale": 0.0}, "`frequency_scale`"),
    ({"frequency_scale": 0.1}, "`frequency_scale` must be left out for form='tabm'"),
    ({"rows": 0}, "`rows`"),
    ({"form": "mlp", "members": 4}, "`members` must be left out for form='mlp'"),
    ({"form": "realmlp", "bins": 4}, "`bins` must be left out for form='realmlp'"),
    ({"activation": "rellu"}, "rellu"),
    ({"learning_rate": -1.0}, "`learning_rate`"),
    ({"schedule": "cosin"}, "Did you mean 'Cosine"),
    ({"weight_decay": -0.1}, "`weight_decay`"),
    ({"label_smoothing": 0.1}, "`label_smoothing`"),
    ({"optimizer": "adamm"}, "Did you mean"),
    ({"table": FRAME.assign(when=pd.date_range("2020-01-01", periods=N))}, "'when'"),
    ({"table": "rows.csv"}, "`table`"),
    ({"table": FRAME[:0]}, "`table` must be a table with rows"),
    ({"categorical": ["mont"]}, "Did you mean 'month'"),
    ({"seed": 1.5}, "`seed`"),
]


@pytest.mark.parametrize(("change", "message"), BAD, ids=[str(sorted(c)) + m for c, m in BAD])
def test_bad_input(change, message):
    arguments = {"table": FRAME, "target": REGRESSION, "form": "tabm", **change}
    with pytest.raises(InputError, match=message):
        tabular(arguments.pop("table"), arguments.pop("target"), **arguments)


def test_bad_rows_in_fit_evaluate_and_predict():
    model = small()
    short = FRAME.drop(columns="city")
    for call in (
        lambda: model.predict(short, verbose=0),
        lambda: model.evaluate(short, VALUE, verbose=0),
        lambda: model.fit(short, VALUE, verbose=0),
        lambda: model.fit(kr.data.batches(short, VALUE), verbose=0),
        lambda: model.fit(FRAME, VALUE, validation_data=(short, VALUE), verbose=0),
        lambda: model.fit(FRAME, VALUE, validation_data=kr.data.batches(short, VALUE), verbose=0),
    ):
        with pytest.raises(InputError, match="Missing: 'city'"):
            call()
