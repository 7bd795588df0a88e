"""Calling a layer with another kernel than its own."""

from typing import Any

import keras

from kerasrecipes._checks import fail

_OUTPUT_AXES = {
    keras.layers.DepthwiseConv1D: (-2, -1),
    keras.layers.DepthwiseConv2D: (-2, -1),
    keras.layers.Conv1DTranspose: (-2,),
    keras.layers.Conv2DTranspose: (-2,),
    keras.layers.Conv3DTranspose: (-2,),
    keras.layers.Conv1D: (-1,),
    keras.layers.Conv2D: (-1,),
    keras.layers.Conv3D: (-1,),
    keras.layers.Dense: (-1,),
}


class KernelWrapper(keras.layers.Wrapper):
    """Base of the wrappers that compute with a kernel made from the layer's own.

    A subclass makes it in `effective_kernel`. The wrapper and its layer have one dtype: the
    layer's, unless `dtype` is given.
    """

    def __init__(self, layer: keras.layers.Layer, **kwargs: Any) -> None:
        if not isinstance(layer, tuple(_OUTPUT_AXES)):
            fail("layer", "a Dense, Conv, DepthwiseConv or ConvTranspose layer of Keras", layer)
        dtype = kwargs.pop("dtype", None)
        super().__init__(layer, dtype=layer.dtype_policy if dtype is None else dtype, **kwargs)
        if layer.dtype_policy != self.dtype_policy:
            layer.dtype_policy = self.dtype_policy
        self.supports_masking = layer.supports_masking

    def input_axes(self) -> tuple[int, ...]:
        """Returns the axes of the kernel that one output channel sums over."""
        kinds = [axes for kind, axes in _OUTPUT_AXES.items() if isinstance(self.layer, kind)]
        rank = len(self.layer.kernel.shape)
        outputs = {axis % rank for axis in kinds[0]}
        return tuple(axis for axis in range(rank) if axis not in outputs)

    def effective_kernel(self) -> Any:
        """Returns the kernel that the layer computes with, in float32 at least."""
        raise NotImplementedError

    def call(self, inputs: Any) -> Any:
        """Returns the output of the layer with the effective kernel."""
        return call_with_kernel(self.layer, self.effective_kernel(), inputs)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns the output shape of the layer."""
        return tuple(self.layer.compute_output_shape(input_shape))

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "KernelWrapper":
        """Returns a wrapper with this config."""
        # Keras takes "layer" out of the caller's dict.
        return super().from_config(dict(config), custom_objects)


def call_with_kernel(layer: keras.layers.Layer, kernel: Any, inputs: Any, **others: Any) -> Any:
    """Returns `layer(inputs)` with `kernel` in place of its kernel; differentiable in both.

    `others` replaces further variables by attribute name, such as `bias`.
    """
    values = {id(getattr(layer, name)): value for name, value in others.items()}
    values[id(layer.kernel)] = kernel
    # Inside the scope a variable that is not mapped would lose an outer scope's value for it.
    mapping = [
        (variable, keras.ops.cast(values.get(id(variable), variable), variable.dtype))
        for variable in layer.variables
    ]
    with keras.StatelessScope(mapping, initialize_variables=False):
        return layer(inputs)


def full_precision(x: Any) -> Any:
    """Returns `x` in float32, or in its own dtype if that is wider."""
    return keras.ops.cast(x, keras.backend.result_type(x.dtype, "float32"))
