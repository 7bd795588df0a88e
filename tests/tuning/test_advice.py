import dataclasses
import types

import keras_tuner
import numpy as np
import pytest

from kerasrecipes.tuning.search_result import SearchResult
from kerasrecipes.tuning.trial_record import TrialRecord


def record(number, score, *, values=None, epochs=(3,), curves=((0.1, 0.2, 0.3, 0.2),), **more):
    arguments = {"scores": (score,), "status": "completed", "message": None, **more}
    return TrialRecord(
        number, str(number), values or {}, {}, {}, score=score, epochs=epochs, seconds=1.0,
        curves=curves, **arguments,
    )  # fmt: skip


def failed(number, message, values=None):
    found = record(number, None, values=values, status="failed", message=message)
    return dataclasses.replace(found, scores=(), epochs=(), curves=())


def warnings(records, hp=None, direction="max", **more):
    hp = hp or keras_tuner.HyperParameters()
    space = types.SimpleNamespace(hyperparameters=lambda: hp)
    return SearchResult(
        recipe="mlp", objective="val_accuracy", direction=direction, records=tuple(records),
        space=space, **more,
    ).warnings  # fmt: skip


def one(sentences, word):
    found = [sentence for sentence in sentences if word in sentence]
    assert len(found) == 1, sentences
    return found[0]


def none(sentences, word):
    assert not [sentence for sentence in sentences if word in sentence]


def scores(at, count=20, name="x", best=1.0):
    """Trials at the given places; the score falls with the distance from the first."""
    return [
        record(number, best - 0.01 * number, values={name: value})
        for number, value in enumerate(at[:count], 1)
    ]


def test_failures_are_counted_with_the_commonest_message():
    records = [record(n, 0.5) for n in range(1, 7)]
    records += [failed(7, "OOM: no memory\n  at line 3"), failed(8, "OOM: no memory\n  at line 4")]
    records += [failed(9, "other"), record(10, float("nan"))]
    sentence = one(warnings(records), "failed")
    assert "4 of 10 trials (40 %) failed, 2 of them with: OOM: no memory. Mend" in sentence
    none(warnings(records[:6]), "failed")


def test_a_choice_that_all_failed_trials_share_is_named():
    hp = keras_tuner.HyperParameters()
    hp.Choice("activation", ["relu", "selu"])
    good = [record(n, 0.5, values={"activation": "relu"}) for n in (1, 2, 3)]
    bad = [failed(n, "boom", {"activation": "selu"}) for n in (4, 5)]
    assert "all of them have activation = 'selu'" in one(warnings([*good, *bad], hp), "failed")
    bad[0] = failed(4, "boom", {"activation": "relu"})
    assert "all of them" not in one(warnings([*good, *bad], hp), "failed")


def test_pruned_trials_have_not_failed():
    records = [record(1, 0.5), record(2, 0.2, status="pruned")]
    none(warnings(records), "failed")


@pytest.mark.parametrize(
    ("arguments", "at", "expected"),
    [
        # Position on the logarithmic scale counts: 0.009 is 0.977 of [1e-4, 1e-2], 0.899 linearly.
        (
            {"min_value": 1e-4, "max_value": 1e-2, "sampling": "log"},
            [0.009, 0.008, 0.007],
            "The best x, 0.009, is within 5 % of the upper end of its range [0.0001, 0.01], log "
            "scale, and other good trials lean there too. Widen it: `space.range(x=(0.0001, 0.1))`",
        ),
        (
            {"min_value": 1e-4, "max_value": 1e-2, "sampling": "log"},
            [1e-4, 1.5e-4, 2e-4],
            "The best x, 0.0001, is at the lower end of its range [0.0001, 0.01], log scale, and "
            "other good trials lean there too. Widen it: `space.range(x=(1e-05, 0.01))`",
        ),
        # A share such as a dropout rate ends before 1.
        (
            {"min_value": 0.0, "max_value": 0.8},
            [0.79, 0.75, 0.7],
            "upper end of its range [0, 0.8], and other good trials lean there too. Widen it: "
            "`space.range(x=(0, 0.9))`",
        ),
        ({"min_value": 2.0, "max_value": 4.0}, [3.95, 3.9, 3.8], "`space.range(x=(2, 5))`"),
        ({"min_value": 2.0, "max_value": 4.0}, [2.05, 2.1, 2.2], "`space.range(x=(1, 4))`"),
    ],
)
def test_a_best_value_at_the_edge_is_told(arguments, at, expected):
    hp = keras_tuner.HyperParameters()
    hp.Float("x", **arguments)
    assert expected in one(warnings(scores(at), hp), "Widen")


@pytest.mark.parametrize(
    ("arguments", "at"),
    [
        ({"min_value": 1e-4, "max_value": 1e-2, "sampling": "log"}, [0.007, 0.008, 0.009]),
        ({"min_value": 0.0, "max_value": 0.5}, [0.0, 0.01, 0.02]),  # nothing is below 0
        ({"min_value": 0.0, "max_value": 1.0}, [0.99, 0.2, 0.3]),  # the others lean elsewhere
        ({"min_value": 0.0, "max_value": 1.0}, [0.94, 0.95, 0.96]),
    ],
)
def test_no_warning_away_from_the_edge(arguments, at):
    hp = keras_tuner.HyperParameters()
    hp.Float("x", **arguments)
    none(warnings(scores(at), hp), "Widen")


def test_steps_and_choices_are_widened_in_their_own_steps():
    hp = keras_tuner.HyperParameters()
    hp.Int("x", 32, 256, step=2, sampling="log")
    assert "`space.range(x=(32, 512))`" in one(warnings(scores([256, 256, 128]), hp), "Widen")
    hp = keras_tuner.HyperParameters()
    hp.Int("x", 1, 5)
    assert "`space.range(x=(1, 7))`" in one(warnings(scores([5, 5, 4]), hp), "Widen")
    none(warnings(scores([1, 1, 2]), hp), "Widen")
    hp = keras_tuner.HyperParameters()
    hp.Choice("x", [64, 16, 32])
    sentence = one(warnings(scores([16, 16, 32]), hp), "Widen")
    assert "the smallest of 16, 32, 64" in sentence
    assert "`space.choices(x=(8, 16, 32, 64))`" in sentence
    hp = keras_tuner.HyperParameters()
    hp.Choice("x", ["b", "c", "a"])
    none(warnings(scores(["a", "a", "a"]), hp), "Widen")


def test_a_hyperparameter_that_does_not_matter_may_be_at_the_edge():
    hp = keras_tuner.HyperParameters()
    hp.Float("x", 0.0, 1.0)
    hp.Float("y", 0.0, 1.0)
    records = [
        record(n, 1 - abs(x - 0.5), values={"x": x, "y": 0.99 if abs(x - 0.5) < 0.2 else 0.5})
        for n, x in enumerate(np.linspace(0, 1, 40), 1)
    ]
    assert "best y" in one(warnings(records[16:25], hp), "Widen")  # too few to tell
    records = [dataclasses.replace(r, values={**r.values, "y": 0.99}) for r in records]
    none(warnings(records, hp), "Widen")


def test_the_edge_is_that_of_the_active_range():
    hp = keras_tuner.HyperParameters()
    hp.Choice("optimizer", ["adam", "sgd"])
    with hp.conditional_scope("optimizer", ["adam"]):
        hp.Float("rate", 1e-4, 1e-2, sampling="log")
    with hp.conditional_scope("optimizer", ["sgd"]):
        hp.Float("rate", 1e-2, 1.0, sampling="log")
    records = [
        record(n, 1 - 0.01 * n, values={"optimizer": "adam", "rate": 0.0099}) for n in (1, 2, 3)
    ]
    assert "[0.0001, 0.01]" in one(warnings(records, hp), "Widen")
    inside = {"optimizer": "sgd", "rate": 0.1}
    none(warnings([dataclasses.replace(each, values=inside) for each in records], hp), "Widen")


def test_trials_within_noise_are_counted():
    # The mean of trial 2 is 0.001 below the best; its runs differ by 0.008 from the others'.
    records = [
        record(1, 0.9, scores=(0.90, 0.90)),
        record(2, 0.899, scores=(0.895, 0.903)),
        record(3, 0.8, scores=(0.80, 0.80)),
    ]
    sentence = one(warnings(records), "standard error")
    assert "1 other trial is within one standard error" in sentence
    assert "more folds or repeats" in sentence
    none(warnings([records[0], records[2]]), "standard error")


def test_single_runs_do_not_tell_noise():
    records = [record(1, 0.9), record(2, 0.89), record(3, 0.5)]
    assert "Search with folds=5 or repeats=3" in one(warnings(records), "one run")
    # 100 rows: the standard error of 0.9 is about 0.03.
    sentence = one(warnings(records, validation_rows=100), "standard error")
    assert "1 other trial is" in sentence
    assert "(0.031)" in sentence


def test_few_trials_for_the_dimensions():
    hp = keras_tuner.HyperParameters()
    for name in "abc":
        hp.Float(name, 0.0, 1.0)
    hp.Fixed("constant", 1)
    values = {"a": 0.5, "b": 0.5, "c": 0.5, "constant": 1}
    few = [record(n, 0.5, values=values) for n in range(1, 9)]
    assert "8 completed trials are few for 3 hyperparameters" in one(warnings(few, hp), "few for")
    none(warnings([*few, record(9, 0.5, values=values)], hp), "few for")


def test_runs_that_end_at_their_best_epoch_ask_for_more():
    last = {"epochs": (4,), "curves": ((0.1, 0.2, 0.3, 0.4),)}
    records = [record(n, 0.9 - 0.01 * n, **last) for n in (1, 2)] + [record(3, 0.5)]
    sentence = one(warnings(records), "last one")
    assert "In 2 of the 3 runs of the 3 best trials" in sentence
    assert "epochs=8" in sentence
    none(warnings([records[0], records[2], record(4, 0.4)]), "last one")


def test_a_promoted_trial_counts_once():
    records = [record(1, 0.9), dataclasses.replace(record(2, 0.95), parent="1"), record(3, 0.5)]
    assert "the first of 2 may be luck" in one(warnings(records), "one run")


def test_all_failed_is_one_warning():
    assert len(warnings([failed(1, "boom"), failed(2, "boom")])) == 1
    assert warnings([]) == ()


def test_a_single_trial_is_compared_with_nothing():
    hp = keras_tuner.HyperParameters()
    hp.Float("x", 0.0, 1.0)
    sentences = warnings([record(1, 0.5, values={"x": 0.5})], hp)
    none(sentences, "luck")
    one(sentences, "1 completed trial is few")


def test_what_was_never_varied_has_no_importance():
    hp = keras_tuner.HyperParameters()
    hp.Float("x", 0.0, 1.0)
    hp.Float("y", 0.0, 1.0)
    places = np.linspace(0, 1, 20)
    records = [record(n, x, values={"x": x, "y": 0.5}) for n, x in enumerate(places.tolist(), 1)]
    space = types.SimpleNamespace(hyperparameters=lambda: hp)
    result = SearchResult(
        recipe="mlp", objective="val_accuracy", direction="max", records=tuple(records), space=space
    )
    assert result.importance() == {"x": 1.0}
