"""A recipe and its search space as a hypermodel of KerasTuner."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import keras
import keras_tuner

from kerasrecipes._checks import InputError, check_int, check_number, fail
from kerasrecipes._export import export
from kerasrecipes.data._table.inference import as_frame
from kerasrecipes.data.batches import batches
from kerasrecipes.recipes.recipe_model import RecipeModel
from kerasrecipes.recipes.tabular import check_target, tabular
from kerasrecipes.targets.identify import get as get_target
from kerasrecipes.tuning import _arguments
from kerasrecipes.tuning._own import Own
from kerasrecipes.tuning._recipes import recipe_of, takes_table
from kerasrecipes.tuning.search_space import SearchSpace
from kerasrecipes.tuning.space import space as space_of


@export("tuning", saved=False)
class RecipeHyperModel(keras_tuner.HyperModel):
    """A recipe as a `keras_tuner.HyperModel`; made by `hypermodel`, which has the arguments.

    Attributes:
        space: The `SearchSpace`.
        recipe: The recipe function.

    Example:
    >>> import keras_tuner
    >>> made = hypermodel("mlp", (8,), "regression")
    >>> made.build(keras_tuner.HyperParameters()).count_params()
    136449
    """

    def __init__(
        self,
        recipe: Callable[..., Any],
        input_shape: Any,
        target: Any,
        *,
        space: SearchSpace,
        epochs: int | None,
        seed: int | None,
        callbacks: Callable[[], Sequence[keras.callbacks.Callback]] | None,
        arguments: dict[str, Any],
    ) -> None:
        super().__init__(name=recipe.__name__)
        self.recipe = recipe
        self.space = space
        self._input_shape = input_shape
        self._target = target
        self._epochs = epochs
        self._seed = seed
        self._callbacks = callbacks
        self._more = arguments
        self._has_warned = False

    def declare_hyperparameters(self, hp: keras_tuner.HyperParameters) -> None:
        """Adds the space to `hp`, except for what `hp` has already, which overrides it."""
        known = {each.name for each in hp.space}
        hp.merge([each for each in self.space.hyperparameters().space if each.name not in known])

    def build(self, hp: keras_tuner.HyperParameters) -> Any:
        """Returns the compiled model of a trial."""
        self.declare_hyperparameters(hp)
        model, _ = self.space.arguments(self._own(hp))
        return self.recipe(self._input_shape, self._target, **{**self._more, **model})

    def fit(self, hp: keras_tuner.HyperParameters, model: Any, *args: Any, **kwargs: Any) -> Any:
        """Trains the model of a trial; returns what `model.fit` does.

        Args:
            hp: The trial's hyperparameters.
            model: What `build` returned.
            *args: x and y, as `search` of the tuner got them: arrays, or a dataset of batches.
            **kwargs: Other arguments of `model.fit`.
        """
        _, tuned = self.space.arguments(self._own(hp))
        given = dict(zip(("x", "y"), args, strict=False), **kwargs)
        if "tuner/epochs" not in hp.values and "epochs" in tuned:
            given["epochs"] = tuned["epochs"]
        table = takes_table(self.recipe)
        suits = (getattr(model, "suggestion", None) if table else None) or Own()
        given.setdefault("epochs", self._epochs or suits.epochs)
        own = [] if self._callbacks is None else list(self._callbacks())
        given["callbacks"] = [*own, *(given.get("callbacks") or ())]
        if _is_dataset(given.get("x")):
            self._say_that_batches_are_as_they_are()
        else:
            given = {**given, "x": as_frame("table", given["x"])} if table else given
            given = self._batched(given, model, tuned.get("batch_size"), suits.batch_size)
        return model.fit(**given)

    def _own(self, hp: keras_tuner.HyperParameters) -> dict[str, Any]:
        """Returns the values that are of this space; a tuner may search others too."""
        known = {each.name for each in self.space.hyperparameters().space}
        return {name: value for name, value in hp.values.items() if name in known}

    def _say_that_batches_are_as_they_are(self) -> None:
        if "batch_size" in self.space.names and not self._has_warned:
            self._has_warned = True
            warnings.warn(
                "`batch_size` is not tuned, since the data is a dataset that has its batches "
                "already. Give arrays to the tuner's `search`, or take it out of the space with "
                "`space.fix(batch_size=...)`.",
                stacklevel=2,
            )

    def _batched(
        self, given: dict[str, Any], model: Any, batch_size: int | None, own: int
    ) -> dict[str, Any]:
        """Returns `fit`'s arguments with batches of the trial's size in place of arrays."""
        size = given.pop("batch_size", None)
        if batch_size is not None and size is not None:
            raise InputError(
                "`batch_size` must be left out of the tuner's `search`, since it is in the search "
                "space. To keep it the same, give `space.fix(batch_size=...)`."
            )
        given = _with_validation(given)
        x, y, weight = given.pop("x"), given.pop("y", None), given.pop("sample_weight", None)
        if y is not None and _encodes(model):
            y = model.target.encode(y)
        given["x"] = batches(
            x,
            y,
            sample_weight=weight,
            batch_size=size or batch_size or own,
            seed=self._seed,
            shuffle=bool(given.pop("shuffle", True)),
        )
        given["shuffle"] = False  # else Keras warns that it cannot
        return given


@export("tuning", saved=False)
def hypermodel(
    recipe: str | Callable[..., Any],
    input_shape: Any,
    target: Any,
    *,
    space: SearchSpace | None = None,
    epochs: int | None = None,
    seed: int | None = None,
    callbacks: Callable[[], Sequence[keras.callbacks.Callback]] | None = None,
    **arguments: Any,
) -> RecipeHyperModel:
    """Returns a recipe as a hypermodel for any tuner of KerasTuner.

    `tuner.search(x, y, validation_data=(xv, yv))` then tunes the batch size too: arrays become
    `kerasrecipes.data.batches` of the trial's size, in an order of their own in each epoch. A
    dataset is used as it is; then the batch size is not tuned, which a warning says.
    KerasTuner needs `tensorboard` to be installed; it does not install it.

    Args:
        recipe: Recipe function, its name, or any function `(input_shape, target, *, ...)` that
            returns a compiled model.
        input_shape: Shape of one example, or whatever else the recipe takes first: for "tabular"
            training rows, or a `kerasrecipes.data.TableSchema` of them. `tuner.search` then takes
            tables in place of arrays.
        target: Target, as the recipe takes it.
        space: What to search. Defaults to None, the recipe's own space for this target.
        epochs: Epochs of a trial, int >= 1, if neither the space nor `tuner.search` nor the tuner
            (Hyperband) sets them. Defaults to None: what the model suggests, else 100.
        seed: Int for weights, dropout and the order of rows that are the same in every trial and
            in all executions of it, or None. Defaults to None.
        callbacks: Function without arguments that returns new callbacks for each trial, such as
            `lambda: kerasrecipes.callbacks.standard(progress=False)`. KerasTuner copies those
            that `tuner.search` is given, with what they hold. Defaults to None.
        **arguments: More arguments of the recipe, the same in every trial, such as
            `preprocessing`. Those that the space has are fixed in it.

    Raises: InputError for a space of another recipe, for callbacks that are no function, and for
        arguments that the recipe does not have.

    Example:
    >>> import kerasrecipes as kr
    >>> found = hypermodel(kr.recipes.mlp, (64,), kr.targets.Multiclass(10), epochs=30)
    >>> "label_smoothing" in found.space.names
    True
    """
    function = recipe_of(recipe)
    if epochs is not None:
        check_int("epochs", epochs, low=1)
    _check_target(function, target)
    _arguments.check_callbacks(callbacks)
    space = _checked(space, function, target)
    more = {}
    for name, value in arguments.items():
        if name in ("strategy", "name"):
            more[name] = value
        elif space.finds(name):
            space = space.fix(**{name: value})
        else:
            _arguments.check_argument(name, name, function)
            more[name] = value
    if seed is not None:
        check_int("seed", seed, low=0)
        more.update({"seed": seed} if "seed" in _arguments.accepted(function) else {})
    return RecipeHyperModel(
        function,
        input_shape,
        target,
        space=space,
        epochs=epochs,
        seed=seed,
        callbacks=callbacks,
        arguments=more,
    )


def _checked(space: Any, recipe: Callable[..., Any], target: Any) -> SearchSpace:
    if space is None:
        return space_of(recipe, target)
    if not isinstance(space, SearchSpace):
        fail("space", "a SearchSpace, such as kerasrecipes.tuning.space(recipe)", space)
    if space.recipe is not recipe:
        fail("space", f"one of {recipe.__name__}", space)
    return space


def _check_target(recipe: Callable[..., Any], target: Any) -> None:
    """Refuses what each trial would fail with, which KerasTuner tells only after several."""
    if recipe is tabular:
        check_target(get_target(target))


def _is_dataset(x: Any) -> bool:
    """Returns whether `fit` gets batches from it instead of rows."""
    is_keras = isinstance(x, keras.utils.PyDataset)
    return is_keras or hasattr(x, "element_spec") or hasattr(x, "__next__")


def _encodes(model: Any) -> bool:
    """Returns whether the labels have to become those that the target's loss takes."""
    target = model.target if isinstance(model, RecipeModel) else None
    return target is not None and type(model.loss) is type(target.loss())


def _with_validation(given: dict[str, Any]) -> dict[str, Any]:
    """Returns `fit`'s arguments with the last rows for validation, as Keras takes them."""
    share = given.pop("validation_split", None)
    if not share:
        return given
    check_number("validation_split", share, low=0, high=1, open_low=True, open_high=True)
    if given.get("validation_data") is not None:
        return given
    data = {
        name: given[name] for name in ("x", "y", "sample_weight") if given.get(name) is not None
    }
    cut = int(len(keras.tree.flatten(data["x"])[0]) * (1 - share))
    first = keras.tree.map_structure(lambda rows: rows[:cut], data)
    last = keras.tree.map_structure(lambda rows: rows[cut:], data)
    return {**given, **first, "validation_data": tuple(last.values())}
