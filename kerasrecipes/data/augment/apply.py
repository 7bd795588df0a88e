"""Augmenting a dataset of batches so that a resumed run sees what the first one would have."""

import contextlib
import inspect
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras
import tensorflow as tf

from kerasrecipes._checks import InputError, check_int, fail
from kerasrecipes._epoch_order import EpochOrder, resolve_seed
from kerasrecipes._export import export
from kerasrecipes._find import find
from kerasrecipes.data.augment.batch_step import BatchStep
from kerasrecipes.data.batches import Batches


class Augmented(Batches):
    """A `tf.data.Dataset` of augmented batches; made by `apply`.

    Attributes:
        seed: The seed of the augmentation, int.
        rows: Rows in the data, int; None if the dataset that came does not know.
        batch_size: Rows in a full batch; None if the dataset that came does not know.

    Example:
    >>> import kerasrecipes as kr
    >>> data = kr.data.batches([[0.0], [1.0]], [0, 1], batch_size=2, seed=3)
    >>> data = apply(data, kr.data.augment.MixUp(classes=2), seed=4)
    >>> len(data), data.rows, data.seed, data.epoch
    (1, 2, 4, 0)
    """

    def __init__(self, dataset: tf.data.Dataset, order: EpochOrder, source: Any) -> None:
        rows = getattr(source, "rows", None)
        super().__init__(dataset, order, rows=rows, batch_size=getattr(source, "batch_size", None))  # type: ignore[arg-type]
        self._source = source

    @property
    def epoch(self) -> int:
        """The epoch of the next pass; settable, with the order of the rows."""
        return self.order.epoch  # type: ignore[union-attr]

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        self.order.epoch = epoch  # type: ignore[union-attr]
        if hasattr(self._source, "epoch"):
            self._source.epoch = epoch

    def identity(self) -> dict[str, Any]:
        """Returns what tells this data from other data, as JSON values, for `Checkpoint`."""
        source = self._source.identity() if hasattr(self._source, "identity") else None
        return {"seed": self.seed, "source": source}


@export("augment", saved=False)
def apply(
    dataset: tf.data.Dataset,
    *steps: Any,
    seed: int | None = None,
    num_parallel_calls: int | None = None,
) -> Augmented:
    """Returns a dataset of batches with the steps applied to each, in their order.

    What is drawn for batch i of epoch e is a pure function of (seed, e, i) and the place of the
    draw among the steps. It does not depend on the number of parallel calls, and is the same
    after a resume: each pass over the dataset takes the next epoch, and the callbacks of this
    package set it to the epoch that `fit` is in (see `kerasrecipes.data.begin_epoch`). The seeds
    that the steps were made with are not used.

    A layer changes the inputs only, with `training=True`; what it draws must come from a
    `keras.random.SeedGenerator` of its own, as it does in the layers of Keras. `MixUp`, `CutMix`
    and `LabelSmoothing` change the labels too. Use it on training batches only. It needs the
    TensorFlow backend of Keras; on the others, put the layers into the model.

    Args:
        dataset: Batches `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`, from
            `kerasrecipes.data.batches` or any other `tf.data.Dataset` that has an end.
        *steps: Keras layers and the steps of this package, one or more.
        seed: Integer >= 0. None draws one from Python's `random`, which
            `keras.utils.set_random_seed` sets; it is kept as `dataset.seed`. Defaults to None.
        num_parallel_calls: Batches to work on at a time, int >= 1, or None to let `tf.data`
            choose. Defaults to None.

    Returns: An `Augmented`, which is a `tf.data.Dataset` of as many batches.

    Raises: InputError for a dataset without end, or a step that does not fit its batches.

    Example:
    >>> import kerasrecipes as kr
    >>> data = kr.data.batches([[0.0], [1.0], [2.0]], [0, 1, 2], shuffle=False)
    >>> data = apply(data, kr.data.augment.MixUp(alpha=1.0, classes=3), seed=0)
    >>> first, second = (next(iter(data))[0].numpy().tolist() for epoch in range(2))
    >>> data.epoch = 1
    >>> first != second == next(iter(data))[0].numpy().tolist()
    True
    """
    _check(dataset, steps)
    if num_parallel_calls is not None:
        check_int("num_parallel_calls", num_parallel_calls, low=1)
    order = EpochOrder(resolve_seed(seed))
    numbered = tf.data.Dataset.zip((_seeds(order), dataset))
    augmented = numbered.map(
        _augmenter(steps),
        num_parallel_calls=num_parallel_calls or tf.data.AUTOTUNE,
        deterministic=True,
    )
    count = int(dataset.cardinality())
    if count >= 0:
        augmented = augmented.apply(tf.data.experimental.assert_cardinality(count))
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    options.experimental_external_state_policy = tf.data.experimental.ExternalStatePolicy.IGNORE
    return Augmented(augmented.with_options(options).prefetch(tf.data.AUTOTUNE), order, dataset)


def _check(dataset: Any, steps: tuple[Any, ...]) -> None:
    if keras.backend.backend() != "tensorflow":
        raise InputError(
            "`apply` needs the TensorFlow backend of Keras, since `tf.data` runs the steps. "
            f"Received: {keras.backend.backend()}. Put the layers into the model instead."
        )
    if not isinstance(dataset, tf.data.Dataset):
        remedy = "Make one with `kerasrecipes.data.batches(x, y)`."
        fail("dataset", "a `tf.data.Dataset` of batches", dataset, remedy)
    if int(dataset.cardinality()) == tf.data.INFINITE_CARDINALITY:
        fail("dataset", "one with an end", "one that repeats for ever", "Remove `.repeat()`.")
    if not steps:
        fail("steps", "one or more layers or steps", steps)
    for step in steps:
        if not isinstance(step, (BatchStep, keras.layers.Layer)):
            remedy = "Wrap a function in a layer, or use `dataset.map` for one that draws nothing."
            fail("steps", "Keras layers or steps of `kerasrecipes.data.augment`", step, remedy)


def _seeds(order: EpochOrder) -> tf.data.Dataset:
    """Returns without end the seed (2,) int64 of each batch of a new pass."""

    def passed(_: Any) -> tf.data.Dataset:
        seed = tf.ensure_shape(tf.numpy_function(order.start_seed, [], tf.int64), [])
        start = tf.stack([seed, tf.zeros_like(seed)])
        return tf.data.Dataset.range(2**62).map(lambda batch: tf.random.fold_in(start, batch))

    return tf.data.Dataset.range(1).flat_map(passed)


def _augmenter(steps: tuple[Any, ...]) -> Callable[..., Any]:
    """Returns the function from a seed and a batch to the augmented batch."""

    @tf.autograph.experimental.do_not_convert
    def augment(seed: Any, batch: Any) -> Any:
        bare = not isinstance(batch, tuple)
        parts: Any = (batch,) if bare else batch
        if len(parts) > 3:
            fail("dataset", "batches (x, y, sample_weight)", f"tuples of {len(parts)} parts")
        with _drawing_from(seed, _generators(steps)):
            for step in steps:
                parts = _after(step, parts)
        return parts[0] if bare else parts

    return augment


def _after(step: Any, parts: tuple[Any, ...]) -> tuple[Any, ...]:
    if isinstance(step, BatchStep):
        return step(*parts)
    if isinstance(parts[0], (dict, tuple)):
        fail("dataset", f"batches of one array x for the layer {step.name!r}", parts[0])
    takes = {"training": True} if "training" in inspect.signature(step.call).parameters else {}
    return (step(parts[0], **takes), *parts[1:])


def _generators(steps: Iterable[Any]) -> list[keras.random.SeedGenerator]:
    """Returns every seed generator inside the steps, at any depth."""
    inside = [list(vars(s).values()) if isinstance(s, BatchStep) else s for s in steps]
    return find(inside, keras.random.SeedGenerator)  # type: ignore[arg-type]


@contextlib.contextmanager
def _drawing_from(seed: Any, generators: list[keras.random.SeedGenerator]) -> Iterator[None]:
    """Within the context draws have seeds that follow from `seed` and their number only.

    `SeedGenerator` keeps a variable, which parallel calls read and write in any order. Not every
    layer of Keras passes a `seed` on that it is given, so the generators themselves are changed,
    while the function is traced.
    """
    count = itertools.count()

    def following(ordered: bool = True) -> Any:
        return tf.random.fold_in(seed, next(count))

    for generator in generators:
        generator.next = following
    try:
        yield
    finally:
        for generator in generators:
            del generator.next
