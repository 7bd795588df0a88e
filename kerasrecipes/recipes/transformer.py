"""Transformers for sequences of numbers and of tokens."""

from collections.abc import Sequence
from typing import Any

import keras

from kerasrecipes._checks import InputError, check_int, check_number, fail
from kerasrecipes._seeds import child_seed
from kerasrecipes.layers.position_encoding import PositionEncoding
from kerasrecipes.recipes._attention import AttentionParts
from kerasrecipes.recipes._compile import compile_model, recipe
from kerasrecipes.recipes._head import dropped, head
from kerasrecipes.recipes._sequences import sequence_shape, start
from kerasrecipes.recipes._start import Start
from kerasrecipes.recipes.recipe_model import RecipeModel
from kerasrecipes.targets.target import Target

LEARNING_RATE = 1e-3
KERNEL_SIZE, STRIDES = 5, 1
WARM_UP = 0.1


@recipe
def transformer(
    input_shape: Sequence[int | None],
    target: Target,
    *,
    vocabulary_size: int | None = None,
    layers: int = 2,
    units: int = 64,
    num_heads: int = 4,
    hidden_units: int | None = None,
    kernel_size: int = KERNEL_SIZE,
    strides: int = STRIDES,
    activation: Any = "gelu",
    initializer: Any = "auto",
    output_initializer: Any = "auto",
    dropout: float = 0.1,
    l2: float = 0.0,
    optimizer: Any = "adamw",
    learning_rate: float | None = None,
    schedule: Any = "cosine",
    clip_norm: float | str | None = 1.0,
    weight_decay: float | None = None,
    label_smoothing: float = 0.0,
    mask_value: float | None = None,
    preprocessing: keras.layers.Layer | None = None,
    strategy: Any = None,
    fast: bool | str = "auto",
    seed: int | None = None,
    name: str = "transformer",
) -> RecipeModel:
    """Returns a compiled transformer for sequences of numbers or of tokens.

    Steps become vectors, by a convolution over neighbouring steps, or by a table of one vector
    for each token; positions are added as sines and cosines, so any length is taken. Then, for
    each of `layers`, with the normalisation before each part and nothing on the shortcut:
        x = x + dropout(attention(norm(x)))
        x = x + dropout(W2 dropout(activation(W1 norm(x))))
    and after the last one norm(x), the mean over all steps, and the head that follows from the
    target. The rate rises over the first tenth of the fit, then falls as half a cosine.

    Series of numbers of unlike lengths are padded with a value that never occurs, and
    `mask_value` names it, as for `temporal`. Token 0 is padding. Padding is never attended to,
    and does not count in the mean.

    Args:
        input_shape: Shape of one example: (steps, channels), or (steps,) for one channel or for
            tokens; None for steps takes any length.
        target: A target, its name, or a dict; see `kerasrecipes.targets.get`.
        vocabulary_size: Number of tokens, the padding 0 among them, int >= 2, for inputs that are
            integers below it. Defaults to None, inputs that are numbers.
        layers: Number of layers, int >= 1. Defaults to 2.
        units: Length of the vectors, int >= 1, a multiple of `num_heads`. Defaults to 64.
        num_heads: Heads of the attention, int >= 1. Defaults to 4.
        hidden_units: Units between W1 and W2, int >= 1. Defaults to None, 4 * `units`.
        kernel_size: Steps that one vector is made of, int >= 1; for numbers only. Defaults to 5.
        strides: Steps from one vector to the next, int >= 1; for numbers only. The cost of
            attention falls with its square. Defaults to 1.
        activation: Between W1 and W2: name, function or layer. Defaults to "gelu".
        initializer: Kernels other than those of the attention, which start at variance
            1 / `units`: "auto" chooses by the activation. Defaults to "auto".
        output_initializer: The same for the head. Defaults to "auto".
        dropout: Rate in [0, 1) on vectors, attention, both parts, and before the head. Defaults
            to 0.1.
        l2: Penalty l2 * sum(W^2) on the kernels, float >= 0. Defaults to 0.0.
        optimizer: As for `mlp`. Defaults to "adamw".
        learning_rate: Peak rate, float > 0. Defaults to None: 0.001 for "adamw", else the
            optimizer's own.
        schedule: As for `mlp`. Defaults to "cosine", which stands for {"name": "cosine",
            "warmup": 0.1} here.
        clip_norm: As for `mlp`. Defaults to 1.0.
        weight_decay: Decoupled decay of the kernels, float >= 0. Defaults to None, the
            optimizer's own.
        label_smoothing: Share of the label spread over all classes, in [0, 1). Defaults to 0.0.
        mask_value: Value of padding, for numbers. Defaults to None, no padding.
        preprocessing: As for `temporal`. Defaults to None.
        strategy: What to build for, as for `mlp`. Defaults to None.
        fast: As for `mlp`. Defaults to "auto".
        seed: Int for reproducible weights and dropout masks, or None.
        name: Name of the model. Defaults to "transformer".

    Returns: A built and compiled `RecipeModel`.

    Raises: InputError for an argument outside the above.

    Example:
    >>> import kerasrecipes as kr
    >>> model = transformer((None, 3), "binary", layers=1, units=16, num_heads=2)
    >>> model.count_params()  # 256, 4*(16*16 + 16), 2*16*64 + 64 + 16, 3*32, and 16 + 1
    3585
    >>> tokens = transformer((None,), kr.targets.Multiclass(4), vocabulary_size=1000)
    >>> tokens.input_shape, tokens.output_shape
    ((None, None), (None, 4))

    Reference: Vaswani et al. 2017, arXiv:1706.03762; Xiong et al. 2020, arXiv:2002.04745
    (normalisation first); Xiao et al. 2021, arXiv:2106.14881 (convolution first); Loshchilov &
    Hutter 2019, arXiv:1711.05101.
    """
    check_number("l2", l2, low=0.0)
    width = check_int("units", units, low=1)
    if width % check_int("num_heads", num_heads, low=1):
        fail("units", f"a multiple of num_heads={num_heads}", units)
    part = AttentionParts(
        width,
        check_number("dropout", dropout, low=0.0, high=1.0, open_high=True),
        initializer,
        keras.regularizers.L2(l2) if l2 else None,
        seed,
    )
    if vocabulary_size is None:
        begun = start(input_shape, mask_value, preprocessing)
        x = part.convolution(begun.x, kernel_size, strides)
    else:
        _check_tokens(mask_value, preprocessing, kernel_size, strides)
        begun = _tokens(input_shape, vocabulary_size, part)
        x = begun.x
    x = part.dropped(PositionEncoding(name="positions")(x), "positions")
    hidden = 4 * width if hidden_units is None else check_int("hidden_units", hidden_units, low=1)
    for index in range(1, check_int("layers", layers, low=1) + 1):
        x = part.attended(x, num_heads, f"layer_{index}")
        x = part.mapped(x, hidden, activation, f"layer_{index}")
    x = keras.layers.LayerNormalization(name="norm")(x)
    x = keras.layers.GlobalAveragePooling1D(name="mean")(x)
    x = dropped(x, dropout, seed)
    schedule = {"name": "cosine", "warmup": WARM_UP} if schedule == "cosine" else schedule
    return compile_model(
        begun.inputs,
        head(x, target, output_initializer, penalty=part.penalty, seed=seed),
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


def _tokens(input_shape: Any, vocabulary_size: int, part: AttentionParts) -> Start:
    """Returns the input of tokens, and one vector of unit variance for each."""
    remedy = "Count the padding, which is token 0."
    size = check_int("vocabulary_size", vocabulary_size, low=2, remedy=remedy)
    if isinstance(input_shape, (tuple, list)) and list(input_shape) == [None]:
        shape: tuple[int | None, ...] = (None,)
    else:
        shape = sequence_shape(input_shape)
    if len(shape) != 1:
        fail("input_shape", "(steps,) for tokens", input_shape, "None for steps of any number.")
    inputs = keras.Input(shape, dtype="int32", name="inputs")
    table = keras.layers.Embedding(
        size,
        part.units,
        embeddings_initializer=keras.initializers.RandomNormal(
            stddev=1.0, seed=child_seed(part.seed, "embedding")
        ),
        mask_zero=True,
        name="embedding",
    )
    return Start(inputs, table(inputs))


def _check_tokens(mask_value: Any, preprocessing: Any, kernel_size: int, strides: int) -> None:
    given = {
        "mask_value": mask_value is not None,
        "preprocessing": preprocessing is not None,
        "kernel_size": kernel_size != KERNEL_SIZE,
        "strides": strides != STRIDES,
    }
    for argument, is_given in given.items():
        if is_given:
            raise InputError(
                f"`{argument}` is for inputs that are numbers, and must be left out for tokens "
                "(`vocabulary_size`). Token 0 is padding."
            )
