"""EvenBatches."""

import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras

from kerasrecipes import _keras_internals, _workers
from kerasrecipes._checks import InputError
from kerasrecipes._export import export
from kerasrecipes.distribute._tensorflow import tensorflow


@export("distribute", saved=False)
class EvenBatches(_keras_internals.data_adapter()):
    """Batches of a dataset, each divided into equal parts, one for every replica of a strategy.

    With N replicas, a batch of n rows becomes N parts of floor(n / N) rows, in their order; the
    n mod N rows at its end are left out, and a batch of fewer than N rows is left out as a whole.
    A loss is a mean over each part, and Keras takes the mean of those: over equal parts that is
    the mean over the batch, over others it is not. Every host reads all the data, in the same
    order, and keeps the parts of its own replicas.

    `fit` of a recipe model on several replicas makes this of its data. With a plain Keras model,
    give it to `fit` yourself; `validation_data` needs nothing of the kind.

    Args:
        dataset: A `tf.data.Dataset` of batches of known size, such as that of
            `kerasrecipes.data.batches`. All hosts must have the same; they take the chief's seed.
        strategy: A `tf.distribute.Strategy`.
        class_weight: Dict from classes, which are the labels, to weights of their rows, 1 for
            others; as for `fit`, which does not take it with such data. Defaults to None.

    Attributes:
        dataset: The dataset.
        dropped: Rows that an epoch leaves out, or None if their number is not known.

    Raises: InputError if the batch size is not a multiple of the number of replicas, or there are
        fewer rows than replicas. A warning says how many rows are left out.

    Example:
    >>> import tensorflow as tf
    >>> import kerasrecipes as kr
    >>> data = kr.data.batches(list(range(7)), batch_size=4, shuffle=False)
    >>> even = EvenBatches(data, tf.distribute.get_strategy())
    >>> even.num_batches, [batch[0].shape[0] for batch in even]
    (2, [4, 3])
    """

    def __init__(
        self,
        dataset: Any,
        strategy: Any,
        *,
        class_weight: Mapping[int, float] | None = None,
    ) -> None:
        self.dataset = dataset
        if hasattr(dataset, "reseed") and dataset.seed is not None:
            dataset.reseed(_workers.from_chief(_workers.several(strategy), dataset.seed))
        self._weigh = None if not class_weight else _weigher(class_weight)
        self._replicas = strategy.num_replicas_in_sync
        self._batch_size = _batch_size(dataset) * self._sources(strategy)
        if self._batch_size % self._replicas:
            raise InputError(
                f"`batch_size` must be a multiple of the {self._replicas} replicas, or else their "
                f"parts of a batch differ. Received: {self._batch_size}. Use "
                f"{_multiple(self._batch_size, self._replicas)}."
            )
        self._batches, self.dropped = self._count()
        if self.dropped:
            warnings.warn(
                f"{self.dropped} of the {dataset.rows} rows are left out of each epoch (other ones "
                f"in each, if they are shuffled), so that {self._replicas} replicas have equal "
                "parts of every batch.",
                stacklevel=2,
            )
        self._inner = strategy.distribute_datasets_from_function(self._parts)

    def _sources(self, strategy: Any) -> int:
        """Returns from how many hosts the rows of a batch come."""
        return 1

    def _count(self) -> tuple[int | None, int | None]:
        """Returns the batches of an epoch and the rows left out of it, where they are known."""
        rows = getattr(self.dataset, "rows", None)
        if rows is None or getattr(self.dataset, "dropped", 0):
            known = int(self.dataset.cardinality())
            return (known if known >= 0 else None), None
        if rows < self._replicas:
            raise InputError(
                f"`x` must have at least one row for each of the {self._replicas} replicas. "
                f"Received: {rows} row(s). Use fewer devices."
            )
        rest = rows % self._batch_size
        dropped = rest % self._replicas
        return rows // self._batch_size + (rest >= self._replicas), dropped

    def _parts(self, context: Any) -> Any:
        """Returns this host's parts of each batch, an element each."""
        tf = tensorflow()
        here = self._replicas // context.num_input_pipelines
        count, first = self._place(context)

        def part(tensor: Any, rows: Any) -> Any:
            """Returns the parts of this host, one after the other along a new first axis."""
            shape = tf.concat([[count, rows], tf.shape(tensor, tf.int64)[1:]], axis=0)
            parts = tf.reshape(tensor[: count * rows], shape)
            parts.set_shape([None, None, *tensor.shape[1:]])
            return parts[first : first + here * tf.cast(rows > 0, tf.int64)]

        def divide(*batch: Any) -> Any:
            rows = tf.shape(tf.nest.flatten(batch)[0], tf.int64)[0] // count
            parts = tf.nest.map_structure(lambda tensor: part(tensor, rows), batch)
            return tf.data.Dataset.from_tensor_slices(parts)

        dataset = self.dataset if self._weigh is None else self.dataset.map(self._weigh)
        return dataset.flat_map(divide).prefetch(tf.data.AUTOTUNE)

    def _place(self, context: Any) -> tuple[int, int]:
        """Returns how many parts a batch has, and which of them is the first of this host."""
        here = self._replicas // context.num_input_pipelines
        return self._replicas, here * context.input_pipeline_id

    def __iter__(self) -> Iterator[Any]:
        """Begins a new pass."""
        return iter(self._inner)

    @property
    def num_batches(self) -> int | None:
        """The batches of an epoch, None if unknown."""
        return self._batches

    @property
    def batch_size(self) -> int:
        """Rows in a full batch, over all replicas."""
        return self._batch_size

    @property
    def has_partial_batch(self) -> None:
        """Not told, as for a `tf.data.Dataset`."""
        return None

    @property
    def partial_batch_size(self) -> None:
        """Not told, as for a `tf.data.Dataset`."""
        return None

    def get_tf_dataset(self) -> Any:
        """Returns what `fit` iterates over: a `tf.distribute.DistributedDataset`."""
        return self._inner

    def identity(self) -> dict[str, Any] | None:
        """Returns what tells this data from other data, for `Checkpoint`; None if unknown."""
        identity = getattr(self.dataset, "identity", None)
        return None if identity is None else identity()


def _weigher(class_weight: Mapping[int, float]) -> Callable[..., Any]:
    """Returns the function that adds the weights of the rows to a batch of inputs and labels."""
    tf = tensorflow()
    count = max(class_weight) + 1
    table = tf.constant([class_weight.get(each, 1.0) for each in range(count)], "float32")

    def weigh(*batch: Any) -> Any:
        if len(batch) != 2 or tf.nest.is_nested(batch[1]):
            raise InputError(
                "`class_weight` is for data of inputs and one array of labels, without "
                "`sample_weight`. Give `sample_weight` for all else."
            )
        x, y = batch
        if y.shape.rank > 1 and y.shape[-1] != 1:
            classes = tf.argmax(y, axis=-1, output_type=tf.int32)
        else:
            classes = tf.cast(tf.round(tf.cast(tf.reshape(y, [-1]), "float32")), tf.int32)
        known = classes < count
        weights = tf.where(known, tf.gather(table, tf.where(known, classes, 0)), 1.0)
        return x, y, weights

    return weigh


def _batch_size(dataset: Any) -> int:
    known = getattr(dataset, "batch_size", None)
    first = keras.tree.flatten(dataset.element_spec)[0].shape
    if known is None and first.rank:
        known = first[0]
    if known is None:
        raise InputError(
            "`dataset` must have batches of known size, to be divided among replicas. Received: "
            f"{dataset.element_spec}. Use `kerasrecipes.data.batches`, or "
            "`.batch(batch_size, drop_remainder=True)`."
        )
    return known


def _multiple(batch_size: int, replicas: int) -> str:
    low = math.floor(batch_size / replicas) * replicas
    return f"{low + replicas}" if low == 0 else f"{low} or {low + replicas}"
