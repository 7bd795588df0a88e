"""Plain convolutional networks for images."""

from collections.abc import Sequence
from typing import Any

import keras

from kerasrecipes._checks import check_choice, check_number
from kerasrecipes.recipes._compile import compile_model, recipe, replicas
from kerasrecipes.recipes._head import dropped, head
from kerasrecipes.recipes._images import (
    LEARNING_RATE,
    MANY_ROWS,
    POOLS,
    Blocks,
    counts_of,
    enter,
    image_shape,
    stages,
    start,
    stem_of,
    widths_of,
)
from kerasrecipes.recipes.recipe_model import RecipeModel
from kerasrecipes.targets.target import Target


@recipe
def cnn(
    input_shape: Sequence[int],
    target: Target,
    *,
    filters: Sequence[int] | None = None,
    blocks: int | Sequence[int] | None = None,
    kernel_size: int = 3,
    stem: str = "auto",
    pooling: str = "max",
    activation: Any = "relu",
    initializer: Any = "auto",
    output_initializer: Any = "auto",
    normalization: Any = "batch",
    dropout: float = 0.0,
    l2: float = 0.0,
    optimizer: Any = "adamw",
    learning_rate: float | None = None,
    schedule: Any = "one_cycle",
    clip_norm: float | str | None = 1.0,
    weight_decay: float | None = None,
    label_smoothing: float = 0.0,
    augmentation: Any = "auto",
    rows: int | None = None,
    preprocessing: keras.layers.Layer | None = None,
    strategy: Any = None,
    fast: bool | str = "auto",
    seed: int | None = None,
    name: str = "cnn",
) -> RecipeModel:
    """Returns a compiled convolutional network for images.

    Stages of convolution (no bias) -> normalisation -> activation, each but the last followed by
    a pooling that halves the image; then the mean over all positions, dropout, and the head that
    follows from the target. Images are shifted at random in training, inside the model.

    Args:
        input_shape: Shape of one image: (height, width, channels), or (height, width) for one
            channel.
        target: A target, its name, or a dict; see `kerasrecipes.targets.get`.
        filters: Channels of each stage, ints >= 1. Defaults to None: (32, 64, 128) for images of
            up to 16 positions after the stem, (16, 32, 64, 128) up to 48, else with another 256.
        blocks: Convolutions in each stage, an int >= 1 or one for each. Defaults to None: 1, and
            from 50,000 `rows` 2 in the latter half of the stages.
        kernel_size: Side of the windows, int >= 1. Defaults to 3.
        stem: What comes before the stages: "small" for nothing; "large" for a convolution of
            7 x 7 with strides 2 and a pooling with strides 2, which leave a sixteenth of the
            positions; "auto" for "large" from 96 positions in height or width. Defaults to "auto".
        pooling: "max", "average", or "blur" for a maximum that is blurred before every second
            position is left out. Defaults to "max".
        activation: Name, function or layer. Defaults to "relu".
        initializer: Kernels of the convolutions, as for `mlp`. Defaults to "auto".
        output_initializer: The same for the head. Defaults to "auto".
        normalization: "batch" (`kerasrecipes.layers.FusedBatchNormalization` with momentum 0.9),
            "layer", "group", "rms", a dict with such a name and arguments, a layer, or None.
            Defaults to "batch"; synchronised over replicas.
        dropout: Rate in [0, 1) before the head; never on the output. Defaults to 0.0.
        l2: Penalty l2 * sum(W^2) on the kernels only, float >= 0. Defaults to 0.0.
        optimizer: As for `mlp`. Defaults to "adamw".
        learning_rate: Peak rate, float > 0. Defaults to None: 0.005 for "adamw", else the
            optimizer's own.
        schedule: As for `mlp`. Defaults to "one_cycle", which is at its best at the end of the
            fit.
        clip_norm: As for `mlp`. Defaults to 1.0.
        weight_decay: Decoupled decay of the kernels, float >= 0. Defaults to None, the
            optimizer's own.
        label_smoothing: Share of the label spread over all classes, in [0, 1). Defaults to 0.0.
        augmentation: "auto" shifts by up to an eighth of height and width, and does nothing
            from 50,000 `rows`; or the name of a policy of
            `kerasrecipes.data.augment.ImagePolicy`, a dict of such a "name" and arguments, a
            layer, or None. Mirror images have to be asked for: {"name": "light"}. It comes before
            `preprocessing`. Defaults to "auto".
        rows: Number of training images, int >= 1, if known. Defaults to None.
        preprocessing: Layer that inputs go through first, such as
            `kerasrecipes.data.normalization(x, axis=None)`. Defaults to None.
        strategy: What to build for, as for `mlp`. Defaults to None.
        fast: As for `mlp`. Defaults to "auto".
        seed: Int for reproducible weights and draws, or None.
        name: Name of the model. Defaults to "cnn".

    Returns: A built and compiled `RecipeModel`.

    Raises: InputError for an argument outside the above.

    Example:
    >>> import kerasrecipes as kr
    >>> model = cnn((28, 28, 1), kr.targets.Multiclass(10), filters=(8, 16))
    >>> model.count_params()  # 9*8 + 9*8*16, 4 for each of 24 channels, 16*10 + 10
    1490

    Reference: Simonyan & Zisserman 2015, arXiv:1409.1556 (stages); Lin et al. 2014,
    arXiv:1312.4400 (mean over positions); Smith & Topin 2018, arXiv:1708.07120 (schedule).
    """
    check_number("l2", l2, low=0.0)
    pool = POOLS[check_choice("pooling", pooling, POOLS)]
    shape = image_shape(input_shape)
    stem = stem_of(stem, shape)
    widths = widths_of(filters, shape, stem)
    inputs, x = start(input_shape, augmentation, rows, preprocessing, seed)
    blocks = _depths(rows, len(widths)) if blocks is None else blocks
    counts = counts_of("blocks", blocks, len(widths))
    penalty = keras.regularizers.L2(l2) if l2 else None
    block = Blocks(
        seed,
        activation=activation,
        normalization=normalization,
        kernel_initializer=initializer,
        kernel_regularizer=penalty,
        synchronized=replicas(strategy) > 1,
    )
    x = enter(x, stem, widths[0], block)
    for (stage, width, follows), count in zip(stages(widths), counts, strict=True):
        for index in range(count):
            x = block(x, f"{stage}_conv_{index + 1}", width, kernel_size)
        x = pool(f"{stage}_pool")(x) if follows else x
    x = keras.layers.GlobalAveragePooling2D(name="mean")(x)
    x = dropped(x, dropout, seed)
    return compile_model(
        inputs,
        head(x, target, output_initializer, penalty=penalty, seed=seed),
        target,
        name=name,
        optimizer=optimizer,
        learning_rate=learning_rate,
        own_rate=LEARNING_RATE,
        schedule=schedule,
        clip_norm=clip_norm,
        weight_decay=weight_decay,
        label_smoothing=label_smoothing,
        fast=fast,
    )


def _depths(rows: int | None, stages: int) -> list[int]:
    """Returns the convolutions of each stage: two in the latter half if there are many rows."""
    deep = stages // 2 if rows is not None and rows >= MANY_ROWS else 0
    return [1] * (stages - deep) + [2] * deep
