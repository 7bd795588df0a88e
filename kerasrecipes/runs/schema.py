"""What a recipe file may say. Imports no Keras, so that files can be shown at once."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from kerasrecipes._checks import InputError, check_choice, check_int, check_number, did_you_mean
from kerasrecipes._checks import fail as _fail
from kerasrecipes._toml import to_toml
from kerasrecipes.runs._problems import Places, Problem


class Key(NamedTuple):
    """One key of a section: how its value is checked, and its default.

    Attributes:
        check: Called with the key's name and its value; returns the value.
        default: Value of a key that is not given; None leaves it out.
    """

    check: Callable[[str, Any], Any]
    default: Any = None


def _text(name: str, value: Any) -> str:
    return value if isinstance(value, str) else _fail(name, "a string", value)


def _part(name: str, value: Any) -> float | int:
    remedy = "Give a share of all rows such as 0.2, or a number of rows."
    if isinstance(value, int) and not isinstance(value, bool):
        return check_int(name, value, low=1, remedy=remedy)
    return check_number(name, value, low=0, high=1, open_low=True, open_high=True, remedy=remedy)


def _positive(name: str, value: Any) -> int:
    return check_int(name, value, low=1)


def _not_negative(name: str, value: Any) -> int:
    return check_int(name, value, low=0)


def _seed(name: str, value: Any) -> int:
    check_number(name, check_int(name, value, low=0), low=0, high=2**32 - 1)
    return value


def _stratify(name: str, value: Any) -> bool | str:
    return check_choice(name, value, [True, False, "auto"])


def _method(name: str, value: Any) -> str:
    return check_choice(name, value, METHODS)


def _seconds(name: str, value: Any) -> float:
    return check_number(name, value, low=0, open_low=True)


def _folds(name: str, value: Any) -> int:
    return check_int(name, value, low=2)


def _names(name: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not value or not all(isinstance(v, str) for v in value):
        _fail(name, 'an array of names such as ["learning_rate", "dropout"]', value)
    return value


METHODS = (
    *("random", "grid", "quasi_random", "bayesian", "hyperband", "evolution", "zoom"),
    *("gradient", "optuna"),
)
"""Names of the search methods; those of `kerasrecipes.tuning`, which needs Keras."""

_SERIALISED = {"module", "class_name", "registered_name", "config", "build_config"}

TOP = {
    "recipe": Key(_text),
    "summary": Key(_text, ""),
    "seed": Key(_seed, 0),
}
SECTIONS: dict[str, dict[str, Key] | None] = {
    "data": None,
    "split": {
        "validation": Key(_part, 0.2),
        "test": Key(_part, 0.2),
        "stratify": Key(_stratify, "auto"),
        "seed": Key(_seed),
    },
    "target": None,
    "preprocessing": None,
    "model": None,
    "fit": {
        "epochs": Key(_positive, 100),
        "batch_size": Key(_positive, 32),
        "patience": Key(_not_negative, 10),
        "monitor": Key(_text),
    },
    "tune": None,
    "expect": None,
}
SEARCH = {
    "method": Key(_method),
    "trials": Key(_positive),
    "seconds": Key(_seconds),
    "folds": Key(_folds),
    "repeats": Key(_positive),
    "metric": Key(_text),
    "only": Key(_names),
}
"""Keys of [tune] that are the search's; all others name hyperparameters."""


@dataclass(frozen=True)
class Recipe:
    """A recipe file after defaults and overrides: all that a run depends on.

    Attributes:
        name: Stem of the file, which names the run folders.
        path: The file.
        recipe: Name of the registered recipe function.
        summary: What the file trains, in one line.
        seed: Seed of the split, the initial weights, the shuffling and the dropout, int >= 0.
        data: What to load, for `kerasrecipes.data.load`.
        split: validation and test (shares of all rows, or numbers of rows), stratify (true, false
            or "auto"), seed.
        target: Kind and arguments of the target; empty to infer it from the labels.
        preprocessing: Arguments of the normalisation, or of the text vectorisation. The string
            "none" stands for None; with scaling = "none" rows go into the model as they are.
        model: Arguments of the recipe function; the string "none" stands for None.
        fit: epochs, batch_size, patience (in epochs), monitor.
        tune: What `tune` searches and how: the keys of `SEARCH`, and changes of the search space as
            `kerasrecipes.tuning.SearchSpace.edited` takes them. `train` ignores it.
        expect: Results that the author of the file saw, for documentation and tests.
        places: Where each key was set, for error messages.
    """

    name: str
    path: Path
    recipe: str
    summary: str = ""
    seed: int = 0
    data: dict[str, Any] = field(default_factory=dict)
    split: dict[str, Any] = field(default_factory=dict)
    target: dict[str, Any] = field(default_factory=dict)
    preprocessing: dict[str, Any] = field(default_factory=dict)
    model: dict[str, Any] = field(default_factory=dict)
    fit: dict[str, Any] = field(default_factory=dict)
    tune: dict[str, Any] = field(default_factory=dict)
    expect: dict[str, Any] = field(default_factory=dict)
    places: Places = field(default=Places(Path(), {}), compare=False, repr=False)

    def tables(self) -> dict[str, Any]:
        """Returns the recipe as the tables of a TOML file; empty sections are left out."""
        top = {key: getattr(self, key) for key in TOP}
        sections = {name: getattr(self, name) for name in SECTIONS}
        return {**top, **{name: table for name, table in sections.items() if table}}

    def to_toml(self) -> str:
        """Returns the recipe as TOML, with every default written out."""
        return to_toml(self.tables())


def check(tables: Mapping[str, Any], *, path: Path, places: Places) -> tuple[Recipe, list[Problem]]:
    """Returns the recipe that `tables` describe, and everything that is wrong with them.

    A section with a problem keeps its sound keys, so that later checks can go on.
    """
    problems: list[Problem] = []
    top = _section((), TOP, {k: v for k, v in tables.items() if k not in SECTIONS}, problems)
    if not top.get("recipe"):
        top["recipe"] = ""
        if "recipe" not in tables:
            problems.append(Problem(("recipe",), 'is missing. Write `recipe = "mlp"` at the top.'))
    sections = {}
    for name, keys in SECTIONS.items():
        table = tables.get(name, {})
        if not isinstance(table, dict):
            problems.append(Problem((name,), f"must be a table, [{name}]. Received: {table!r}."))
            table = {}
        sections[name] = dict(table) if keys is None else _section((name,), keys, table, problems)
    if not tables.get("data"):
        problems.append(Problem(("data",), "is missing. Write a section [data] that names it."))
    for name in ("model", "tune"):
        sections[name] = _plain(name, sections[name], problems)
    sections["tune"] = _check_search(sections["tune"], problems)
    _check_shares(sections["split"], problems)
    _check_expect(sections["expect"], problems)
    return Recipe(name=path.stem, path=path, places=places, **top, **sections), problems


def _section(
    prefix: tuple[str, ...], keys: dict[str, Key], table: Mapping[str, Any], problems: list[Problem]
) -> dict[str, Any]:
    values = {name: key.default for name, key in keys.items() if key.default is not None}
    known = [*keys, *(() if prefix else SECTIONS)]
    for name, value in table.items():
        if name not in keys:
            hint = did_you_mean(name, known) or f"There are: {', '.join(known)}."
            kind = "section" if isinstance(value, dict) else "key"
            problems.append(Problem((*prefix, name), f"is an unknown {kind}. {hint}"))
            continue
        try:
            values[name] = keys[name].check(name, value)
        except InputError as error:
            problems.append(Problem((*prefix, name), str(error)))
    return values


def _plain(section: str, arguments: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """Returns the arguments without those in Keras' serialised form, which could import modules."""
    plain = {}
    for name, value in arguments.items():
        refused = list(_serialised((section, name), value))
        if not refused:
            plain[name] = value
        for key in refused:
            message = 'is refused: a recipe names registered things only, by their "name".'
            problems.append(Problem(key, message))
    return plain


def _serialised(key: tuple[str, ...], value: Any) -> Iterator[tuple[str, ...]]:
    if isinstance(value, list):
        for item in value:
            yield from _serialised(key, item)
    if isinstance(value, dict):
        for name, item in value.items():
            if name in _SERIALISED:
                yield (*key, name)
            yield from _serialised((*key, name), item)


def _check_search(tune: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """Returns the section without wrong keys of the search; hyperparameters need the recipe."""
    own = {name: value for name, value in tune.items() if name in SEARCH}
    checked = _section(("tune",), SEARCH, own, problems)
    return {name: value for name, value in tune.items() if name in checked or name not in own}


def _check_shares(split: Mapping[str, Any], problems: list[Problem]) -> None:
    total = sum(split[name] for name in ("validation", "test") if isinstance(split[name], float))
    if total >= 1:
        message = f"validation and test must leave rows to train on. Received: {total:g} of all."
        problems.append(Problem(("split",), message))


def _check_expect(expect: Mapping[str, Any], problems: list[Problem]) -> None:
    for name, value in expect.items():
        try:
            if name != "tolerance" and not name.startswith("test_"):
                raise InputError('must be a test metric such as "test_accuracy", or "tolerance".')
            check_number(name, value)
        except InputError as error:
            problems.append(Problem(("expect", name), str(error)))
