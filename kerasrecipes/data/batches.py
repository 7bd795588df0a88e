"""Batches whose order is new in each epoch and depends on (seed, epoch) only."""

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from kerasrecipes._arrays import as_arrays, as_columns, count_rows, is_mixed_table, is_pandas
from kerasrecipes._checks import InputError, check_int, fail
from kerasrecipes._epoch_order import EpochOrder, resolve_seed
from kerasrecipes._export import export
from kerasrecipes._fingerprint import fingerprint

BUFFER_SIZE = 10_000


class Batches(tf.data.Dataset):
    """A `tf.data.Dataset` of batches that knows its seed and its next epoch; made by `batches`.

    Attributes:
        seed: The seed of the shuffle, int; None if not shuffled.
        rows: Rows in the data, int; None if a `tf.data.Dataset` came that does not know.
        batch_size: Rows in a full batch.
        order: What counts the passes; None if not shuffled.
        drop_remainder: Whether the last, smaller batch is left out.
        tensors: The rows as tensors, a tuple; None if a `tf.data.Dataset` came.

    Example:
    >>> data = batches([[0.0], [1.0], [2.0]], batch_size=2, seed=3, drop_remainder=True)
    >>> len(data), data.rows, data.dropped, data.seed, data.epoch
    (1, 3, 1, 3, 0)
    """

    def __init__(
        self,
        dataset: tf.data.Dataset,
        order: EpochOrder | None,
        *,
        rows: int | None,
        batch_size: int,
        content: Any = None,
        tensors: Any = None,
        drop_remainder: bool = False,
    ) -> None:
        self._dataset = dataset
        self.order = order
        self._content = content
        self.tensors = tensors
        self.drop_remainder = drop_remainder
        self._table: Any = None
        self.seed = None if order is None else order.seed
        self.rows = rows
        self.batch_size = batch_size
        variant = tf.data.experimental.to_variant(dataset)
        super().__init__(variant)  # pyright: ignore[reportCallIssue]

    @property
    def epoch(self) -> int:
        """The epoch whose order the next pass takes; settable. Always 0 if not shuffled."""
        return 0 if self.order is None else self.order.epoch

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        if self.order is not None:
            self.order.epoch = epoch

    @property
    def inputs(self) -> Any:
        """All rows of x as they were given; None for a `tf.data.Dataset`."""
        if self._table is not None:
            return self._table
        return None if self._content is None else self._content[0]

    @property
    def labels(self) -> Any:
        """All labels as an array; None for a `tf.data.Dataset`, and where there are none."""
        return None if self._content is None or len(self._content) < 2 else self._content[1]

    def over(self, x: Any, y: Any = None) -> "Batches":
        """Returns batches of other inputs, in the order of these.

        Both count their epochs together. This is how raw rows become encoded ones.

        Args:
            x: Inputs in the order of the rows that were given to `batches`, as for it.
            y: Labels, as `x`. Defaults to None, the labels of these batches.

        Raises: InputError if the number of rows differs, or these come from a `tf.data.Dataset`.
        """
        if self._content is None:
            fail("x", "left alone for batches of a tf.data.Dataset", type(x).__name__)
        x = as_arrays("x", x)
        rest = self._content[1:] if y is None else (as_arrays("y", y), *self._content[2:])
        count_rows(x=x, old_x=self._content[0], y=rest)
        content = (x, *rest)
        return _from_arrays(content, self.order, self.batch_size, self.drop_remainder)

    def reseed(self, seed: int) -> None:
        """Sets the seed of the shuffle; does nothing if the rows are not shuffled."""
        if self.order is not None:
            self.order.seed = self.seed = check_int("seed", seed, low=0)

    @property
    def dropped(self) -> int | None:
        """Rows that `drop_remainder` leaves out of each epoch; None if `rows` is None."""
        if self.rows is None:
            return None
        return max(0, self.rows - len(self) * self.batch_size)

    def identity(self) -> dict[str, Any]:
        """Returns what tells this data from other data, as JSON values, for `Checkpoint`.

        The hash of the rows is None for a `tf.data.Dataset`, which would have to be read.
        """
        digest = None if self._content is None else fingerprint(self._content)
        return {
            "rows": self.rows,
            "batch_size": self.batch_size,
            "seed": self.seed,
            "sha256": digest,
        }

    @property
    def element_spec(self) -> Any:
        """Shapes and dtypes of a batch."""
        return self._dataset.element_spec

    def _inputs(self) -> list[tf.data.Dataset]:
        return [self._dataset]


@export("data", saved=False)
def batches(
    x: Any,
    y: Any = None,
    *,
    batch_size: int = 32,
    seed: int | None = None,
    shuffle: bool = True,
    sample_weight: Any = None,
    drop_remainder: bool = False,
    buffer_size: int | None = None,
) -> Batches:
    """Returns batches for `fit`, `evaluate` and `predict`, in a new order in each epoch.

    `fit(x, y)` of Keras repeats one order in every epoch once a global seed is set. Here the
    order of epoch k is `permutation(rows, seed=seed, epoch=k)`, a pure function of both. Each
    pass over the dataset takes the next epoch, from 0. The callbacks of this package set it to
    the epoch that `fit` is in (see `begin_epoch`), so that `fit(initial_epoch=k)` goes on in the
    order of the run that was interrupted. Without them, set `dataset.epoch = k` beforehand.

    Whole batches are gathered by index from memory, as fast as `fit(x, y)` does it. On several
    replicas and hosts `fit` of a recipe model shares each batch out in equal parts
    (`kerasrecipes.distribute.EvenBatches`), with the chief's seed; give that to a plain model.
    The number of batches is known (`len(dataset)`), so leave out `steps_per_epoch`, and do not
    add `.repeat()`, which would read ahead into the next epoch.

    A `tf.data.Dataset` of single rows is shuffled through a buffer whose seed is a pure function
    of (seed, epoch) too. That order repeats exactly if the dataset itself yields its rows in the
    same order each time; it is a full shuffle only if the buffer holds all rows.

    Args:
        x: Inputs: an array, DataFrame, list of texts, or a dict or tuple of these; or a
            `tf.data.Dataset` of rows `x`, `(x, y)` or `(x, y, sample_weight)`. A DataFrame with
            columns of strings is for `kerasrecipes.recipes.tabular`; its batches are dicts of
            columns, with "" for missing strings.
        y: Labels, as `x`. Defaults to None.
        batch_size: Rows in a batch, int >= 1. Defaults to 32.
        seed: Integer >= 0. None draws one from Python's `random`, which
            `keras.utils.set_random_seed` sets; it is kept as `dataset.seed`. Defaults to None.
        shuffle: Whether to shuffle; False keeps the order of the rows. Defaults to True.
        sample_weight: One weight per row. Defaults to None.
        drop_remainder: Whether to leave out the last, smaller batch (other rows in each epoch,
            `dataset.dropped` of them). Defaults to False.
        buffer_size: Rows in the shuffle buffer, for a `tf.data.Dataset` only. Defaults to all
            rows if their number is known, else 10,000.

    Returns: A `Batches`, which is a `tf.data.Dataset` of `(x,)`, `(x, y)` or
        `(x, y, sample_weight)`; floats in Keras' default float, other dtypes as they came.

    Raises: InputError if lengths differ, if x holds neither numbers nor texts, or if no batch
        is left.

    Example:
    >>> data = batches([[0.0], [1.0], [2.0], [3.0]], batch_size=4, seed=0)
    >>> [next(iter(data))[0].numpy().ravel().tolist() for epoch in range(2)]
    [[3.0, 2.0, 1.0, 0.0], [1.0, 2.0, 0.0, 3.0]]
    >>> data.epoch = 0
    >>> next(iter(data))[0].numpy().ravel().tolist()
    [3.0, 2.0, 1.0, 0.0]
    """
    batch_size = check_int("batch_size", batch_size, low=1)
    order = EpochOrder(resolve_seed(seed)) if shuffle else None
    if isinstance(x, tf.data.Dataset):
        if y is not None or sample_weight is not None:
            raise InputError(
                "`y` and `sample_weight` must be left out for a tf.data.Dataset. Let it yield "
                "(x, y) or (x, y, sample_weight)."
            )
        return _from_dataset(x, order, batch_size, drop_remainder, buffer_size)
    if buffer_size is not None:
        fail("buffer_size", "left out for arrays, which are shuffled as a whole", buffer_size)
    made = _from_arrays(_pack(x, y, sample_weight), order, batch_size, drop_remainder)
    made._table = x if is_pandas(x) and x.ndim == 2 else None
    return made


def _pack(x: Any, y: Any, sample_weight: Any) -> tuple[Any, ...]:
    if y is None and sample_weight is not None:
        fail("sample_weight", "left out without `y`", "an array")
    named = {"x": x, "y": y, "sample_weight": sample_weight}
    if is_mixed_table(x):
        named["x"] = as_columns(x)
    arrays = {name: as_arrays(name, value) for name, value in named.items() if value is not None}
    count_rows(**arrays)
    return tuple(arrays.values())


def _from_arrays(
    data: tuple[Any, ...], order: EpochOrder | None, batch_size: int, drop_remainder: bool
) -> Batches:
    rows = len(tf.nest.flatten(data)[0])
    steps = rows // batch_size if drop_remainder else -(-rows // batch_size)
    if steps == 0:
        fail("batch_size", f"at most {rows} (all rows) with drop_remainder=True", batch_size)
    full = drop_remainder or rows % batch_size == 0
    with tf.device("CPU:0"):
        tensors = tf.nest.map_structure(tf.convert_to_tensor, data)

    def gather(index: Any) -> Any:
        index = tf.ensure_shape(index, [batch_size if full else None])
        return tf.nest.map_structure(lambda tensor: tf.gather(tensor, index), tensors)

    dataset = tf.data.Dataset.range(1).flat_map(_batches_of_rows(rows, steps, batch_size, order))
    dataset = dataset.map(gather, num_parallel_calls=tf.data.AUTOTUNE)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(steps))
    known = {"rows": rows, "batch_size": batch_size, "drop_remainder": drop_remainder}
    return _finish(dataset, order, **known, content=data, tensors=tensors)


def _batches_of_rows(
    rows: int, steps: int, batch_size: int, order: EpochOrder | None
) -> Callable[[Any], tf.data.Dataset]:
    """Returns the function from anything to the row numbers of each batch of a new pass."""

    def passed(_: Any) -> tf.data.Dataset:
        if order is None:
            whole = tf.range(rows, dtype=tf.int64)
        else:
            start = functools.partial(order.start_permutation, rows)
            whole = tf.ensure_shape(tf.numpy_function(start, [], tf.int64), [rows])
        starts = tf.data.Dataset.range(0, steps * batch_size, batch_size)
        return starts.map(lambda i: whole[i : tf.minimum(i + batch_size, rows)])

    return passed


def _from_dataset(
    source: tf.data.Dataset,
    order: EpochOrder | None,
    batch_size: int,
    drop_remainder: bool,
    buffer_size: int | None,
) -> Batches:
    if buffer_size is not None:
        check_int("buffer_size", buffer_size, low=1)
    cardinality = int(source.cardinality())
    if cardinality == tf.data.INFINITE_CARDINALITY:
        fail("x", "a dataset with an end", "one that repeats for ever", "Remove `.repeat()`.")
    rows = cardinality if cardinality >= 0 else None
    if rows is not None and (rows == 0 or (drop_remainder and rows < batch_size)):
        fail("x", "a dataset with at least one batch", f"{rows} row(s)")
    dataset = source
    if order is not None:
        dataset = _shuffled(source, order, buffer_size or rows or BUFFER_SIZE)
        if rows is not None:
            dataset = dataset.apply(tf.data.experimental.assert_cardinality(rows))
    dataset = dataset.batch(batch_size, drop_remainder=drop_remainder)
    return _finish(dataset, order, rows=rows, batch_size=batch_size)


def _shuffled(source: tf.data.Dataset, order: EpochOrder, buffer_size: int) -> tf.data.Dataset:
    def passed(_: Any) -> tf.data.Dataset:
        # Of this function's graph only: `shuffle` would mix TensorFlow's global seed in.
        tf.random.set_seed(1)
        seed = tf.ensure_shape(tf.numpy_function(order.start_seed, [], tf.int64), [])
        return source.shuffle(buffer_size, seed=seed, reshuffle_each_iteration=False)

    return tf.data.Dataset.range(1).flat_map(passed)


def _finish(dataset: tf.data.Dataset, order: EpochOrder | None, **known: Any) -> Batches:
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    options.experimental_external_state_policy = tf.data.experimental.ExternalStatePolicy.IGNORE
    # Rewriting the pipeline's graph costs more per epoch than it gains for so short a one.
    options.experimental_optimization.apply_default_optimizations = False
    dataset = dataset.with_options(options).prefetch(tf.data.AUTOTUNE)
    return Batches(dataset, order, **known)
