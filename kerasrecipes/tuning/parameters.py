"""The hyperparameters of a search space: what each may be, and where its value goes."""

import dataclasses
import math
import numbers
from typing import Any

from keras_tuner.engine import hyperparameters

from kerasrecipes._checks import check_int, check_number, fail
from kerasrecipes._export import export
from kerasrecipes.tuning.parameter import Parameter, is_among, label, plain_tuple, same

Declared = tuple[hyperparameters.HyperParameter, dict[str, Any]]


@export("tuning", saved=False)
@dataclasses.dataclass(frozen=True)
class Fixed(Parameter):
    """One value, which is not searched.

    Args:
        value: Any value that JSON has.
        when: See `Float`.
        argument: See `Float`.

    Example:
    >>> Fixed(None, when={"activation": ("selu",)}, argument="normalization").points
    (None,)
    """

    value: Any

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "value", plain_tuple("value", (self.value,))[0])

    @property
    def default(self) -> Any:
        """The value."""
        return self.value

    @property
    def points(self) -> tuple[Any, ...]:
        """The value alone."""
        return (self.value,)


@export("tuning", saved=False)
@dataclasses.dataclass(frozen=True)
class Choice(Parameter):
    """One of several values.

    Args:
        values: Values that JSON has, of any types: names, numbers, None, (64, 32). KerasTuner and
            the files of a search have those of mixed types as text, None as "none".
        default: One of them. Defaults to what the recipe has if that is among them, else the
            first.
        when: See `Float`.
        argument: See `Float`.

    Example:
    >>> Choice((None, "batch", "layer")).labels
    ('none', 'batch', 'layer')
    """

    values: tuple[Any, ...]
    _: dataclasses.KW_ONLY
    default: Any = ...

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "values", plain_tuple("values", self.values))
        labels = [str(label) for label in self.labels]
        if len(set(labels)) < len(labels):
            fail("values", "different from one another", self.values)
        if self.default is not ... and not self.accepts(self.default):
            fail("default", f"one of {self.values}", self.default)

    @property
    def points(self) -> tuple[Any, ...]:
        """The values."""
        return self.values

    @property
    def labels(self) -> tuple[Any, ...]:
        """The values as KerasTuner has them, which takes one type only."""
        kinds = {type(value) for value in self.values}
        if kinds in ({str}, {int}, {float}, {bool}):
            return self.values
        if kinds == {int, float}:
            return tuple(map(float, self.values))
        return tuple(map(label, self.values))

    def decode(self, value: Any) -> Any:
        """Returns the value behind a label."""
        if not is_among(value, self.labels):
            fail("values", f"one of {', '.join(map(repr, self.labels))}", value)
        return self.values[self.labels.index(value)]

    def encode(self, value: Any) -> Any:
        """Returns the label of a value."""
        return next(a for a, b in zip(self.labels, self.values, strict=True) if same(b, value))

    def declared(self, name: str) -> list[Declared]:
        """Returns what it is in KerasTuner."""
        default = self.encode(self.default)
        if set(map(type, self.labels)) == {bool}:
            return [(hyperparameters.Boolean(name, default=default), {})]
        return [(hyperparameters.Choice(name, list(self.labels), default=default), {})]


@dataclasses.dataclass(frozen=True)
class Numeric(Parameter):
    """Base of `Float` and `Int`; see `Float` for the arguments."""

    low: float
    high: float
    _: dataclasses.KW_ONLY
    log: bool = False
    step: float | None = None
    also: tuple[Any, ...] = ()
    default: Any = ...

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.log, bool):
            fail("log", "True or False", self.log)
        for name in ("low", "high", "step"):
            if name != "step" or self.step is not None:
                object.__setattr__(self, name, self._number(name, getattr(self, name)))
        if self.log and self.low <= 0:
            fail("low", "a number > 0 where log=True", self.low)
        if not self.low < self.high:
            fail("high", f"a number > low={self.low:g}", self.high)
        if self.step is not None and not self.step > (1 if self.log else 0):
            fail("step", f"a number > {1 if self.log else 0} where log={self.log}", self.step)
        if self.also:
            object.__setattr__(self, "also", plain_tuple("also", self.also))
        if self.default is not ... and not self.accepts(self.default):
            fail("default", f"a value of {self.describe()}", self.default)

    @staticmethod
    def _number(name: str, value: Any) -> Any:
        raise NotImplementedError

    @property
    def numbers(self) -> tuple[Any, ...] | None:
        """Each value of the range; None if there is no end of them."""
        if self.step is None:
            return None
        if self.log:
            count = int(math.log(self.high / self.low, self.step) + 1e-8) + 1
            found = (self.low * self.step**index for index in range(count))
        else:
            count = int((self.high - self.low) / self.step + 1e-8) + 1
            found = (self.low + self.step * index for index in range(count))
        return tuple(self._number("low", float(f"{each:.12g}")) for each in found)

    @property
    def points(self) -> tuple[Any, ...] | None:
        """The numbers and what is allowed beside them; None if there is no end of them."""
        return None if self.numbers is None else (*self.numbers, *self.also)

    def accepts(self, value: Any) -> bool:
        """Returns whether it is in the range, or allowed beside it."""
        if is_among(value, self.also):
            return True
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            return False
        if self.numbers is not None:
            return any(math.isclose(value, each, abs_tol=1e-12) for each in self.numbers)
        return self.low <= float(value) <= self.high

    def nearest(self, value: Any) -> Any:
        """Returns the number of the range that is nearest."""
        inside = min(max(value, self.low), self.high)
        if self.numbers is None:
            return self._number("default", inside)
        return min(self.numbers, key=lambda each: abs(each - inside))

    @property
    def middle(self) -> Any:
        """The middle of the range, in the logarithm where log=True."""
        middle = math.sqrt(self.low * self.high) if self.log else (self.low + self.high) / 2
        return self.nearest(self._rounded(middle))

    @staticmethod
    def _rounded(value: float) -> float:
        return float(f"{value:.2g}")

    def describe(self) -> str:
        """Returns the range as text."""
        return "".join([f"{self.low:g} to {self.high:g}", *(f", {label(v)}" for v in self.also)])

    def kind_of(self, value: Any) -> str:
        """Returns "range" for a number of the range, else the label of the value beside it."""
        return label(value) if is_among(value, self.also) else RANGE

    def declared(self, name: str) -> list[Declared]:
        """Returns what it is in KerasTuner; with `also`, a choice comes before the range."""
        if not self.also:
            return [(self._range(name, self.default), {})]
        kind, kinds = self.kind_of(self.default), [RANGE, *map(label, self.also)]
        number = self._range(name, self.default if kind == RANGE else self.middle)
        choice = hyperparameters.Choice(name + KIND, kinds, default=kind)
        return [(choice, {}), (number, {name + KIND: [RANGE]})]

    def _range(self, name: str, default: Any) -> hyperparameters.HyperParameter:
        raise NotImplementedError


@export("tuning", saved=False)
@dataclasses.dataclass(frozen=True)
class Float(Numeric):
    """A number between two bounds.

    Args:
        low: Least value, float.
        high: Greatest value, float > low.
        log: Whether each power of ten is as likely as the next, instead of each value; low must
            then be > 0. Defaults to False.
        step: Distance of one value from the next, or with `log` their ratio, > 1. Defaults to
            None, all values between.
        also: Values allowed beside the range, such as (0.0,) or (None,). Defaults to ().
        default: Value of the first guess. Defaults to what the recipe has if that is among the
            values, else the middle (on the logarithmic scale with `log`).
        when: Values of other hyperparameters, by name, with which this one matters, such as
            {"optimizer": ("sgd",)}; all must hold. Defaults to none: always.
        argument: Where the value goes: an argument of the recipe, "batch_size" or "epochs", or
            with a dot a key of an argument that is a dict, such as "optimizer.momentum". Defaults
            to None, the argument that the hyperparameter is named after.

    Example:
    >>> Float(1e-5, 1e-1, log=True).middle
    0.001
    >>> Float(0.0, 0.2, step=0.05, also=(None,)).points
    (0.0, 0.05, 0.1, 0.15, 0.2, None)
    """

    @staticmethod
    def _number(name: str, value: Any) -> float:
        return check_number(name, value)

    def _range(self, name: str, default: Any) -> hyperparameters.HyperParameter:
        if self.numbers is not None:
            # KerasTuner's own steps lose the last value to rounding: 1.0 // 0.1 is 9.
            values = list(self.numbers)
            return hyperparameters.Choice(name, values, default=self.nearest(default))
        sampling = "log" if self.log else "linear"
        low, high, default = float(self.low), float(self.high), float(default)
        return hyperparameters.Float(name, low, high, sampling=sampling, default=default)


@export("tuning", saved=False)
@dataclasses.dataclass(frozen=True)
class Int(Numeric):
    """A whole number between two bounds, both included.

    Args:
        low: Least value, int.
        high: Greatest value, int > low.
        log: Whether each doubling is as likely as the next, instead of each value; low must then
            be > 0. Defaults to False.
        step: Distance of one value from the next, or with `log` their ratio: 2 gives low, 2 low,
            4 low, ... Defaults to None, every whole number.
        also: See `Float`.
        default: See `Float`.
        when: See `Float`.
        argument: See `Float`.

    Example:
    >>> Int(16, 128, log=True, step=2).points
    (16, 32, 64, 128)
    """

    @staticmethod
    def _number(name: str, value: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return check_int(name, value)

    @staticmethod
    def _rounded(value: float) -> float:
        return round(value)

    @property
    def numbers(self) -> tuple[Any, ...]:
        """Each value of the range."""
        return super().numbers or tuple(range(int(self.low), int(self.high) + 1))

    def decode(self, value: Any) -> int:
        """Returns an int."""
        return int(value)

    def _range(self, name: str, default: Any) -> hyperparameters.HyperParameter:
        scale = {"step": self.step, "sampling": "log" if self.log else "linear"}
        return hyperparameters.Int(name, self.low, self.high, default=default, **scale)


RANGE = "range"
KIND = "/kind"
KINDS: dict[str, type[Parameter]] = {
    "float": Float,
    "int": Int,
    "choice": Choice,
    "fixed": Fixed,
}
