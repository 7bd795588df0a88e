"""What each form of `text` is made and trained with, where the caller does not say."""

import math
from typing import Any, NamedTuple

from kerasrecipes._checks import check_choice, check_int, check_number, fail
from kerasrecipes.data.text_schema import TextSchema

FORMS = ("auto", "ngrams", "cnn", "transformer")
NGRAMS_BELOW = 300_000
LONGEST = 256
_LISTS = ("hidden", "kernel_size")


class Settings(NamedTuple):
    """All that a form leaves open.

    Attributes:
        form: "ngrams", "cnn" or "transformer".
        network: Arguments of its network.
        learning_rate: Peak rate for AdamW.
        schedule: The rate's schedule.
        epochs: Epochs to train with `batch_size`.
        batch_size: Texts in a batch.
    """

    form: str
    network: dict[str, Any]
    learning_rate: float
    schedule: Any
    epochs: int
    batch_size: int


class _Size(NamedTuple):
    """What the number of texts decides."""

    epochs: int
    batch_size: int


_NGRAMS = ((2_000, _Size(8, 32)), (20_000, _Size(4, 64)), (math.inf, _Size(3, 256)))
_SEQUENCES = ((2_000, _Size(20, 32)), (20_000, _Size(10, 64)), (math.inf, _Size(6, 128)))


def settings_of(form: str, schema: TextSchema) -> Settings:
    """Returns the settings of a form for so many texts."""
    if check_choice("form", form, FORMS) == "auto":
        form = "ngrams" if schema.rows < NGRAMS_BELOW else "cnn"
    return _BY_FORM[form](schema)


def _size(sizes: tuple[tuple[float, _Size], ...], schema: TextSchema) -> _Size:
    return next(size for rows, size in sizes if schema.rows < rows)


def _ngrams(schema: TextSchema) -> Settings:
    network = {"hidden": (128,), "activation": "relu", "dropout": 0.5}
    return Settings("ngrams", network, 3e-3, "cosine", *_size(_NGRAMS, schema))


def _cnn(schema: TextSchema) -> Settings:
    network = {
        "length": min(schema.length, LONGEST),
        "embedding_units": 128,
        "filters": 128,
        "kernel_size": (3, 4, 5),
        "activation": "relu",
        "dropout": 0.5,
    }
    return Settings("cnn", network, 1e-3, "cosine", *_size(_SEQUENCES, schema))


def _transformer(schema: TextSchema) -> Settings:
    network = {
        "length": min(schema.length, LONGEST),
        "embedding_units": 64,
        "layers": 2,
        "num_heads": 4,
        "activation": "gelu",
        "dropout": 0.3,
    }
    schedule = {"name": "cosine", "warmup": 0.1}
    return Settings("transformer", network, 1e-3, schedule, *_size(_SEQUENCES, schema))


_BY_FORM = {"ngrams": _ngrams, "cnn": _cnn, "transformer": _transformer}


def overridden(settings: Settings, given: dict[str, Any]) -> Settings:
    """Returns settings with the caller's arguments; those of other forms are refused."""
    given = {name: value for name, value in given.items() if value is not None}
    for name, value in given.items():
        if name not in settings.network:
            fail(name, f"left out for form={settings.form!r}", value)
    network = {**settings.network, **{n: _checked(n, v) for n, v in given.items()}}
    units, heads = network.get("embedding_units", 0), network.get("num_heads", 1)
    if units % heads:
        fail("num_heads", f"a divisor of embedding_units={units}", heads)
    return settings._replace(network=network)


def _checked(name: str, value: Any) -> Any:
    if name == "activation":
        return value
    if name == "dropout":
        return check_number(name, value, low=0.0, high=1.0, open_high=True)
    if name in _LISTS:
        if not isinstance(value, (list, tuple)) or (name == "kernel_size" and not value):
            fail(name, "a sequence of integers >= 1", value)
        return tuple(check_int(name, each, low=1) for each in value)
    return check_int(name, value, low=1)
