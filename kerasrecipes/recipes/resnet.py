"""Residual convolutional networks for images."""

from collections.abc import Sequence
from typing import Any

import keras

from kerasrecipes._checks import check_int, check_number, fail
from kerasrecipes._seeds import child_seed
from kerasrecipes.layers.blur_pool import BlurPool
from kerasrecipes.layers.squeeze_excite import SqueezeExcite
from kerasrecipes.layers.stochastic_depth import StochasticDepth
from kerasrecipes.recipes._compile import compile_model, recipe, replicas
from kerasrecipes.recipes._head import dropped, head
from kerasrecipes.recipes._images import (
    LEARNING_RATE,
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
def resnet(
    input_shape: Sequence[int],
    target: Target,
    *,
    filters: Sequence[int] | None = None,
    blocks: int | Sequence[int] = 1,
    stem: str = "auto",
    zero_gamma: bool = True,
    squeeze_excite: int | None = None,
    blur_pool: bool = False,
    stochastic_depth: float = 0.0,
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
    name: str = "resnet",
) -> RecipeModel:
    """Returns a compiled residual network for images.

    After the stem come stages of blocks with two convolutions each,
        y = activation(shortcut(x) + branch(x))
        branch = norm(conv(activation(norm(conv(x)))))
    in which the first block of every stage but the first halves the image by strides. The
    shortcut is x itself, or where the shape changes the mean over 2 x 2 positions and a normalised
    convolution of size 1. Then the mean over all positions, dropout, and the head that follows
    from the target.

    Args:
        input_shape: As for `cnn`.
        target: A target, its name, or a dict; see `kerasrecipes.targets.get`.
        filters: Channels of each stage, ints >= 1. Defaults to None: (32, 64, 128) for images of
            up to 16 positions after the stem, (16, 32, 64, 128) up to 48, else with another 256.
        blocks: Blocks in each stage, an int >= 1 or one for each. Defaults to 1.
        stem: "small" for one convolution of 3 x 3; "large" for one of 7 x 7 with strides 2 and a
            pooling with strides 2; "auto" for "large" from 96 positions in height or width.
            Defaults to "auto".
        zero_gamma: Whether branches start at zero, so that a network begins as its shortcuts: by
            the scale of the last normalisation, or without "batch", "layer" or "group" by the
            last kernel. Defaults to True.
        squeeze_excite: Reduction inside a gate for each channel at the end of every branch, int
            >= 1, such as 16; None for no gates. Defaults to None.
        blur_pool: Whether a blur comes before positions are left out, in branches and shortcuts.
            Defaults to False.
        stochastic_depth: Rate in [0, 1) at which the last branch is dropped; that of block l of L
            is l / L times it. Defaults to 0.0.
        activation: Name, function or layer. Defaults to "relu".
        initializer: Kernels of the convolutions, as for `mlp`. Defaults to "auto".
        output_initializer: The same for the head. Defaults to "auto".
        normalization: As for `cnn`. Defaults to "batch"; synchronised over replicas.
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
        augmentation: As for `cnn`. Defaults to "auto".
        rows: Number of training images, int >= 1, if known. Defaults to None.
        preprocessing: Layer that inputs go through first, such as
            `kerasrecipes.data.normalization(x, axis=None)`. Defaults to None.
        strategy: What to build for, as for `mlp`. Defaults to None.
        fast: As for `mlp`. Defaults to "auto".
        seed: Int for reproducible weights and draws, or None.
        name: Name of the model. Defaults to "resnet".

    Returns: A built and compiled `RecipeModel`.

    Raises: InputError for an argument outside the above.

    Example:
    >>> import kerasrecipes as kr
    >>> model = resnet((28, 28, 1), kr.targets.Multiclass(10), filters=(8, 16))
    >>> model.count_params()  # 9*(8 + 8*8 + 8*8 + 8*16 + 16*16) + 8*16, 4 * 72, 16*10 + 10
    5266

    Reference: He et al. 2015, arXiv:1512.03385; Goyal et al. 2017, arXiv:1706.02677 (zero
    gamma); He et al. 2019, arXiv:1812.01187 (shortcut); Hu et al. 2018, arXiv:1709.01507; Zhang
    2019, arXiv:1904.11486; Huang et al. 2016, arXiv:1603.09382.
    """
    check_number("l2", l2, low=0.0)
    for argument, value in (("zero_gamma", zero_gamma), ("blur_pool", blur_pool)):
        if not isinstance(value, bool):
            fail(argument, "True or False", value)
    shape = image_shape(input_shape)
    stem = stem_of(stem, shape)
    widths = widths_of(filters, shape, stem)
    counts = counts_of("blocks", blocks, len(widths))
    penalty = keras.regularizers.L2(l2) if l2 else None
    units = _Units(
        Blocks(
            seed,
            activation=activation,
            normalization=normalization,
            kernel_initializer=initializer,
            kernel_regularizer=penalty,
            synchronized=replicas(strategy) > 1,
        ),
        sum(counts),
        zero_gamma=zero_gamma,
        squeeze_excite=squeeze_excite,
        blur_pool=blur_pool,
        stochastic_depth=stochastic_depth,
        seed=seed,
    )
    inputs, x = start(input_shape, augmentation, rows, preprocessing, seed)
    if stem == "small":
        x = units.block(x, "stem", widths[0])
    x = enter(x, stem, widths[0], units.block)
    for (stage, width, _), count in zip(stages(widths), counts, strict=True):
        for index in range(count):
            halves = index == 0 and stage != "stage_1"
            x = units(x, f"{stage}_block_{index + 1}", width, halves)
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


class _Units:
    """Makes the residual blocks of one network, first to last."""

    def __init__(
        self,
        block: Blocks,
        count: int,
        *,
        zero_gamma: bool,
        squeeze_excite: int | None,
        blur_pool: bool,
        stochastic_depth: float,
        seed: int | None,
    ) -> None:
        self.block = block
        self.count, self.made = count, 0
        self.last = block.from_zero() if zero_gamma else {}
        self.ratio = squeeze_excite
        self.blur_pool = blur_pool
        self.rate = check_number(
            "stochastic_depth", stochastic_depth, low=0, high=1, open_high=True
        )
        self.seed = seed
        if squeeze_excite is not None:
            check_int("squeeze_excite", squeeze_excite, low=1)

    def __call__(self, x: Any, name: str, width: int, halves: bool) -> Any:
        """Returns `x` after one block."""
        self.made += 1
        branch = self._halved(x, f"{name}_conv_1", width, halves)
        branch = self.block(branch, f"{name}_conv_2", width, activation=None, **self.last)
        if self.ratio is not None:
            gate = SqueezeExcite(self.ratio, seed=child_seed(self.seed, name), name=f"{name}_gate")
            branch = gate(branch)
        rate = self.rate * self.made / self.count
        if rate:
            seed = child_seed(self.seed, name, "depth")
            branch = StochasticDepth(rate, seed=seed, name=f"{name}_depth")(branch)
        shortcut = self._shortcut(x, name, width, halves)
        total = keras.layers.Add(name=f"{name}_sum")([shortcut, branch])
        return self.block.activate(total, name)

    def _halved(self, x: Any, name: str, width: int, halves: bool) -> Any:
        if not halves:
            return self.block(x, name, width)
        if not self.blur_pool:
            return self.block(x, name, width, strides=2)
        return _blur(f"{name}_blur")(self.block(x, name, width))

    def _shortcut(self, x: Any, name: str, width: int, halves: bool) -> Any:
        if x.shape[-1] == width and not halves:
            return x
        if halves:
            pool = f"{name}_shortcut_pool"
            mean = keras.layers.AveragePooling2D(2, padding="same", name=pool)
            x = (_blur(pool) if self.blur_pool else mean)(x)
        return self.block(x, f"{name}_shortcut", width, 1, activation=None)


def _blur(name: str) -> BlurPool:
    return BlurPool(3, padding="same", name=name)
