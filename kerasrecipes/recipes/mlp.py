"""Dense networks."""

from collections.abc import Sequence
from typing import Any

import keras

from kerasrecipes._checks import check_ints, check_number, fail
from kerasrecipes._seeds import child_seed
from kerasrecipes.layers.dense_block import DenseBlock
from kerasrecipes.recipes._compile import check_input_shape, compile_model, recipe, replicas
from kerasrecipes.recipes._head import head
from kerasrecipes.recipes._start import check_preprocessing
from kerasrecipes.recipes.recipe_model import RecipeModel
from kerasrecipes.targets.target import Target


@recipe
def mlp(
    input_shape: Sequence[int],
    target: Target,
    *,
    hidden: Sequence[int] = (256, 256, 256),
    activation: Any = "relu",
    initializer: Any = "auto",
    output_initializer: Any = "auto",
    normalization: Any = "batch",
    dropout: float | Sequence[float] = 0.2,
    residual: bool = False,
    l2: float = 0.0,
    optimizer: Any = "adamw",
    learning_rate: float | None = None,
    schedule: Any = None,
    clip_norm: float | str | None = 1.0,
    weight_decay: float | None = None,
    label_smoothing: float = 0.0,
    preprocessing: keras.layers.Layer | None = None,
    strategy: Any = None,
    fast: bool | str = "auto",
    seed: int | None = None,
    name: str = "mlp",
) -> RecipeModel:
    """Returns a compiled dense network.

    Each hidden layer is linear (no bias) -> normalisation -> activation -> dropout; the head
    follows from the target. Inputs of higher rank are flattened first.

    Args:
        input_shape: Shape of one example, such as (64,) or (28, 28); () for text, which needs
            `preprocessing`.
        target: A target, its name, or a dict; see `kerasrecipes.targets.get`.
        hidden: Width of each hidden layer, ints >= 1; () gives a linear model. Equal widths, or
            a pyramid such as (512, 128, 32). Defaults to (256, 256, 256).
        activation: Name, function or layer; "selu" brings LeCun kernels and AlphaDropout along.
            Defaults to "relu".
        initializer: "auto" chooses by the activation (He for ReLU, LeCun for SELU, Glorot for
            tanh); or a name or initializer. Defaults to "auto".
        output_initializer: The same for the head, by its own activation. Its biases start at
            the prior where the target knows it, else at zero. Defaults to "auto".
        normalization: "batch", "layer", "rms" or None. Defaults to "batch"; synchronised over
            replicas.
        dropout: Rate in [0, 1) after each hidden layer, or one rate per layer; the output is
            never dropped. Defaults to 0.2.
        residual: Whether each hidden layer adds its input to its output. Defaults to False.
        l2: Penalty l2 * sum(W^2) on the kernels only, float >= 0. Defaults to 0.0.
        optimizer: Name ("adamw", "sgd", ...), a dict with a "name", or a Keras optimizer.
            Defaults to "adamw".
        learning_rate: Peak rate, float > 0. Defaults to None, the optimizer's own.
        schedule: Name ("cosine", "one_cycle", ...), a dict with a "name", or a schedule; None
            for a constant rate. Its length comes from the fit. Defaults to None.
        clip_norm: Largest norm of all gradients together (`global_clipnorm`), float > 0, "auto"
            for the 90th percentile of the latest norms, or None. Defaults to 1.0, which gives way
            to an `optimizer` that is finished or sets its own clipping.
        weight_decay: Decoupled decay of the kernels, float >= 0. Defaults to None, the
            optimizer's own.
        label_smoothing: Share of the label spread over all classes, in [0, 1). Defaults to 0.0.
        preprocessing: Layer that raw inputs go through first, such as
            `kerasrecipes.data.normalization(x)`. Defaults to None.
        strategy: What to build for: "auto", "mirrored", "multi_worker" and so on, as for
            `kerasrecipes.distribute.strategy`, or a `tf.distribute.Strategy`; None for the scope
            that this is in, else one device.
        fast: "auto" to train on many batches at a time in one graph where nothing has to see every
            batch, and to leave it to XLA where rows are in memory and that pays; True to do so on
            a GPU too; False for Keras's way, batch by batch. The results are the same.
            `model.execution` says what a fit did and why. Defaults to "auto".
        seed: Int for reproducible weights and dropout masks, or None.
        name: Name of the model. Defaults to "mlp".

    Returns: A built and compiled `RecipeModel`.

    Raises: InputError for an argument outside the above.

    Example:
    >>> import kerasrecipes as kr
    >>> model = mlp((50,), kr.targets.Multiclass(10), hidden=(100, 100), normalization=None)
    >>> model.count_params()
    16210

    Reference: Ioffe & Szegedy 2015, arXiv:1502.03167; He et al. 2015, arXiv:1502.01852.
    """
    check_number("l2", l2, low=0.0)
    if not isinstance(residual, bool):
        fail("residual", "True or False", residual)
    remedy = "Give the width of each hidden layer, such as (128, 128)."
    widths = check_ints("hidden", hidden, low=1, empty=True, remedy=remedy)
    rates = _rates(dropout, widths)
    penalty = keras.regularizers.L2(l2) if l2 else None
    check_preprocessing(preprocessing, text=True)
    dtype = "string" if isinstance(preprocessing, keras.layers.TextVectorization) else None
    inputs = keras.Input(check_input_shape(input_shape), dtype=dtype, name="inputs")
    x = inputs if preprocessing is None else preprocessing(inputs)
    if len(x.shape) > 2:
        x = keras.layers.Flatten(name="flatten")(x)
    if len(x.shape) < 2:
        fail("input_shape", "(features,) or of higher rank", input_shape, _TEXT_REMEDY)
    for index, (units, rate) in enumerate(zip(widths, rates, strict=True)):
        x = DenseBlock(
            units,
            activation,
            normalization=normalization,
            dropout=rate,
            residual=residual,
            kernel_initializer=initializer,
            kernel_regularizer=penalty,
            synchronized=replicas(strategy) > 1,
            seed=child_seed(seed, "hidden", index),
            name=f"hidden_{index + 1}",
        )(x)
    return compile_model(
        inputs,
        head(x, target, output_initializer, penalty=penalty, seed=seed),
        target,
        name=name,
        optimizer=optimizer,
        learning_rate=learning_rate,
        schedule=schedule,
        clip_norm=clip_norm,
        weight_decay=weight_decay,
        label_smoothing=label_smoothing,
        fast=fast,
    )


_TEXT_REMEDY = "Text needs `preprocessing=kerasrecipes.data.vectorization(texts)`."


def _rates(dropout: Any, hidden: Sequence[int]) -> list[float]:
    if not isinstance(dropout, (tuple, list)):
        dropout = [dropout] * len(hidden)
    if len(dropout) != len(hidden):
        fail("dropout", f"one rate, or one for each of the {len(hidden)} hidden layers", dropout)
    return [check_number("dropout", rate, low=0.0, high=1.0, open_high=True) for rate in dropout]
