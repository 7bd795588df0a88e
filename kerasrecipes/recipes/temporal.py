"""Convolutional networks for sequences."""

from collections.abc import Sequence
from typing import Any

import keras

from kerasrecipes._checks import check_choice, check_ints, check_number, fail
from kerasrecipes._seeds import child_seed
from kerasrecipes.layers import _parts
from kerasrecipes.layers.conv_block import ConvBlock
from kerasrecipes.layers.masked_batch_normalization import MaskedBatchNormalization
from kerasrecipes.recipes._compile import compile_model, recipe, replicas
from kerasrecipes.recipes._head import dropped, head
from kerasrecipes.recipes._sequences import start
from kerasrecipes.recipes.recipe_model import RecipeModel
from kerasrecipes.targets.target import Target

FILTERS = {"fcn": (64, 128, 64), "resnet": (32, 64, 64)}
LEARNING_RATE = 1e-2
MOMENTUM = 0.9


@recipe
def temporal(
    input_shape: Sequence[int | None],
    target: Target,
    *,
    form: str = "fcn",
    filters: Sequence[int] | None = None,
    kernel_size: Sequence[int] = (7, 5, 3),
    strides: int | Sequence[int] = 1,
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
    mask_value: float | None = None,
    preprocessing: keras.layers.Layer | None = None,
    strategy: Any = None,
    fast: bool | str = "auto",
    seed: int | None = None,
    name: str = "temporal",
) -> RecipeModel:
    """Returns a compiled convolutional network for sequences, such as time series.

    Blocks of convolution (no bias) -> normalisation -> activation, the mean over all steps, and
    the head that follows from the target:
        "fcn":    one block after the other.
        "resnet": units of three blocks with a shortcut around them; the last block of a unit has
                  no activation before the sum, and starts at zero, so that a unit begins as its
                  shortcut.
    Since the mean forgets where a step was, both ask what a series contains, not when.

    Series of unlike lengths are padded with a value that never occurs, and `mask_value` names
    it: `keras.utils.pad_sequences(series, dtype="float32", padding="post", value=-1e9)`. Padded
    steps enter no convolution, no statistics and no mean. Each row needs at least one other step.

    Args:
        input_shape: Shape of one example: (steps, channels), or (steps,) for one channel; axes
            beyond the second count as channels too. None for steps takes any length.
        target: A target, its name, or a dict; see `kerasrecipes.targets.get`.
        form: "fcn" or "resnet". Defaults to "fcn".
        filters: Channels of each block of "fcn", or of each unit of "resnet", ints >= 1. Defaults
            to None: (64, 128, 64) and (32, 64, 64), half the published widths.
        kernel_size: Steps that a convolution sees, one int >= 1 for each block of "fcn", or for
            each block of a unit. Defaults to (7, 5, 3).
        strides: Step of the first convolution of each block or unit: an int >= 1, or one for
            each. Above 1 the series gets shorter, and training faster. Defaults to 1.
        activation: Name, function or layer. Defaults to "relu".
        initializer: Kernels of the convolutions, as for `mlp`. Defaults to "auto".
        output_initializer: The same for the head. Defaults to "auto".
        normalization: "batch", "layer", "rms", a dict with a "name", or None. Defaults to
            "batch"; synchronised over replicas, and of momentum 0.9: with Keras's 0.99 the
            moving statistics of a few hundred updates are far behind.
        dropout: Rate in [0, 1) after the mean; never on the output. Defaults to 0.0.
        l2: Penalty l2 * sum(W^2) on the kernels only, float >= 0. Defaults to 0.0.
        optimizer: As for `mlp`. Defaults to "adamw".
        learning_rate: Peak rate, float > 0. Defaults to None: 0.01 for "adamw", else the
            optimizer's own.
        schedule: As for `mlp`. Defaults to "one_cycle", which is at its best at the end of the
            fit.
        clip_norm: As for `mlp`. Defaults to 1.0.
        weight_decay: Decoupled decay of the kernels, float >= 0. Defaults to None, the
            optimizer's own.
        label_smoothing: Share of the label spread over all classes, in [0, 1). Defaults to 0.0.
        mask_value: Value of padding: steps whose channels all have it are left out. Defaults to
            None, no padding.
        preprocessing: Layer that inputs go through first, such as
            `kerasrecipes.data.normalization(x, axis=None)`. With `mask_value` it sees what is
            not padding: use the statistics of `numpy.concatenate(series)`. Defaults to None.
        strategy: What to build for, as for `mlp`. Defaults to None.
        fast: As for `mlp`. Defaults to "auto".
        seed: Int for reproducible weights and dropout masks, or None.
        name: Name of the model. Defaults to "temporal".

    Returns: A built and compiled `RecipeModel`.

    Raises: InputError for an argument outside the above.

    Example:
    >>> import kerasrecipes as kr
    >>> model = temporal((40,), kr.targets.Multiclass(10), filters=(8, 16, 8))
    >>> model.count_params()  # 7*8 + 5*8*16 + 3*16*8, 4 for each of 32 channels, 8*10 + 10
    1298
    >>> temporal((None, 12), "binary", form="resnet", mask_value=-1e9).input_shape
    (None, None, 12)

    Reference: Wang, Yan & Oates 2017, arXiv:1611.06455; Goyal et al. 2017, arXiv:1706.02677
    (units that start as their shortcut).
    """
    check_number("l2", l2, low=0.0)
    check_choice("form", form, FILTERS)
    penalty = keras.regularizers.L2(l2) if l2 else None
    inputs, x = start(input_shape, mask_value, preprocessing)
    synchronized = replicas(strategy) > 1
    blocks = _Blocks(
        seed,
        synchronized and mask_value is not None,
        activation=activation,
        normalization=normalization,
        kernel_initializer=initializer,
        kernel_regularizer=penalty,
        synchronized=synchronized,
    )
    sizes = check_ints("kernel_size", kernel_size, low=1)
    channels = check_ints("filters", FILTERS[form] if filters is None else filters, low=1)
    strides = [strides] * len(channels) if isinstance(strides, int) else strides
    steps = check_ints("strides", strides, low=1)
    if len(steps) != len(channels):
        fail("strides", f"one integer, or one for each of {len(channels)} `filters`", strides)
    x = (_fcn if form == "fcn" else _resnet)(x, channels, sizes, steps, blocks)
    x = keras.layers.GlobalAveragePooling1D(name="mean")(x)
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


class _Blocks:
    """Makes the blocks of one network, which differ in little."""

    def __init__(self, seed: int | None, masked_replicas: bool, **shared: Any) -> None:
        self.seed = seed
        self.masked_replicas = masked_replicas
        self.shared = shared

    def __call__(self, name: str, filters: int, size: int, stride: int = 1, **own: Any) -> Any:
        """Returns a block."""
        arguments = {**self.shared, "seed": child_seed(self.seed, name), "name": name, **own}
        starts_at_zero = arguments.pop("starts_at_zero", False)
        arguments["normalization"] = self._normalization(starts_at_zero)
        return ConvBlock(filters, size, rank=1, strides=stride, **arguments)

    def _normalization(self, starts_at_zero: bool) -> Any:
        normalization = self.shared["normalization"]
        if normalization != "batch":
            return normalization
        own: dict[str, Any] = {"momentum": MOMENTUM}
        if starts_at_zero:
            own["gamma_initializer"] = "zeros"
        if self.masked_replicas:
            return MaskedBatchNormalization(synchronized=True, **own)
        return {"name": "batch", **own}

    def activation(self, name: str) -> Any:
        """Returns the activation after a sum; None where there is none."""
        return _parts.named_activation(self.shared["activation"], child_seed(self.seed, name), name)


def _fcn(x: Any, filters: list[int], sizes: list[int], strides: list[int], block: _Blocks) -> Any:
    if len(sizes) != len(filters):
        fail("kernel_size", f"one integer for each of {len(filters)} `filters`", sizes)
    parts = zip(filters, sizes, strides, strict=True)
    for index, (channels, size, stride) in enumerate(parts, start=1):
        x = block(f"block_{index}", channels, size, stride)(x)
    return x


def _resnet(
    x: Any, filters: list[int], sizes: list[int], strides: list[int], block: _Blocks
) -> Any:
    for index, (channels, stride) in enumerate(zip(filters, strides, strict=True), start=1):
        name = f"unit_{index}"
        branch = x
        for place, size in enumerate(sizes, start=1):
            own = {}
            if place == len(sizes):
                own = {"activation": None, "starts_at_zero": True}
            step = stride if place == 1 else 1
            branch = block(f"{name}_block_{place}", channels, size, step, **own)(branch)
        if x.shape[-1] != channels or stride > 1:
            x = block(f"{name}_shortcut", channels, 1, stride, activation=None)(x)
        x = keras.layers.Add(name=f"{name}_sum")([x, branch])
        activate = block.activation(f"{name}_activation")
        x = x if activate is None else activate(x)
    return x
