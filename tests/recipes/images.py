"""Images that the tests of recipes for images share."""

import keras_tuner
import numpy as np

import kerasrecipes as kr
from kerasrecipes.tuning.space import space

TARGET = kr.targets.Multiclass(3)


def bars(rows, size=10, seed=0):
    """Returns noisy uint8 images (rows, size, size, 1) of a bar, and which way it lies."""
    rng = np.random.default_rng(seed)
    y = np.arange(rows) % 3
    at = np.arange(size)
    images = rng.normal(0.0, 0.2, size=(rows, size, size))
    for image, kind in zip(images, y, strict=True):
        place = rng.integers(2, size - 2)
        across = [at[:, None], at[None, :], (at[:, None] + at[None, :]) // 2][kind]
        image += np.abs(across - place) < 1
    return (255 * np.clip(images, 0, 1)).astype("uint8")[..., None], y


X, Y = bars(150)
XV, YV = bars(60, seed=1)


def cells(convolutions):
    """Returns the parameters of (inputs, filters, kernel size) with batch normalisation each."""
    return sum(size**2 * inputs * filters + 4 * filters for inputs, filters, size in convolutions)


def check_space(recipe, first, arguments):
    """The space of a recipe starts at its defaults, and random points of it can be built.

    Args:
        recipe: The recipe.
        first: Function that returns its first argument.
        arguments: Further arguments, which keep the network small.
    """
    found = space(recipe, TARGET)
    model, fit = found.arguments({})
    assert set(fit) == {"batch_size"}
    untuned, tuned = (recipe(first(), TARGET, **{**each, **arguments}) for each in ({}, model))
    assert tuned.count_params() == untuned.count_params()
    settings = [each.optimizer.get_config() for each in (tuned, untuned)]
    assert {**settings[0], "name": ""} == {**settings[1], "name": ""}
    for seed in range(3):
        point = keras_tuner.HyperParameters()
        for index, each in enumerate(found.hyperparameters().space):
            point.merge([each])
            if point.is_active(each):
                point.values[each.name] = each.random_sample(100 * seed + index)
        recipe(first(), TARGET, **{**found.arguments(point.values)[0], **arguments})
