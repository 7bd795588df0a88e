"""The base of DenseBlock and ConvBlock: the steps around one linear map."""

from typing import Any

import keras

from kerasrecipes._checks import InputError, check_choice, check_int, check_number
from kerasrecipes._seeds import child_seed
from kerasrecipes.layers import _parts
from kerasrecipes.layers.stochastic_depth import StochasticDepth


class Block(keras.layers.Layer):
    """One linear map with normalisation, activation, dropout and shortcut, in a named order.

    A subclass says in `_linear` and `_projection` which linear map it is about; arguments are
    those of `DenseBlock`.
    """

    def __init__(
        self,
        activation: Any,
        *,
        normalization: Any,
        dropout: Any,
        order: str,
        residual: bool,
        stochastic_depth: float,
        kernel_initializer: Any,
        bias_initializer: Any,
        kernel_regularizer: Any,
        use_bias: bool | str,
        synchronized: bool,
        seed: int | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.activation = _parts.template(activation)
        self.normalization = _parts.template(normalization)
        self.dropout = _parts.template(dropout)
        self.order = order
        self.residual = bool(residual)
        self.stochastic_depth = check_number(
            "stochastic_depth", stochastic_depth, low=0, high=1, open_high=True
        )
        self.kernel_initializer = kernel_initializer
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.use_bias = check_choice("use_bias", use_bias, ["auto", True, False])
        self.synchronized = bool(synchronized)
        self.seed = None if seed is None else check_int("seed", seed)
        self.supports_masking = True
        if self.stochastic_depth and not self.residual:
            raise InputError(
                "`stochastic_depth` drops the residual branch, so it needs `residual=True`. "
                f"Received: stochastic_depth={stochastic_depth}, residual={residual}."
            )

    def _make_steps(self) -> None:
        """Creates the parts; the constructor of a subclass ends with this."""
        self._names = _parts.steps(self.order)
        dtype = self.dtype_policy
        norm = _parts.normalization(self.normalization, self.synchronized, dtype)
        activate = _parts.activation(self.activation, self._child("activation"), dtype)
        bias = _parts.needs_bias(self._names, norm) if self.use_bias == "auto" else self.use_bias
        self.linear = self._linear(
            use_bias=bool(bias),
            kernel_initializer=_parts.kernel_initializer(
                self.kernel_initializer, activate, self._child("kernel")
            ),
            bias_initializer=self.bias_initializer,
            kernel_regularizer=self.kernel_regularizer,
            name="linear",
        )
        self.norm = norm
        self.activate = activate
        self.drop = _parts.dropout(self.dropout, activate, self._child("dropout"), dtype)
        self.projection = None
        self.drop_branch = None
        if self.stochastic_depth:
            self.drop_branch = StochasticDepth(
                self.stochastic_depth,
                seed=self._child("stochastic_depth"),
                dtype=dtype,
                name="stochastic_depth",
            )

    @property
    def steps(self) -> list[keras.layers.Layer]:
        """The layers of the branch, first to last."""
        parts = {
            "linear": self.linear,
            "norm": self.norm,
            "activation": self.activate,
            "dropout": self.drop,
        }
        return [parts[name] for name in self._names if parts[name] is not None]

    def _child(self, part: str) -> int | None:
        return child_seed(self.seed, part)

    def _linear(self, **arguments: Any) -> keras.layers.Layer:
        raise NotImplementedError

    def _projection(self, **arguments: Any) -> keras.layers.Layer:
        raise NotImplementedError

    def _needs_projection(self, input_shape: tuple[int | None, ...]) -> bool:
        raise NotImplementedError

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Creates the weights of all steps, and the projection if the shortcut needs one."""
        shape = input_shape
        for step in self.steps:
            step.build(shape)
            shape = step.compute_output_shape(shape)
        if self.residual and self._needs_projection(input_shape):
            self.projection = self._projection(
                use_bias=False,
                kernel_initializer=_parts.kernel_initializer(
                    "auto", None, self._child("projection")
                ),
                kernel_regularizer=self.kernel_regularizer,
                name="projection",
            )
            self.projection.build(input_shape)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Returns the output of the block; see the class."""
        x = self._masked(inputs, mask)
        shortcut = x if self.projection is None else self.projection(x)
        for step in self.steps:
            if step is self.linear:
                x = step(self._masked(x, mask))
                mask = self.compute_mask(inputs, mask)
            elif isinstance(step, keras.layers.BatchNormalization):
                x = step(x, mask=mask)
            else:
                x = step(x)
        if not self.residual:
            return x
        if self.drop_branch is not None:
            x = self.drop_branch(x)
        return x + shortcut

    def _masked(self, x: Any, mask: Any) -> Any:
        return x

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns the shape of the output."""
        return tuple(self.linear.compute_output_shape(input_shape))

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "activation": _parts.store(self.activation),
            "normalization": _parts.store(self.normalization),
            "dropout": _parts.store(self.dropout),
            "order": self.order,
            "residual": self.residual,
            "stochastic_depth": self.stochastic_depth,
            "kernel_initializer": _parts.store(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "use_bias": self.use_bias,
            "synchronized": self.synchronized,
            "seed": self.seed,
        }
