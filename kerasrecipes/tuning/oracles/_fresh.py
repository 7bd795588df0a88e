"""Values that have not been tried yet."""

import itertools
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

from kerasrecipes.tuning.oracles._space import Values, choices, combinations, complete, from_unit
from kerasrecipes.tuning.oracles._space import key as key_of

ATTEMPTS = 50
LISTED = 20_000


def random_values(space: Sequence[Any], rng: np.random.Generator) -> Values:
    """Returns values that are uniform on the scale of each hyperparameter."""
    return complete(space, lambda hp: from_unit(hp, rng.random()))


def fresh(
    propose: Callable[[], Values],
    tried: Collection[Any],
    space: Sequence[Any],
    rng: np.random.Generator,
    options: Callable[[Any], Sequence[Any] | None] | None = None,
) -> Values | None:
    """Returns values that no trial has tried, or None once the space is exhausted.

    `propose` is asked up to 50 times, then as many random values are drawn, then one of the
    combinations that are left, of which the first 20,000 are looked at. `options` are the values
    to choose from, if not all.
    """
    proposers = [propose] if options else [propose, lambda: random_values(space, rng)]
    for proposer in proposers:
        for _ in range(ATTEMPTS):
            values = proposer()
            if key_of(values) not in tried:
                return values
    return _one_left(tried, space, rng, lambda hp: _listed(hp, options or choices))


def _one_left(
    tried: Collection[Any],
    space: Sequence[Any],
    rng: np.random.Generator,
    options: Callable[[Any], Sequence[Any]],
) -> Values | None:
    left = (v for v in combinations(space, options) if key_of(v) not in tried)
    listed = list(itertools.islice(left, LISTED))
    return listed[rng.integers(len(listed))] if listed else None


def _listed(hp: Any, options: Callable[[Any], Sequence[Any] | None]) -> Sequence[Any]:
    """Returns the options, ten of them where there is no end of them."""
    found = options(hp)
    return [from_unit(hp, place) for place in np.linspace(0, 1, 10)] if found is None else found
