"""A trained network with a new head."""

import os
from collections.abc import Sequence
from typing import Any

import keras

from kerasrecipes._checks import check_choice, check_int, check_number, fail
from kerasrecipes.recipes import _backbones
from kerasrecipes.recipes._compile import compile_model, recipe, replicas
from kerasrecipes.recipes._head import dropped, head
from kerasrecipes.recipes._images import augmentation_layer
from kerasrecipes.recipes.fine_tune_model import UNFREEZE, FineTuneModel
from kerasrecipes.recipes.recipe_model import RecipeCall
from kerasrecipes.targets.target import Target

LEARNING_RATE = 1e-2
MOMENTUM = 0.9


@recipe
def fine_tune(
    backbone: Any,
    target: Target,
    *,
    input_shape: Sequence[int] | None = None,
    weights: Any = None,
    layer: str | None = None,
    unfreeze: str = "gradual",
    groups: int = 3,
    rate_factor: float = 0.2,
    freeze_normalization: bool = True,
    normalization: bool = True,
    output_initializer: Any = "auto",
    dropout: float = 0.2,
    optimizer: Any = "adamw",
    learning_rate: float | None = None,
    schedule: Any = "one_cycle",
    clip_norm: float | str | None = 1.0,
    weight_decay: float | None = None,
    label_smoothing: float = 0.0,
    augmentation: Any = None,
    rows: int | None = None,
    preprocessing: Any = "auto",
    strategy: Any = None,
    fast: bool | str = "auto",
    seed: int | None = None,
    name: str = "fine_tune",
) -> FineTuneModel:
    """Returns a compiled network of a trained backbone and a new head.

    Where the features of the backbone are maps, their mean over all positions is taken; then come
    batch normalisation, dropout and the head that follows from the target. The layers of the
    backbone make `groups` of equal count, counted from the head down. With `unfreeze="gradual"`
    only the head and its normalisation train at first, and the groups join one after the other in
    the first half of the fit. The rate is smaller for lower groups:
        rate of group g = learning_rate * rate_factor^g,  the head being group 0
    Batch normalisation of the backbone keeps its statistics, scales and offsets throughout: those
    of a few new rows are worse than those that it was trained with.

    Args:
        backbone: Name of a model of `keras.applications`, such as "MobileNetV2", which is made
            without its head; path of a saved model (.keras); a built Keras model; or a function
            that returns one, which several replicas need, since it is called in their scope. A
            given model is not copied: training changes it.
        target: A target, its name, or a dict; see `kerasrecipes.targets.get`.
        input_shape: Shape of one image, (height, width, channels), for a name of
            `keras.applications` only. Defaults to None, (224, 224, 3).
        weights: File of the backbone's weights, such as (for a name) those that Keras publishes
            without the top; "imagenet" to let Keras download those of a name; None for the
            weights that the model has, which for a name are random. Defaults to None.
        layer: Name of the layer of the backbone whose output the features are. Defaults to None:
            its own output, or for a model of our recipes what goes into the head.
        unfreeze: "gradual"; "all" to train all layers from the start; "head" to train the head
            only. Defaults to "gradual".
        groups: Number of groups, int >= 1. Defaults to 3.
        rate_factor: Factor in (0, 1] from group to group; it needs an `optimizer` that is given
            by name or dict. Defaults to 0.2.
        freeze_normalization: Whether batch normalisation of the backbone stays as it is. Defaults
            to True.
        normalization: Whether batch normalisation brings the features to one scale before the
            head, which then learns as fast on any backbone. Defaults to True; synchronised over
            replicas.
        output_initializer: Kernel of the head, as for `mlp`. Defaults to "auto".
        dropout: Rate in [0, 1) before the head. Defaults to 0.2.
        optimizer: As for `mlp`. Defaults to "adamw".
        learning_rate: Peak rate of the head, float > 0. Defaults to None: 0.01 for "adamw", else
            the optimizer's own.
        schedule: As for `mlp`. Defaults to "one_cycle".
        clip_norm: As for `mlp`. Defaults to 1.0.
        weight_decay: Decoupled decay of the kernels, float >= 0. Defaults to None, the
            optimizer's own.
        label_smoothing: Share of the label spread over all classes, in [0, 1). Defaults to 0.0.
        augmentation: As for `cnn`, before `preprocessing`. Defaults to None.
        rows: As for `cnn`. Defaults to None.
        preprocessing: Layer that inputs go through first; None for none; "auto" for what the
            models of that name in `keras.applications` were trained with, from pixels of 0 to
            255, and nothing for other models. Defaults to "auto".
        strategy: What to build for, as for `mlp`. Defaults to None.
        fast: As for `mlp`. Defaults to "auto".
        seed: Int for a reproducible head and reproducible draws, or None.
        name: Name of the model. Defaults to "fine_tune".

    Returns: A built and compiled `FineTuneModel`, whose `unfreezing(epochs)` tells what joins
        when.

    Raises: InputError for an argument outside the above, a backbone that is not built or ends in
        class probabilities, and weights that do not fit.

    Example:
    >>> import kerasrecipes as kr
    >>> trained = kr.recipes.cnn((28, 28, 1), kr.targets.Multiclass(10), filters=(8, 16))
    >>> model = fine_tune(trained, kr.targets.Binary())
    >>> model.output_shape, sorted(model.unfreezing(8).epochs)
    ((None, 1), [0, 2, 4])

    Reference: Howard & Ruder 2018, arXiv:1801.06146 (gradual unfreezing, rates by layer);
    Yosinski et al. 2014, arXiv:1411.1792.
    """
    check_choice("unfreeze", unfreeze, UNFREEZE)
    check_int("groups", groups, low=1)
    check_number("rate_factor", rate_factor, low=0.0, high=1.0, open_low=True)
    flags = {"freeze_normalization": freeze_normalization, "normalization": normalization}
    for argument, value in flags.items():
        if not isinstance(value, bool):
            fail(argument, "True or False", value)
    found = _backbones.get(backbone, input_shape, weights, layer)
    features = found.model
    if freeze_normalization:
        _backbones.freeze_normalization(features)
    if unfreeze == "head":
        features.trainable = False
    inputs = keras.Input(features.input_shape[1:], name="inputs")
    x = _prepared(inputs, augmentation, rows, preprocessing, found.preprocessing, seed)
    x = _backbones.pooled(features(x))
    if normalization:
        several = {"synchronized": True} if replicas(strategy) > 1 else {}
        x = keras.layers.BatchNormalization(momentum=MOMENTUM, name="head_norm", **several)(x)
    x = dropped(x, dropout, seed)
    parts = _backbones.groups(features, groups)
    rated = [] if unfreeze == "head" else parts
    model = compile_model(
        inputs,
        head(x, target, output_initializer, seed=seed),
        target,
        name=name,
        optimizer=optimizer,
        rate_multipliers=_multipliers(rated, rate_factor),
        learning_rate=learning_rate,
        own_rate=LEARNING_RATE,
        schedule=schedule,
        clip_norm=clip_norm,
        weight_decay=weight_decay,
        label_smoothing=label_smoothing,
        kind=FineTuneModel,
        fast=fast,
    )
    file = None if weights is None else os.path.basename(weights)
    own = {"backbone": found.name, "groups": parts, "weights": file}
    model.recipe = RecipeCall("fine_tune", own)
    return model  # type: ignore[return-value]


def _prepared(
    inputs: Any, augmentation: Any, rows: int | None, given: Any, own: Any, seed: int | None
) -> Any:
    """Returns the inputs after augmentation and preprocessing."""
    if isinstance(given, str) and given != "auto":
        fail("preprocessing", "'auto', an adapted Keras layer or None", given)
    layer = augmentation_layer(augmentation, rows, seed)
    x = inputs if layer is None else layer(inputs)
    if given == "auto":
        return own(x)
    if given is not None and not isinstance(given, keras.layers.Layer):
        fail("preprocessing", "'auto', an adapted Keras layer or None", given)
    return x if given is None else given(x)


def _multipliers(parts: list[list[str]], factor: float) -> dict[str, float]:
    """Returns shares of the rate that shrink from group to group."""
    if factor == 1:
        return {}
    return {pattern: factor**depth for depth, part in enumerate(parts, start=1) for pattern in part}
