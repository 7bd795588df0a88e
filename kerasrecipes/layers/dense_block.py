"""DenseBlock."""

from typing import Any

import keras

from kerasrecipes._checks import check_int
from kerasrecipes._export import export
from kerasrecipes.layers._block import Block


@export("layers")
class DenseBlock(Block):
    """A fully connected layer with its normalisation, activation and dropout.

    In the default order, with W of shape (inputs, units) and no bias, since beta of the
    normalisation makes it redundant:
        y = dropout(activation(norm(x W)))
    and with `residual=True`:
        y = shortcut(x) + dropout(activation(norm(x W)))
    where the shortcut is x itself, or x P (P a learned matrix) when the widths differ. Layers
    given as arguments are templates: the block makes copies of its own, with its dtype and seeds.

    Args:
        units: Width of the output, int >= 1.
        activation: Name, dict of a "name" and arguments, function or layer; None for none.
            "prelu" (one slope per channel) and "rrelu" are layers of this package. It also picks
            the initializer and the kind of dropout. Defaults to "relu".
        normalization: "batch", "layer", "group", "rms", None, a dict of a "name" and arguments
            (`{"name": "batch", "momentum": 0.9}`), or a layer. Defaults to "batch".
        dropout: Rate in [0, 1), or a layer. After SELU a rate means AlphaDropout, which keeps
            mean and variance. Defaults to 0.0, no dropout.
        order: "post-activation" (linear-norm-activation-dropout), "pre-activation"
            (norm-activation-dropout-linear), or these four steps in any order, joined by "-".
            Defaults to "linear-norm-activation-dropout".
        residual: Whether to add a shortcut around the block. Defaults to False.
        stochastic_depth: Probability in [0, 1) that a sample skips the residual branch in
            training; see `StochasticDepth`. Defaults to 0.0.
        kernel_initializer: "auto" chooses by the activation (He for ReLU, LeCun for SELU,
            Glorot for tanh); or a name, dict or initializer. Defaults to "auto".
        bias_initializer: Name or initializer. Defaults to "zeros".
        kernel_regularizer: Name or regularizer of W and P; never applied to anything else.
            Defaults to None.
        use_bias: True, False, or "auto": a bias unless a normalisation with an offset of its own
            comes right after the linear step. Defaults to "auto".
        synchronized: Whether batch normalisation takes its statistics over all replicas of a
            distribution strategy. Defaults to False.
        seed: Integer for reproducible weights and masks, each part from a stream of its own, or
            None. Two blocks of one model need two seeds. Defaults to None.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Tensor (batch, ..., inputs).
        training: Whether dropout drops and batch normalisation uses the batch.
        mask: Boolean tensor (batch, ...) without the last axis: False positions are left out of
            the batch statistics. It is passed on.

    Returns: Tensor (batch, ..., units).

    Raises: InputError for an argument outside the above.

    Example:
    >>> import keras
    >>> inputs = keras.Input((50,))
    >>> block = DenseBlock(100, "selu", dropout=0.1, seed=0)
    >>> block(inputs).shape
    (None, 100)
    >>> [type(step).__name__ for step in block.steps]
    ['Dense', 'BatchNormalization', 'Activation', 'AlphaDropout']
    >>> DenseBlock(100, normalization=None)(inputs).shape, block.linear.use_bias
    ((None, 100), False)

    Reference: Ioffe & Szegedy 2015, arXiv:1502.03167 (order and bias); He et al. 2016,
    arXiv:1603.05027 (pre-activation).
    """

    def __init__(
        self,
        units: int,
        activation: Any = "relu",
        *,
        normalization: Any = "batch",
        dropout: Any = 0.0,
        order: str = "linear-norm-activation-dropout",
        residual: bool = False,
        stochastic_depth: float = 0.0,
        kernel_initializer: Any = "auto",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        use_bias: bool | str = "auto",
        synchronized: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            activation,
            normalization=normalization,
            dropout=dropout,
            order=order,
            residual=residual,
            stochastic_depth=stochastic_depth,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            use_bias=use_bias,
            synchronized=synchronized,
            seed=seed,
            **kwargs,
        )
        self.units = check_int("units", units, low=1)
        self._make_steps()

    def _linear(self, **arguments: Any) -> keras.layers.Layer:
        return keras.layers.Dense(self.units, dtype=self.dtype_policy, **arguments)

    def _projection(self, **arguments: Any) -> keras.layers.Layer:
        return self._linear(**arguments)

    def _needs_projection(self, input_shape: tuple[int | None, ...]) -> bool:
        return input_shape[-1] != self.units

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {"units": self.units, **super().get_config()}
