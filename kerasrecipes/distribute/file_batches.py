"""FileBatches."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kerasrecipes import _workers
from kerasrecipes._checks import InputError, check_int, fail
from kerasrecipes._export import export
from kerasrecipes.distribute._tensorflow import tensorflow
from kerasrecipes.distribute.even_batches import EvenBatches


@export("distribute", saved=False)
class FileBatches(EvenBatches):
    """Batches of files, of which every host reads its own where there are enough.

    With at least as many files as hosts, host k of K reads every K-th of the sorted files from the
    k-th on, and gives `batch_size` / K rows to each batch. All hosts make as many steps as the one
    with the fewest rows; what is left over on the others is not used in this epoch. With fewer
    files than hosts each reads all of them and keeps its part of every batch, as `EvenBatches`.

    Args:
        files: Paths; all hosts must have the same list.
        read: Function from a list of paths to a `tf.data.Dataset` of rows `(x, y)` or
            `(x, y, sample_weight)`, which shuffles them if they are to be shuffled.
        strategy: A `tf.distribute.Strategy`.
        batch_size: Rows in a batch, over all replicas; a multiple of their number. Defaults to 32.
        steps: Batches in an epoch. Defaults to None: counted, for which the files are read once
            where the dataset does not know its length.
        class_weight: As for `EvenBatches`.

    Attributes:
        files: The files that this host reads.

    Raises: InputError for a batch size that cannot be divided, or a host without a whole batch.

    Example:
    >>> import tensorflow as tf
    >>> def read(files):
    ...     rows = tf.data.Dataset.from_tensor_slices(files)
    ...     return rows.map(lambda file: (tf.strings.length(file), 1))
    >>> data = FileBatches(["b.csv", "a.csv"], read, tf.distribute.get_strategy(), batch_size=2)
    >>> data.files, data.num_batches
    (['a.csv', 'b.csv'], 1)
    """

    def __init__(
        self,
        files: Sequence[str | Path],
        read: Callable[[list[str]], Any],
        strategy: Any,
        *,
        batch_size: int = 32,
        steps: int | None = None,
        class_weight: Mapping[int, float] | None = None,
    ) -> None:
        names = sorted(map(str, files))
        if not names:
            fail("files", "at least one path", files)
        batch_size = check_int("batch_size", batch_size, low=1)
        workers = _workers.several(strategy)
        hosts, host = _workers.place(workers)
        self._own = len(names) >= hosts > 1
        self.files = names[host::hosts] if self._own else names
        share = batch_size // hosts if self._own else batch_size
        if self._own and batch_size % strategy.num_replicas_in_sync:
            replicas = strategy.num_replicas_in_sync
            fail("batch_size", f"a multiple of the {replicas} replicas", batch_size)
        dataset = read(self.files).batch(share, drop_remainder=True)
        count = _count(dataset) if steps is None else check_int("steps", steps, low=1)
        count = _workers.least(workers, count)
        if count == 0:
            raise InputError(
                f"`files` must hold at least {share} rows for each of the {hosts} hosts, a batch. "
                "Give a smaller `batch_size`, or files of more equal length."
            )
        known = tensorflow().data.experimental.assert_cardinality(count)
        super().__init__(dataset.take(count).apply(known), strategy, class_weight=class_weight)

    def _sources(self, strategy: Any) -> int:
        return _workers.place(_workers.several(strategy))[0] if self._own else 1

    def _place(self, context: Any) -> tuple[int, int]:
        if not self._own:
            return super()._place(context)
        return self._replicas // context.num_input_pipelines, 0


def _count(dataset: Any) -> int:
    known = int(dataset.cardinality())
    if known == -1:
        fail("files", "data with an end", "a dataset that repeats for ever", "Give `steps`.")
    return known if known >= 0 else int(dataset.reduce(0, lambda count, *_: count + 1))
