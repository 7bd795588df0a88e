"""The search space of a recipe."""

from collections.abc import Callable
from typing import Any

from kerasrecipes import targets
from kerasrecipes._checks import InputError
from kerasrecipes._export import export
from kerasrecipes.tuning._default_spaces import SPACES, smoothing
from kerasrecipes.tuning._recipes import recipe_of
from kerasrecipes.tuning.search_space import SearchSpace


@export("tuning", saved=False)
def space(recipe: str | Callable[..., Any], target: Any = None) -> SearchSpace:
    """Returns the search space of a recipe of this package.

    Each hyperparameter has the range that practice gives it, and matters only with those values
    of others that it goes with: momentum with SGD, decay with the optimizers that decay,
    normalisation without SELU. The first guess is the recipe as it is.

    Args:
        recipe: Recipe function, or its name, such as "mlp".
        target: Target of the model; one of classes adds `label_smoothing`. Defaults to None.

    Raises: InputError for a recipe without a space; make one with `SearchSpace`.

    Example:
    >>> print(space("mlp").only("learning_rate", "dropout", "batch_size"))
    Search space of mlp: 3 hyperparameters, infinitely many points
    name           values          scale         first guess  when
    dropout        0 to 0.5                      0.2
    learning_rate  0.0001 to 0.03  log           0.001
    batch_size     16 to 256       log, times 2  32
    fixed: layers = 3, units = 256, shape = constant, activation = relu, ...
    """
    found = recipe_of(recipe)
    name = found.__name__
    if name not in SPACES or found is not _registered(name):
        raise InputError(
            f"`recipe` must be one of those with a search space, {', '.join(SPACES)}. Received: "
            f"{name}. Make a space for it: kerasrecipes.tuning.SearchSpace({name}, "
            '{"learning_rate": Float(1e-4, 1e-1, log=True)}).'
        )
    parameters = SPACES[name]()
    if target is not None and _has_classes(target):
        parameters |= smoothing(name)
    return SearchSpace(found, parameters)


def _registered(name: str) -> Callable[..., Any] | None:
    try:
        return recipe_of(name)
    except InputError:
        return None


def _has_classes(target: Any) -> bool:
    try:
        targets.get(target).loss(label_smoothing=0.1)
    except InputError as error:
        if "label_smoothing" not in str(error):
            raise
        return False
    return True
