"""Recurrent networks for sequences."""

from collections.abc import Sequence
from typing import Any

import keras

from kerasrecipes import initializers
from kerasrecipes._checks import check_choice, check_ints, check_number
from kerasrecipes._seeds import child_seed
from kerasrecipes.layers._cheapest_dropout import cheapest_dropout
from kerasrecipes.recipes._compile import compile_model, recipe
from kerasrecipes.recipes._head import dropped, head
from kerasrecipes.recipes._sequences import start
from kerasrecipes.recipes.recipe_model import RecipeModel
from kerasrecipes.targets.target import Target

CELLS = {"gru": keras.layers.GRU, "lstm": keras.layers.LSTM}
POOLINGS = ("mean", "last")
LEARNING_RATE = 3e-3


@recipe
def rnn(
    input_shape: Sequence[int | None],
    target: Target,
    *,
    cell: str = "gru",
    units: Sequence[int] = (64,),
    bidirectional: bool = True,
    pooling: str = "mean",
    initializer: Any = "auto",
    recurrent_initializer: Any = "gate_orthogonal",
    output_initializer: Any = "auto",
    dropout: float = 0.3,
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
    name: str = "rnn",
) -> RecipeModel:
    """Returns a compiled recurrent network for sequences, such as time series.

    Recurrent layers of Keras one after the other, one vector for each row from the outputs of
    the last, and the head that follows from the target. Recurrent kernels start orthogonal, so
    that states and gradients keep their length over the first steps, and gradients are clipped,
    since a step in the wrong direction is repeated at each step of a series. Dropout drops the
    same outputs at all steps of a series, and works between the layers and before the head,
    never on what a layer hands to itself.

    Series of unlike lengths are padded with a value that never occurs, and `mask_value` names
    it, as for `temporal`. Padded steps change no state and do not count in the mean.

    Args:
        input_shape: Shape of one example: (steps, channels), or (steps,) for one channel; axes
            beyond the second count as channels too. None for steps takes any length.
        target: A target, its name, or a dict; see `kerasrecipes.targets.get`.
        cell: "gru" or "lstm", whose forget gates start open. Defaults to "gru".
        units: Units of each layer and direction, ints >= 1. Defaults to (64,).
        bidirectional: Whether each layer also reads from the end, and gives both outputs side by
            side. Defaults to True; for forecasts made step by step take False.
        pooling: "mean" of the outputs over all steps, or "last", the output after the last step.
            Defaults to "mean".
        initializer: Kernels on the inputs: "auto" (Glorot, for tanh and sigmoid), a name or an
            initializer. Defaults to "auto".
        recurrent_initializer: Recurrent kernels. Defaults to "gate_orthogonal", an orthogonal
            matrix for each gate (`kerasrecipes.initializers.GateOrthogonal`).
        output_initializer: The head's kernel, by its activation. Defaults to "auto".
        dropout: Rate in [0, 1) on the outputs of each layer. Defaults to 0.3.
        l2: Penalty l2 * sum(W^2) on all kernels, float >= 0. Defaults to 0.0.
        optimizer: As for `mlp`. Defaults to "adamw".
        learning_rate: Peak rate, float > 0. Defaults to None: 0.003 for "adamw", else the
            optimizer's own.
        schedule: As for `mlp`. Defaults to "one_cycle", which is at its best at the end of the
            fit.
        clip_norm: As for `mlp`. Defaults to 1.0.
        weight_decay: Decoupled decay of the kernels, float >= 0. Defaults to None, the
            optimizer's own.
        label_smoothing: Share of the label spread over all classes, in [0, 1). Defaults to 0.0.
        mask_value: Value of padding: steps whose channels all have it are left out. Defaults to
            None, no padding.
        preprocessing: As for `temporal`. Defaults to None.
        strategy: What to build for, as for `mlp`. Defaults to None.
        fast: As for `mlp`. Defaults to "auto".
        seed: Int for reproducible weights and dropout masks, or None.
        name: Name of the model. Defaults to "rnn".

    Returns: A built and compiled `RecipeModel`.

    Raises: InputError for an argument outside the above.

    Example:
    >>> import kerasrecipes as kr
    >>> model = rnn((None, 12), kr.targets.Multiclass(9), units=(32,), mask_value=-1e9)
    >>> model.count_params()  # 2 directions of 3 * 32 * (12 + 32 + 2), and 64*9 + 9
    9417

    Reference: Cho et al. 2014, arXiv:1406.1078 (GRU); Saxe et al. 2014, arXiv:1312.6120
    (orthogonal); Pascanu et al. 2013, arXiv:1211.5063 (clipping); Gal & Ghahramani 2016,
    arXiv:1512.05287 (one mask for all steps); Jozefowicz et al. 2015, ICML (forget gates).
    """
    check_number("l2", l2, low=0.0)
    check_choice("cell", cell, CELLS)
    check_choice("pooling", pooling, POOLINGS)
    check_choice("bidirectional", bidirectional, (True, False))
    penalty = keras.regularizers.L2(l2) if l2 else None
    inputs, x = start(input_shape, mask_value, preprocessing)
    kernels = {"kernel": initializer, "recurrent": recurrent_initializer}
    remedy = "Give the units of each layer, such as (64,)."
    widths = check_ints("units", units, low=1, remedy=remedy)
    for index, width in enumerate(widths, start=1):
        part = f"recurrent_{index}"
        every_step = index < len(widths) or pooling == "mean"
        layer = _Layer(CELLS[cell], width, every_step, kernels, penalty, seed, part)
        x = layer.both_ways()(x) if bidirectional else layer.one_way(part)(x)
        if index < len(widths):
            x = _dropped_alike(x, dropout, child_seed(seed, part, "dropout"), index)
    if pooling == "mean":
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


class _Layer:
    """One recurrent layer, read from the start, or from both ends."""

    def __init__(
        self,
        kind: Any,
        units: int,
        every_step: bool,
        kernels: dict[str, Any],
        penalty: Any,
        seed: int | None,
        name: str,
    ) -> None:
        self.kind = kind
        self.units = units
        self.every_step = every_step
        self.kernels = kernels
        self.penalty = penalty
        self.seed = seed
        self.name = name

    def one_way(self, name: str, go_backwards: bool = False) -> Any:
        """Returns the layer of one direction."""

        def kernel(kind: str, activation: str | None) -> Any:
            chosen = child_seed(self.seed, self.name, kind, str(go_backwards))
            return initializers.get(self.kernels[kind], activation=activation, seed=chosen)

        return self.kind(
            self.units,
            return_sequences=self.every_step,
            go_backwards=go_backwards,
            kernel_initializer=kernel("kernel", "tanh"),
            recurrent_initializer=kernel("recurrent", None),
            kernel_regularizer=self.penalty,
            recurrent_regularizer=self.penalty,
            name=name,
        )

    def both_ways(self) -> Any:
        """Returns the layer of both; made by hand, since Keras starts both at equal weights."""
        return keras.layers.Bidirectional(
            self.one_way("forward"),
            backward_layer=self.one_way("backward", go_backwards=True),
            name=self.name,
        )


def _dropped_alike(x: Any, rate: float, seed: int | None, index: int) -> Any:
    """Returns the sequence with some of its channels dropped, the same at all steps."""
    rate = check_number("dropout", rate, low=0.0, high=1.0, open_high=True)
    if rate == 0:
        return x
    shape = (None, 1, None)
    return cheapest_dropout(rate, noise_shape=shape, seed=seed, name=f"dropout_{index}")(x)
