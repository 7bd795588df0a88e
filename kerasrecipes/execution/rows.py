"""Rows in memory, and the order in which a pass goes over them."""

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasrecipes._epoch_order import EpochOrder, resolve_seed
from kerasrecipes._find import find

_STEPS = 2**32
_KEYS = itertools.count()


class Rows:
    """Rows in memory that are gone over in batches.

    Args:
        content: Tuple `(x,)`, `(x, y)` or `(x, y, sample_weight)` of dense arrays or tensors, or of
            dicts, tuples and lists of these.
        batch_size: Rows in a full batch, int >= 1.
        order: The `EpochOrder` of a shuffle; None keeps the order of the rows.
        drop_remainder: Whether the last, smaller batch is left out.

    Attributes:
        tensors: The content as tensors.
        rows: Number of rows.
        steps: Number of batches.
        key: A number that no other rows have.
    """

    def __init__(
        self,
        content: tuple[Any, ...],
        batch_size: int,
        order: EpochOrder | None = None,
        *,
        drop_remainder: bool = False,
    ) -> None:
        self.tensors = keras.tree.map_structure(_tensor, content)
        self.batch_size = batch_size
        self.rows = int(keras.tree.flatten(self.tensors)[0].shape[0])
        self.steps = self.rows // batch_size if drop_remainder else -(-self.rows // batch_size)
        self.key = next(_KEYS)
        self._order = order
        self._as_they_are = None if order else tf.range(self.rows)

    @property
    def full(self) -> int:
        """Number of full batches."""
        return self.rows // self.batch_size

    @property
    def signature(self) -> Any:
        """Specs of the tensors, for any number of rows."""
        return keras.tree.map_structure(
            lambda tensor: tf.TensorSpec([None, *tensor.shape[1:]], tensor.dtype), self.tensors
        )

    @property
    def kind(self) -> Any:
        """What a graph depends on: the structure of the tensors, their dtypes and shapes."""
        leaves = [(each.dtype, *each.shape[1:]) for each in keras.tree.flatten(self.tensors)]
        structure = keras.tree.map_structure(lambda _: 0, self.tensors)
        return str(structure), *leaves

    def batches(self) -> Iterator[Any]:
        """Yields the row numbers of each batch of the pass that starts now."""
        numbers = self.numbers()
        for begin in range(0, self.steps * self.batch_size, self.batch_size):
            yield numbers[begin : begin + self.batch_size]

    def first_batch(self) -> tuple[Any, ...]:
        """Returns the first rows, as many as a batch has."""
        return keras.tree.map_structure(lambda each: each[: self.batch_size], self.tensors)

    def numbers(self) -> Any:
        """Returns the row numbers of the pass that starts now in their order, int32 (rows,)."""
        if self._order is None:
            return self._as_they_are
        return tf.constant(self._order.start_permutation(self.rows), tf.int32)

    def places(self, every: int) -> tf.data.Dataset:
        """Returns a dataset of the place of each `every`-th batch, see `step_at`.

        It says that it has one element for each batch, as the data it stands for would.
        """
        first = self.key * _STEPS
        places = tf.data.Dataset.range(first, first + self.steps, every)
        return _plain(places.apply(tf.data.experimental.assert_cardinality(self.steps)))

    def once(self) -> tf.data.Dataset:
        """Returns a dataset of one place, for a function that goes over all rows."""
        first = self.key * _STEPS
        return _plain(tf.data.Dataset.range(first, first + 1))


def step_at(place: int) -> int:
    """Returns the number of the batch at a place."""
    return place % _STEPS


def key_at(place: int) -> int:
    """Returns the `key` of the rows of a place."""
    return place // _STEPS


def _plain(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Returns a dataset whose iterators are made in 0.2 ms instead of 17."""
    options = tf.data.Options()
    options.experimental_optimization.apply_default_optimizations = False
    options.autotune.enabled = False
    return dataset.with_options(options)


def rows_of(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    batch_size: int | None = None,
    shuffle: bool = False,
    class_weight: Mapping[int, float] | None = None,
) -> Rows | None:
    """Returns the arguments of `fit` or `evaluate` as rows; None if they are not rows in memory."""
    if hasattr(x, "over"):  # a `kerasrecipes.data.Batches`
        if y is not None or sample_weight is not None:
            return None  # Keras says that they are not to be
        content, shape = x.tensors, (x.batch_size, x.order)
        dropped = {"drop_remainder": x.drop_remainder}
    else:
        content = _without_none(x, y, sample_weight)
        shape, dropped = (batch_size or 32, None), {}
    if content is None or not _is_in_memory(content):
        return None
    if class_weight:
        content = _weighted_by_class(content, class_weight)
        if content is None:
            return None
    if shuffle and not dropped:
        shape = (shape[0], EpochOrder(resolve_seed(None)))
    return Rows(content, *shape, **dropped)


_PER_LAYER = 4  # a block of ours is several layers
_BYTES = 2**26
"""Of activations of a batch in an evaluation whose size is left to us."""


def evaluation_size(model: keras.Model) -> int:
    """Returns how many rows to evaluate at a time where the caller leaves that open.

    It keeps the 32 rows of Keras where the loss or a metric may depend on how rows are parted into
    batches, and where rows are padded.
    """
    masked = (keras.layers.Masking, keras.layers.Embedding)
    if not model.evaluates_by_row() or find(model, masked):  # type: ignore[attr-defined]
        return 32
    sizes = [math.prod(each.shape[1:]) for each in _outputs(model) if None not in each.shape[1:]]
    return min(max(2 ** int(math.log2(_BYTES / (4 * _PER_LAYER * (1 + sum(sizes))))), 32), 1024)


def _outputs(model: keras.Model) -> list[Any]:
    return [each for layer in model.layers for each in keras.tree.flatten(layer.output)]


def split(content: tuple[Any, ...], share: float) -> tuple[Any, Any] | None:
    """Returns the first rows for training and the last for validation, as Keras parts them.

    None for what is not rows in memory, and where a part would be empty, which Keras refuses.
    """
    if not _is_in_memory(content):
        return None
    count = len(keras.tree.flatten(content)[0])
    at = math.floor(count * (1.0 - share))
    if not 0 < at < count:
        return None
    return (
        keras.tree.map_structure(lambda leaf: leaf[:at], content),
        keras.tree.map_structure(lambda leaf: leaf[at:], content),
    )


def _without_none(x: Any, y: Any, sample_weight: Any) -> tuple[Any, ...] | None:
    if x is None or (y is None and sample_weight is not None):
        return None
    return tuple(each for each in (x, y, sample_weight) if each is not None)


def _is_in_memory(content: Any) -> bool:
    """Returns whether all are dense numbers, of the same number of rows."""
    leaves = keras.tree.flatten(content)
    if not all(isinstance(leaf, (np.ndarray, tf.Tensor)) for leaf in leaves):
        return False
    if any(leaf.ndim == 0 or np.dtype(_numpy_dtype(leaf)).kind not in "biuf" for leaf in leaves):
        return False
    counts = {len(leaf) for leaf in leaves}
    return len(counts) == 1 and 0 not in counts


def _numpy_dtype(leaf: Any) -> Any:
    return leaf.dtype if isinstance(leaf, np.ndarray) else leaf.dtype.as_numpy_dtype


def _tensor(leaf: Any) -> Any:
    """Returns a tensor, of floats in Keras's default float, as `fit` takes them."""
    tensor = tf.convert_to_tensor(leaf)
    return tf.cast(tensor, keras.config.floatx()) if tensor.dtype.is_floating else tensor


def _weighted_by_class(
    content: tuple[Any, ...], class_weight: Mapping[int, float]
) -> tuple[Any, ...] | None:
    """Returns rows with the weight of their class; None where Keras has a rule of its own."""
    if len(content) != 2 or isinstance(content[1], (dict, list, tuple)):
        return None
    labels = np.asarray(content[1])
    if labels.ndim > 2:
        return None
    one_hot = labels.ndim == 2 and labels.shape[1] > 1
    classes = labels.argmax(axis=1) if one_hot else np.round(labels.reshape(-1))
    weights = np.ones(len(classes), keras.config.floatx())
    for number, weight in class_weight.items():
        weights[classes == number] = weight
    return (*content, weights)
