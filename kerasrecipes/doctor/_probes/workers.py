"""D1, D9 and D10: two worker processes on this host, each of which runs these."""

import functools
import pathlib
import tempfile
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasrecipes.doctor._probes.seen import Seen
from kerasrecipes.doctor._probes.toys import first_line, linear_model


@functools.cache
def strategy() -> Any:
    """Returns the strategy of the cluster that TF_CONFIG describes."""
    return tf.distribute.MultiWorkerMirroredStrategy()


def fit(adapt: Callable[[Any], Any] | None = None) -> Seen:
    """An epoch of a linear model.

    Args:
        adapt: Called with the strategy before.
    """
    trained_on = strategy() if adapt is None else adapt(strategy())
    x = np.ones((16, 3), "float32")
    try:
        with trained_on.scope():
            model = linear_model()
        loss = model.fit(x, x[:, :1], batch_size=8, verbose=0).history["loss"][0]
    except Exception as error:
        return Seen(True, f"fit on two workers: {first_line(error)}")
    return Seen(not np.isfinite(loss), f"fit on two workers: loss {loss:.3g}")


def shared_file(checkpoint: Any = keras.callbacks.ModelCheckpoint) -> Seen:
    """Whether a worker that is not the chief writes the file that all were told to write."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "model.keras")
        callback = checkpoint(path)
        callback.set_model(linear_model())
        callback.on_epoch_end(0, {"loss": 1.0})
        wrote = path.exists()
    number = strategy().cluster_resolver.task_id
    who = f"worker {number}, {'the chief' if number == 0 else 'not the chief'},"
    return Seen(bool(wrote and number), f"{who} {'writes' if wrote else 'leaves'} the common file")


def file_shards(policy: str = "AUTO") -> Seen:
    """Two files, of six rows and of two, in batches of four."""
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for name, rows in (("a", 6), ("b", 2)):
            files.append(str(pathlib.Path(folder, name)))
            pathlib.Path(files[-1]).write_text("row\n" * rows)
        options = tf.data.Options()
        options.experimental_distribute.auto_shard_policy = getattr(
            tf.data.experimental.AutoShardPolicy, policy
        )
        lines = tf.data.TextLineDataset(files).batch(4).with_options(options)
        shares = strategy().experimental_distribute_dataset(lines)
        read = [int(tf.size(strategy().experimental_local_results(part)[0])) for part in shares]
    return Seen(
        read != [2, 2],
        f"batches of 4 from files of 6 and 2 rows: a worker reads {read}, not [2, 2]",
    )
