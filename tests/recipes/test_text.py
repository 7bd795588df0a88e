"""The recipe for texts: forms, raw texts in and out, parameters, saving, errors."""

import dataclasses
import subprocess
import sys

import keras
import numpy as np
import pandas as pd
import pytest

import kerasrecipes as kr
from kerasrecipes._checks import InputError
from kerasrecipes.recipes import TextModel, text
from tests.harness import check_save_round_trip, representative
from tests.replicas import run_on_replicas

GOOD = "fine great lovely superb brilliant warm clever moving".split()
BAD_WORDS = "dull poor awful boring clumsy cold stupid empty".split()
FILLER = "the film story actor music scene plot with and this that was very".split()


def reviews(count, seed=0):
    """Texts of 5 to 12 words, two of which tell the class."""
    rng = np.random.default_rng(seed)
    texts, y = [], np.arange(count) % 2
    for label in y:
        words = list(rng.choice(FILLER, rng.integers(5, 13)))
        for word in rng.choice(GOOD if label else BAD_WORDS, 2):
            words.insert(rng.integers(0, len(words)), word)
        texts.append(" ".join(words).capitalize() + ".")
    return texts, y


TEXTS, Y = reviews(160)
SCHEMA = kr.data.TextSchema.from_texts(TEXTS)
SMALL = {
    "ngrams": {"hidden": (16,)},
    "cnn": {"embedding_units": 16, "filters": 8, "kernel_size": (2, 3)},
    "transformer": {"embedding_units": 16, "layers": 1, "num_heads": 2},
}
FORMS = sorted(SMALL)


def small(form="ngrams", target="binary", **arguments):
    return text(SCHEMA, target, form=form, **{**SMALL[form], "seed": 0, **arguments})


def test_parameters_are_predictable():
    """S1.4."""
    entries = len(SCHEMA.words) + len(SCHEMA.characters) + 2
    numbers = len(SCHEMA.single_words) + 2
    three = kr.targets.Multiclass(3)
    assert small("ngrams", three).count_params() == entries * 16 + 16 + 16 * 3 + 3
    assert text(SCHEMA, three, hidden=()).count_params() == entries * 3 + 3
    filters = (2 + 3) * 16 * 8 + 2 * 8
    assert small("cnn", three).count_params() == numbers * 16 + filters + 16 * 3 + 3
    attention = 4 * (16 * 16 + 16)
    dense = 2 * 16 * 64 + 64 + 16
    norms = 3 * 2 * 16
    expected = numbers * 16 + attention + dense + norms + 16 * 3 + 3
    assert small("transformer", three).count_params() == expected


@pytest.mark.parametrize("form", representative(FORMS, "ngrams"))
def test_learns_from_raw_texts_and_survives_saving(form, tmp_path):
    model = small(form, learning_rate=0.01, dropout=0.1)
    data = kr.data.batches(TEXTS, Y, batch_size=16, seed=0)
    held_out = reviews(60, seed=1)
    history = model.fit(data, validation_data=held_out, epochs=5, verbose=0).history
    assert history["val_accuracy"][-1] > 0.8
    loaded = check_save_round_trip(model, TEXTS, tmp_path, atol=1e-5)
    assert isinstance(loaded, TextModel)
    assert loaded.schema == SCHEMA
    seen = model.evaluate(*held_out, verbose=0, return_dict=True)
    assert loaded.evaluate(*held_out, verbose=0, return_dict=True) == pytest.approx(seen, rel=1e-4)
    loaded.fit(TEXTS, Y, epochs=1, verbose=0)
    again = text(**loaded.recipe.arguments)
    assert [w.shape for w in again.weights] == [w.shape for w in model.weights]


@pytest.mark.slow
def test_predicts_raw_texts_in_a_new_process(tmp_path):
    model = small()
    model.save(tmp_path / "model.keras")
    code = (
        "import kerasrecipes, keras\n"
        f"model = keras.models.load_model({str(tmp_path / 'model.keras')!r})\n"
        "print(*model.predict(['A superb film', 'dull'], verbose=0)[:, 0])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = [float(each) for each in done.stdout.split()]
    expected = model.predict(["A superb film", "dull"], verbose=0)[:, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("form", FORMS)
def test_texts_may_come_in_any_form(form):
    model = small(form)
    some = TEXTS[:9]
    expected = model.predict(some, verbose=0)
    batches = kr.data.batches(some, batch_size=4, shuffle=False)
    for texts in (np.array(some), np.array(some, object), pd.Series(some), tuple(some), batches):
        np.testing.assert_allclose(model.predict(texts, verbose=0), expected, rtol=1e-4)
    strange = model.predict(["", "!?", "quite unknown words", "x " * 500], verbose=0)
    assert np.isfinite(strange).all()


def test_what_enters_the_dense_layers():
    """Each kind of n-gram has length 1, and counts enter by log(1 + count * weight)."""
    model = small(dropout=0.0)
    inputs = keras.Model(model.inputs, model.get_layer("ngrams").output)
    x = inputs.predict(np.array(["The film the film", "plot"], object), verbose=0)
    words = len(SCHEMA.words) + 1
    counts = np.log1p(np.array(SCHEMA.layer("words")(["The film the film"]))[0].astype("float64"))
    np.testing.assert_allclose(x[0, :words], counts / np.linalg.norm(counts), rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(x[:, words:], axis=1), 1, rtol=1e-5)


def test_padding_does_not_count_in_the_transformer():
    model = small("transformer", length=8)
    longer = small("transformer", length=14)
    longer.set_weights(model.get_weights())
    few = ["a superb plot", "dull"]
    expected = model.predict(few, verbose=0)
    np.testing.assert_allclose(longer.predict(few, verbose=0), expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("rows", "form", "suggestion"),
    [
        (1_999, "ngrams", (8, 32)),
        (19_999, "ngrams", (4, 64)),
        (299_999, "ngrams", (3, 256)),
        (300_000, "cnn", (6, 128)),
    ],
)
def test_auto_decides_by_rows(rows, form, suggestion):
    model = text(dataclasses.replace(SCHEMA, rows=rows), "binary")
    names = [layer.name for layer in model.layers]
    assert ("hidden_1" in names, "filters_3" in names) == (form == "ngrams", form == "cnn")
    assert model.suggestion == suggestion
    assert model.optimizer.schedule.learning_rate == pytest.approx(
        {"ngrams": 3e-3, "cnn": 1e-3}[form]
    )


def test_the_record_holds_the_schema_and_never_the_texts():
    model = text(TEXTS, kr.targets.Binary())
    assert model.recipe.arguments["texts"] == SCHEMA
    assert TEXTS[0] not in str(model.get_config())


def test_its_own_rate_is_for_its_own_optimizer():
    assert float(small(optimizer="adam").optimizer.learning_rate) == pytest.approx(0.001)
    assert float(small(schedule="constant").optimizer.learning_rate) == pytest.approx(0.003)
    assert small(schedule=kr.schedules.Constant(0.5)).optimizer.schedule.learning_rate == 0.5


def test_seed_decides_weights():
    for form in FORMS:
        first, second = (small(form, seed=seed).get_weights() for seed in (1, 1))
        other = small(form, seed=2).get_weights()
        assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
        assert not np.allclose(first[0], other[0])


def test_every_target():
    for target, units in ((kr.targets.Regression(2), 2), (kr.targets.Multilabel(5), 5)):
        assert small(target=target).output_shape == (None, units)


@pytest.mark.slow
def test_silent_in_its_own_sanity_check():
    texts, y = reviews(240, seed=2)
    rows = kr.data.split(np.array(texts, object), y, validation=0.2, test=0.2, seed=0)
    target = kr.targets.Binary().adapt(rows.train.y)
    for form in FORMS:
        model = text(rows.train.x, target, form=form, seed=0, **SMALL[form])
        report = kr.sanity.check(model, tuple(rows.train), validation_data=tuple(rows.validation))
        assert not (*report.failures, *report.warnings), str(report)


def test_the_search_begins_with_the_recipe_as_it_is():
    arguments, fit = kr.tuning.space(text, "binary").arguments({})
    first, own = text(SCHEMA, "binary", **arguments), text(SCHEMA, "binary")
    assert first.count_params() == own.count_params()
    settings = [{**m.optimizer.get_config(), "name": ""} for m in (first, own)]
    assert settings[0] == settings[1]
    assert fit == {"batch_size": 32}


@pytest.mark.slow
def test_search_over_raw_texts():
    space = kr.tuning.space(text, "binary").only("dropout", "hidden")
    found = kr.tuning.search(
        text, None, "binary", (TEXTS, Y), space=space, trials=2, epochs=2, quiet=True, seed=0
    )  # fmt: skip
    assert found.model.predict(["superb"], verbose=0).shape == (1, 1)


@pytest.mark.multi_device
def test_two_replicas_equal_one():
    code = """
        from tests.recipes.test_text import SCHEMA, SMALL, TEXTS, Y
        p = []
        for form in SMALL:
            model = kr.recipes.text(
                SCHEMA, "binary", form=form, dropout=0.0, strategy=strategy, seed=0, **SMALL[form]
            )
            x = np.array(TEXTS, object)
            model.fit(x, Y, epochs=2, batch_size=32, verbose=0, shuffle=False)
            p += model.predict(x, verbose=0).ravel().tolist()
        report(p=p)
    """
    one, two = (run_on_replicas(code, replicas=count)["p"] for count in (1, 2))
    np.testing.assert_allclose(one, two, atol=1e-4)


BAD = [
    ({"texts": [1, 2]}, "`texts` must be a list of str"),
    ({"texts": "one text"}, "`texts`"),
    ({"texts": ["", "."]}, "must hold words"),
    ({"target": "binry"}, "Did you mean"),
    ({"form": "ngram"}, "Did you mean 'ngrams'"),
    ({"texts": TEXTS, "max_tokens": 0}, "`max_tokens`"),
    ({"filters": 8}, "`filters` must be left out for form='ngrams'"),
    ({"form": "cnn", "hidden": (8,)}, "`hidden` must be left out for form='cnn'"),
    ({"form": "cnn", "filters": 0}, "`filters`"),
    ({"form": "cnn", "kernel_size": 3}, "`kernel_size` must be a sequence"),
    ({"form": "cnn", "kernel_size": ()}, "`kernel_size`"),
    ({"form": "cnn", "length": 0}, "`length`"),
    ({"form": "transformer", "num_heads": 3}, "`num_heads` must be a divisor"),
    ({"hidden": 16}, "`hidden`"),
    ({"dropout": 1.0}, "`dropout`"),
    ({"activation": "rellu"}, "rellu"),
    ({"learning_rate": -1.0}, "`learning_rate`"),
    ({"schedule": "cosin"}, "Did you mean"),
    ({"strategy": "fast"}, "`strategy`"),
    ({"seed": 1.5}, "`seed`"),
]


@pytest.mark.parametrize(("change", "message"), BAD, ids=[str(sorted(c)) + m for c, m in BAD])
def test_bad_input(change, message):
    arguments = {"texts": SCHEMA, "target": "binary", **change}
    with pytest.raises(InputError, match=message):
        text(arguments.pop("texts"), arguments.pop("target"), **arguments)


def test_one_text_is_not_a_list_of_texts():
    with pytest.raises(InputError, match="Put the text into a list"):
        small().predict("superb")
    with pytest.raises(InputError, match="`x` must be a list of str"):
        small().fit(np.zeros((4, 3)), np.zeros(4))
