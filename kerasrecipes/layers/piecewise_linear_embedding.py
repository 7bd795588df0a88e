"""PiecewiseLinearEmbedding."""

import math
import statistics
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasrecipes._checks import InputError, check_int
from kerasrecipes._export import export
from kerasrecipes._seeds import child_seed
from kerasrecipes.layers import _parts
from kerasrecipes.layers._table import check_table, even


@export("layers")
class PiecewiseLinearEmbedding(keras.layers.Layer):
    """Embeds each number of a table by how far it fills each bin of its feature.

    For a feature with bin edges e_0 < ... < e_T and value x:
        p_t = (x - e_(t-1)) / (e_t - e_(t-1)),  t = 1 ... T
    cut off below at 0 except for the first bin, and above at 1 except for the last, so that values
    outside the edges keep their order (with `extrapolate=False` they count as the edge). Then,
    with weights of the feature's own:
        y = activation(p U_f + c_f)               U_f of shape (T, units)
    U, c ~ U(-1/sqrt(bins), 1/sqrt(bins)). With `linear_skip=True` x v_f is added and U starts at
    0, so training starts from a linear embedding. Add a `Flatten` before a dense layer.

    The edges are quantiles of the data: call `adapt(x)` with the training rows before training.
    Until then they are those of N(0, 1), which is right for features normalised to that. They
    are saved with the weights.

    Args:
        units: Outputs per feature, int >= 1. Defaults to 16.
        bins: Greatest number of bins T per feature, int >= 1; equal quantiles are merged.
            Defaults to 48.
        edges: Edges to use in place of quantiles, one increasing list per feature, each of 2 to
            `bins` + 1 numbers. Defaults to None.
        activation: Name or function, as in `DenseBlock`. Defaults to None.
        linear_skip: Whether to add the linear embedding. Defaults to False.
        extrapolate: Whether the first and the last bin go on beyond the edges. Defaults to True.
        seed: Integer for reproducible weights, or None. Defaults to None.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Tensor (batch, features) without missing values.

    Returns: Tensor (batch, features, units).

    Raises: InputError for an argument outside the above, an input of another rank, and edges for
        another number of features.

    Example:
    >>> import numpy as np
    >>> layer = PiecewiseLinearEmbedding(units=4, bins=3)
    >>> layer.adapt(np.array([[0.0], [1.0], [2.0], [4.0]]))
    >>> np.array(layer.encode(np.array([[-1.0], [0.5], [3.0], [6.0]], "float32")))[:, 0].tolist()
    [[-1.0, 0.0, 0.0], [0.5, 0.0, 0.0], [1.0, 1.0, 0.5], [1.0, 1.0, 2.0]]
    >>> tuple(layer(np.zeros((5, 1))).shape)
    (5, 1, 4)

    Reference: Gorishniy et al. 2022, arXiv:2203.05556.
    """

    def __init__(
        self,
        units: int = 16,
        bins: int = 48,
        *,
        edges: list[list[float]] | None = None,
        activation: Any = None,
        linear_skip: bool = False,
        extrapolate: bool = True,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = check_int("units", units, low=1)
        self.bins = check_int("bins", bins, low=1)
        self.given_edges = None if edges is None else [_checked(row, self.bins) for row in edges]
        self.activation = _parts.template(activation)
        self.linear_skip = bool(linear_skip)
        self.extrapolate = bool(extrapolate)
        self.seed = None if seed is None else check_int("seed", seed)
        self.activate = _parts.activation(
            self.activation, child_seed(self.seed, "activation"), self.dtype_policy
        )

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Creates the edges and the linear maps, one set per feature."""
        check_table(self, input_shape)
        features = input_shape[1]
        start = self._start_edges(features)
        self.edges = self.add_weight(
            shape=start.shape,
            initializer=lambda shape, dtype: ops.convert_to_tensor(start, dtype),
            trainable=False,
            autocast=False,
            name="edges",
        )
        limit = 1 / math.sqrt(self.bins)
        kernel = "zeros" if self.linear_skip else even(limit, child_seed(self.seed, "kernel"))
        self.kernel = self.add_weight(
            shape=(features, self.bins, self.units), initializer=kernel, name="kernel"
        )
        self.bias = self.add_weight(
            shape=(features, self.units),
            initializer=even(limit, child_seed(self.seed, "bias")),
            name="bias",
        )
        if self.linear_skip:
            self.skip = self.add_weight(
                shape=(features, self.units),
                initializer=even(1 / math.sqrt(self.units), child_seed(self.seed, "skip")),
                name="skip",
            )

    def _start_edges(self, features: int) -> np.ndarray:
        if self.given_edges is None:
            normal = statistics.NormalDist()
            shares = [(i + 0.5) / (self.bins + 1) for i in range(self.bins + 1)]
            rows = [[normal.inv_cdf(share) for share in shares]] * features
        else:
            rows = self.given_edges
        if len(rows) != features:
            raise InputError(
                f"`edges` must hold one list for each of the {features} features of the input. "
                f"Received: {len(rows)} lists."
            )
        return np.stack([_padded(row, self.bins) for row in rows])

    def adapt(self, data: Any) -> None:
        """Takes the edges from the quantiles of each column; missing values are left out.

        Args:
            data: Training rows, array-like (rows, features).

        Raises: InputError if a column holds infinities, or nothing but missing values.
        """
        table = np.asarray(data, "float64")
        if table.ndim != 2 or np.isinf(table).any() or np.isnan(table).all(axis=0).any():
            raise InputError(
                "`data` must be a table (rows, features) of numbers with at least one known value "
                f"in every column and no infinities. Received: shape {table.shape}."
            )
        if not self.built:
            self.build((None, table.shape[1]))
        shares = np.linspace(0, 1, self.bins + 1)
        quantiles = np.nanquantile(table, shares, axis=0).astype("float32")
        self.edges.assign(np.stack([_padded(column, self.bins) for column in quantiles.T]))

    def encode(self, inputs: Any) -> Any:
        """Returns how far each value fills each bin, shape (batch, features, bins)."""
        return filled(inputs, self.edges, extrapolate=self.extrapolate)

    def call(self, inputs: Any) -> Any:
        """Returns the embedded features."""
        fill = ops.cast(self.encode(inputs), inputs.dtype)
        y = ops.einsum("bft,ftu->bfu", fill, self.kernel) + self.bias
        if self.activate is not None:
            y = self.activate(y)
        return y + ops.expand_dims(inputs, -1) * self.skip if self.linear_skip else y

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns (batch, features, units)."""
        return (*input_shape, self.units)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "units": self.units,
            "bins": self.bins,
            "edges": self.given_edges,
            "activation": _parts.store(self.activation),
            "linear_skip": self.linear_skip,
            "extrapolate": self.extrapolate,
            "seed": self.seed,
        }


def filled(inputs: Any, edges: Any, *, extrapolate: bool) -> Any:
    """Returns how far each value fills each bin, in the dtype of the edges, as the class says."""
    left, width = edges[:, :-1], edges[:, 1:] - edges[:, :-1]
    exists = width > 0
    dtype = keras.backend.standardize_dtype(edges.dtype)
    x = ops.expand_dims(ops.cast(inputs, dtype), -1)
    fill = (x - left) / ops.where(exists, width, 1.0)
    if not extrapolate:
        return ops.where(exists, ops.clip(fill, 0.0, 1.0), 0.0)
    index = ops.arange(width.shape[-1])
    last = ops.sum(ops.cast(exists, "int32"), axis=-1, keepdims=True) - 1
    fill = ops.where(index == 0, fill, ops.maximum(fill, 0.0))
    fill = ops.where(index == last, fill, ops.minimum(fill, 1.0))
    return ops.where(exists, fill, 0.0)


def _checked(row: Any, bins: int) -> list[float]:
    values = np.asarray(row, "float64")
    if values.ndim != 1 or not 2 <= len(values) <= bins + 1 or not (np.diff(values) > 0).all():
        raise InputError(
            f"`edges` must hold, for each feature, 2 to {bins + 1} increasing numbers "
            f"(`bins={bins}`). Received: {row!r}."
        )
    return values.tolist()


def _padded(row: Any, bins: int) -> np.ndarray:
    """Repeats the last edge; a bin without width counts as none."""
    distinct = np.unique(np.asarray(row, "float32"))
    return np.pad(distinct, (0, bins + 1 - len(distinct)), mode="edge")
