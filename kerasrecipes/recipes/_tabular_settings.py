"""What each form of `tabular` is made and trained with, where the caller does not say."""

import math
from typing import Any, NamedTuple

from kerasrecipes._checks import check_choice, check_int, check_number, fail
from kerasrecipes.recipes import _tabular_realmlp
from kerasrecipes.targets.target import Target

FORMS = ("auto", "mlp", "realmlp", "tabm")


class Settings(NamedTuple):
    """All that a form leaves open.

    Attributes:
        form: "mlp", "realmlp" or "tabm".
        network: Arguments of its network.
        optimizer: Description of its optimizer, with a "name".
        schedule: Name of the schedule of its rate, or None.
        label_smoothing: Share of the labels spread over all classes.
        epochs: Epochs to train with `batch_size`.
        batch_size: Rows in a batch.
        patience: Epochs without improvement after which a training may end early; None for a rate
            with a schedule, at whose end the network is at its best.
    """

    form: str
    network: dict[str, Any]
    optimizer: dict[str, Any]
    schedule: str | None
    label_smoothing: float
    epochs: int
    batch_size: int
    patience: int | None


def settings_of(form: str, rows: int, target: Target) -> Settings:
    """Returns the settings of a form for a table of so many training rows."""
    return _BY_FORM[check_choice("form", form, FORMS)](rows, target)


def _auto(rows: int, target: Target) -> Settings:
    """Returns a small ensemble with a one-cycle rate; the fewer rows, the more held back."""
    size = next(each for below, each in _SIZES if rows < below)
    network = {
        "hidden": (192, 192),
        "members": size.members,
        "scale_initializer": "random_signs",
        "embedding_units": size.embedding_units,
        "bins": 48,
        "category_units": 8,
        "dropout": size.dropout,
        "activation": "relu",
    }
    optimizer = {
        "name": "adamw",
        "learning_rate": size.learning_rate,
        "weight_decay": size.weight_decay,
        "beta_2": size.beta_2,
        "clip_norm": 1.0,
    }
    return Settings(
        "tabm", network, optimizer, "one_cycle", 0.0, size.epochs, size.batch_size, None
    )


class _Size(NamedTuple):
    """What the number of rows decides."""

    members: int
    embedding_units: int
    dropout: float
    learning_rate: float
    weight_decay: float
    beta_2: float
    epochs: int
    batch_size: int


_SIZES = (
    (1_500, _Size(16, 0, 0.2, 3e-3, 1e-2, 0.999, 25, 32)),
    (10_000, _Size(8, 16, 0.0, 6e-3, 3e-4, 0.95, 20, 128)),
    (math.inf, _Size(8, 16, 0.0, 1.2e-2, 3e-4, 0.95, 16, 256)),
)


def _tabm(rows: int, target: Target) -> Settings:
    """Returns those of TabM with piecewise-linear embeddings."""
    network = {
        "hidden": (512, 512),
        "members": 32,
        "scale_initializer": "normal",
        "embedding_units": 16,
        "bins": 48,
        "category_units": 8,
        "dropout": 0.1,
        "activation": "relu",
    }
    optimizer = {"name": "adamw", "learning_rate": 2e-3, "weight_decay": 3e-4, "clip_norm": 1.0}
    return Settings("tabm", network, optimizer, None, 0.0, 200, 256, 16)


def _mlp(rows: int, target: Target) -> Settings:
    """Returns those of `recipes.mlp`."""
    network = {
        "hidden": (256, 256, 256),
        "category_units": 8,
        "dropout": 0.2,
        "activation": "relu",
    }
    optimizer = {"name": "adamw", "learning_rate": 1e-3, "clip_norm": 1.0}
    return Settings("mlp", network, optimizer, None, 0.0, 100, 256, 10)


def _realmlp(rows: int, target: Target) -> Settings:
    """Returns those of RealMLP-TD."""
    classifies = target.name in ("binary", "multiclass", "multilabel")
    network = {
        "hidden": (256, 256, 256),
        "embedding_units": 3,
        "frequency_scale": 0.1,
        "category_units": 8,
        "dropout": 0.15,
        "activation": "selu" if classifies else "mish",
    }
    optimizer = {
        "name": "adamw",
        "learning_rate": 0.04 if classifies else 0.2,
        "weight_decay": 0.02,
        "beta_2": 0.95,
        "rate_multipliers": _tabular_realmlp.RATES,
        "exclude_from_decay": _tabular_realmlp.NOT_DECAYED,
        "decay_schedule": "flat_cos",
        "clip_norm": None,
    }
    smoothing = 0.1 if target.name in ("binary", "multiclass") else 0.0
    return Settings("realmlp", network, optimizer, "cos_log", smoothing, 256, 256, None)


_BY_FORM = {"auto": _auto, "mlp": _mlp, "realmlp": _realmlp, "tabm": _tabm}


def overridden(settings: Settings, given: dict[str, Any]) -> Settings:
    """Returns settings with the caller's arguments; those of other forms are refused."""
    given = {name: value for name, value in given.items() if value is not None}
    for name, value in given.items():
        if name not in settings.network:
            fail(name, f"left out for form={settings.form!r}", value)
    return settings._replace(network={**settings.network, **_checked(given, settings.form)})


def _checked(given: dict[str, Any], form: str) -> dict[str, Any]:
    checked = dict(given)
    if "hidden" in given:
        is_list = isinstance(given["hidden"], (list, tuple))
        if not is_list or not (given["hidden"] or form == "mlp"):
            fail("hidden", "a sequence of integers >= 1", given["hidden"])
        checked["hidden"] = tuple(check_int("hidden", each, low=1) for each in given["hidden"])
    for name in {"members", "bins", "category_units"} & given.keys():
        checked[name] = check_int(name, given[name], low=1)
    if "embedding_units" in given:
        checked["embedding_units"] = check_int("embedding_units", given["embedding_units"], low=0)
    if "frequency_scale" in given:
        checked["frequency_scale"] = check_number(
            "frequency_scale", given["frequency_scale"], low=0, open_low=True
        )
    if "dropout" in given:
        checked["dropout"] = check_number(
            "dropout", given["dropout"], low=0, high=1, open_high=True
        )
    return checked
