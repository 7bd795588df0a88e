"""SearchSpace."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Self

import keras_tuner

from kerasrecipes._checks import InputError, check_int, did_you_mean, fail
from kerasrecipes._export import export
from kerasrecipes.tuning import _arguments, _conditions, _edits, _space_files, _space_table
from kerasrecipes.tuning._recipes import recipe_of
from kerasrecipes.tuning.parameter import Parameter, label
from kerasrecipes.tuning.parameters import KIND, RANGE, Fixed, Numeric


@export("tuning", saved=False)
class SearchSpace:
    """What a search may vary of a recipe and of its fit.

    `kerasrecipes.tuning.space("mlp")` gives that of a recipe of this package. A space never
    changes: `fix`, `range`, `choices`, `set`, `only` and `staged` return new ones. What is not in
    it keeps the recipe's default, and so does each hyperparameter in the first guess, where it can.

    Several hyperparameters may go to one argument, such as the rates of several optimizers to
    `learning_rate`; the argument's name then stands for all of them. So does `hidden`, to which
    `layers`, `units` and `shape` go by "hidden.layers" and so on.

    Args:
        recipe: Recipe function, a name of one of this package, or any function
            `(input_shape, target, *, ...)` that returns a compiled model.
        parameters: `Float`, `Int`, `Choice` and `Fixed` by name; a plain value is one that is
            fixed. "batch_size" and "epochs" are the fit's.

    Example:
    >>> import kerasrecipes as kr
    >>> from kerasrecipes.tuning.parameters import Choice, Float
    >>> space = SearchSpace(
    ...     kr.recipes.mlp,
    ...     {
    ...         "optimizer": Choice(("adamw", "sgd")),
    ...         "learning_rate": Float(1e-4, 1e-1, log=True, default=1e-3),
    ...         "momentum": Float(
    ...             0.5, 0.99, when={"optimizer": ("sgd",)}, argument="optimizer.momentum"
    ...         ),
    ...         "hidden": (64, 64),
    ...     },
    ... )
    >>> print(space)
    Search space of mlp: 3 hyperparameters, infinitely many points
    name           values         scale  first guess  when
    optimizer      adamw, sgd            adamw
    learning_rate  0.0001 to 0.1  log    0.001
    momentum       0.5 to 0.99           0.74         optimizer: sgd
    fixed: hidden = (64, 64)
    >>> space.arguments({"optimizer": "sgd", "learning_rate": 0.1, "momentum": 0.9})[0]
    {'optimizer': {'name': 'sgd', 'momentum': 0.9}, 'learning_rate': 0.1, 'hidden': (64, 64)}
    """

    def __init__(
        self, recipe: str | Callable[..., Any], parameters: Mapping[str, Parameter | Any]
    ) -> None:
        self.recipe = recipe_of(recipe)
        if not isinstance(parameters, Mapping):
            fail("parameters", "a dict of Float, Int, Choice and Fixed by name", parameters)
        given = {name: _edits.as_parameter(value) for name, value in parameters.items()}
        self._set(_conditions.parents_first(given, check=given))

    def _set(self, parameters: Mapping[str, Parameter]) -> None:
        complete = {}
        defaults = _arguments.accepted(self.recipe)
        for name, parameter in parameters.items():
            argument = parameter.argument or name
            _arguments.check_argument(name, argument, self.recipe)
            complete[name] = _edits.with_default(parameter, defaults.get(argument, ...))
        self._parameters = MappingProxyType(complete)
        self._open = _conditions.reachable(complete)

    def _with(self, parameters: Mapping[str, Parameter]) -> Self:
        """Returns a space of other hyperparameters, some of which may never matter now."""
        new = object.__new__(type(self))
        new.recipe = self.recipe
        new._set(parameters)
        return new

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """All hyperparameters by name, also those that what is fixed rules out."""
        return self._parameters

    @property
    def names(self) -> tuple[str, ...]:
        """Names of what is searched."""
        return tuple(n for n in self._open if not isinstance(self._parameters[n], Fixed))

    @property
    def fixed(self) -> dict[str, Any]:
        """What is fixed, by name."""
        found = {name: self._parameters[name] for name in self._open}
        return {name: each.value for name, each in found.items() if isinstance(each, Fixed)}

    @property
    def size(self) -> float:
        """Number of different points, an int; infinity where a hyperparameter is continuous."""
        return _conditions.count_points(self._parameters)

    def conditions(self, name: str) -> dict[str, tuple[Any, ...]]:
        """Returns the values of others with which a searched hyperparameter matters; {}: always."""
        if name not in self._open:
            fail("name", f"one of {self.names}", name, did_you_mean(name, self.names))
        return dict(self._open[name])

    def finds(self, name: str) -> bool:
        """Returns whether a name stands for hyperparameters of the space, as a whole or in parts.

        Args:
            name: Name of a hyperparameter, or of the argument that some go to.
        """
        return bool(_edits.stands_for(self._parameters, name)[0])

    def fix(self, **values: Any) -> Self:
        """Returns the space in which these are no longer searched.

        Args:
            **values: Values by the name of a hyperparameter, or of any argument of the recipe,
                which then has the value in every trial.
        """
        return self._with(_edits.fix(self._parameters, self.recipe, values))

    def range(self, **bounds: tuple[float, float]) -> Self:
        """Returns the space in which these have other ranges, on the same scale.

        What was allowed beside the old range (`also`) goes.

        Args:
            **bounds: (low, high) by name.
        """
        return self._with(_edits.ranges(self._parameters, self.recipe, bounds))

    def choices(self, **values: Iterable[Any]) -> Self:
        """Returns the space in which each of these has one of the given values.

        Args:
            **values: Values by name, such as `activation=("relu", "gelu")`.
        """
        return self._with(_edits.choices(self._parameters, self.recipe, values))

    def set(self, **parameters: Parameter) -> Self:
        """Returns the space with these hyperparameters, new ones or in place of the old.

        Args:
            **parameters: `Float`, `Int`, `Choice` or `Fixed` by name.
        """
        given = {name: _edits.as_parameter(value) for name, value in parameters.items()}
        both = {**self._parameters, **given}
        return self._with(_conditions.parents_first(both, check=given))

    def edited(self, changes: Mapping[str, Any]) -> Self:
        """Returns the space with the changes of a `[tune]` table of a TOML recipe.

        Args:
            changes: By name a number, string or bool, which is fixed; a list of choices; or a
                table: `low` and `high`, with `log` and `step` if they change; or `fix`; or
                `choices`. The string "none" stands for None.

        Raises: InputError that names the first wrong entry.

        Example:
        >>> from kerasrecipes.tuning.space import space
        >>> changed = space("mlp").edited(
        ...     {"learning_rate": {"low": 1e-4, "high": 1e-2}, "optimizer": "adamw",
        ...      "activation": ["relu", "gelu"], "dropout": 0.2}
        ... )
        >>> changed.parameters["learning_rate"].high, changed.fixed["dropout"]
        (0.01, 0.2)
        """
        return self._with(_edits.edited(self._parameters, self.recipe, changes))

    def only(self, *names: str) -> Self:
        """Returns the space in which all others are fixed at their first guess.

        Args:
            *names: What is still searched.
        """
        return self._with(_edits.only(self._parameters, self.recipe, names))

    def staged(self, trials: int) -> Self:
        """Returns as much of the space as a number of trials can search.

        Below 10 trials the learning rate only: it decides most, and a few values on a logarithmic
        scale find it. Below 30 also batch size, dropout, weight decay and L2, which have to be
        tuned along with the rate, but not the architecture. From 30 on, everything: a random
        search of n trials is within the best 10 % of a space with probability 1 - 0.9^n, which is
        0.65 for 10 trials and 0.96 for 30. A space without such hyperparameters stays as it is.

        Args:
            trials: How many trials there will be, int >= 1.

        Reference: Bergstra & Bengio 2012, JMLR 13.
        """
        check_int("trials", trials, low=1)
        for limit, arguments in _STAGES:
            found = [
                n for n in self.names if self._parameters[n].argument in arguments or n in arguments
            ]
            if trials < limit and found:
                return self._with(_edits.keep(self._parameters, found))
        return self

    def hyperparameters(self) -> keras_tuner.HyperParameters:
        """Returns the space as KerasTuner has it, with everything declared at once.

        A range with values beside it (`also`) has a choice before it, its name followed by
        "/kind": "range", or one of the values.
        """
        hp = keras_tuner.HyperParameters()
        hp.merge(keras_tuner.HyperParameters.from_config({"space": self._declared(), "values": {}}))
        return hp

    def _declared(self) -> list[dict[str, Any]]:
        """Returns KerasTuner's description of each hyperparameter.

        Its scopes cannot express that two hyperparameters both have a value; conditions can.
        """
        found = []
        for name in self.names:
            shared = {
                parent: [self._parameters[parent].encode(value) for value in values]
                for parent, values in self._open[name].items()
            }
            for each, own in self._parameters[name].declared(name):
                conditions = [
                    {"class_name": "Parent", "config": {"name": parent, "values": values}}
                    for parent, values in {**shared, **own}.items()
                ]
                config = {**each.get_config(), "conditions": conditions}
                found.append({"class_name": type(each).__name__, "config": config})
        return found

    def arguments(self, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Returns the arguments of the recipe, and those of the fit, of one point.

        Args:
            values: As in KerasTuner's `trial.hyperparameters.values`. What is left out takes its
                default; what does not matter at this point is left alone.

        Raises: InputError for a value that is not of the space.
        """
        self._check_names(values)
        found: dict[str, Any] = {}
        for name, conditions in self._open.items():
            if _conditions.is_active(conditions, found):
                found[name] = self._value(name, values)
        given = {self._parameters[name].argument or name: value for name, value in found.items()}
        return _arguments.split(given, _arguments.accepted(self.recipe))

    def _check_names(self, values: Mapping[str, Any]) -> None:
        known = [*self._parameters, *(name + KIND for name in self._parameters)]
        for name in values:
            if name not in known and not name.startswith("tuner/"):  # of KerasTuner's Hyperband
                hint = did_you_mean(name, known)
                raise _arguments.unknown_value(name, list(self.names), hint)

    def _value(self, name: str, values: Mapping[str, Any]) -> Any:
        parameter = self._parameters[name]
        if isinstance(parameter, Numeric) and parameter.also:
            # A number alone says that it is one of the range.
            default = RANGE if name in values else parameter.kind_of(parameter.default)
            kind = values.get(name + KIND, default)
            if kind != RANGE:
                return next(each for each in parameter.also if label(each) == kind)
        if name not in values or isinstance(parameter, Fixed):
            return parameter.default
        try:
            return parameter.decode(values[name])
        except InputError as error:
            raise InputError(str(error).replace("`values`", f"`{name}`")) from error

    def to_dict(self) -> dict[str, Any]:
        """Returns what `from_dict` takes, of types that JSON has."""
        return _space_files.to_dict(self.recipe, self._parameters)

    @classmethod
    def from_dict(
        cls, found: Mapping[str, Any], *, recipe: Callable[..., Any] | None = None
    ) -> Self:
        """Returns the space that `to_dict` described, from JSON too.

        Args:
            found: What `to_dict` returned.
            recipe: The recipe, where it is not one of this package. Defaults to None, the one
                of that name.
        """
        new = object.__new__(cls)
        new.recipe = recipe_of(found["recipe"] if recipe is None else recipe)
        new._set(_space_files.parameters(found))
        return new

    def __reduce__(self) -> tuple[Any, ...]:
        """Makes the space one that other processes can be given."""
        return _unpickled, (type(self), self.to_dict(), self.recipe)

    def __eq__(self, other: object) -> bool:
        """Spaces of one recipe with equal hyperparameters are equal."""
        if not isinstance(other, SearchSpace):
            return NotImplemented
        return self.recipe is other.recipe and dict(self.parameters) == dict(other.parameters)

    def __hash__(self) -> int:
        """Equal spaces hash alike."""
        return hash((self.recipe, tuple(self.parameters)))

    def __str__(self) -> str:
        """Returns the space as a table."""
        return _space_table.table(self)

    def __repr__(self) -> str:
        """Returns the recipe and how much is searched."""
        return f"<SearchSpace of {self.recipe.__name__}: {', '.join(self.names)}>"


_STAGES = (
    (10, ("learning_rate",)),
    (30, ("learning_rate", "batch_size", "dropout", "weight_decay", "l2")),
)


def _unpickled(kind: type[SearchSpace], found: Mapping[str, Any], recipe: Any) -> SearchSpace:
    return kind.from_dict(found, recipe=recipe)
