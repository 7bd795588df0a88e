"""A process that trains on batches of the sizes it is told, until one of them ends it.

`python -m kerasrecipes.finders._probe FOLDER` reads a line of JSON for each size and answers with
one; see `_prober.py`, which starts it.
"""

import contextlib
import gc
import importlib
import json
import math
import os
import pathlib
import pickle
import re
import sys
import time
import traceback
from typing import IO, Any

import keras
import tensorflow as tf

from kerasrecipes.callbacks.bind_schedule import BindSchedule

MODEL, BATCH, IMPORTS = "model.keras", "batch.pickle", "imports.json"
_MOST_STEPS = 1000
_LEAST_STEPS = 3
_LONGEST = 200


class _Clock(keras.callbacks.Callback):
    """Notes when each batch ends, and the epoch, by when the device is done too."""

    def on_train_begin(self, logs: Any = None) -> None:
        self.times: list[float] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.times.append(time.perf_counter())

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.times[-1] = time.perf_counter()

    def seconds(self) -> float:
        """Returns the mean time of a step, without the first."""
        return (self.times[-1] - self.times[0]) / (len(self.times) - 1)


def main(folder: pathlib.Path, requests: IO[str], answers: IO[str]) -> None:
    """Serves until nobody asks any more."""
    _offer_to_the_oom_killer()
    try:
        for name in json.loads((folder / IMPORTS).read_text()):
            importlib.import_module(name)
        model = keras.saving.load_model(folder / MODEL)
    except (ImportError, TypeError, ValueError, NotImplementedError) as error:
        _say(answers, {"not_loaded": _why_not_loaded(error)})
        return
    batch = pickle.loads((folder / BATCH).read_bytes())
    _say(answers, {"ready": True, "memory": _peak()})
    for line in requests:
        asked = json.loads(line)
        try:
            _say(answers, _train(model, batch, asked["batch_size"], asked["seconds"]))
        except (tf.errors.ResourceExhaustedError, MemoryError) as error:
            _say(answers, {"no_memory": _what_lacked(error)})
            return
        gc.collect()


def _why_not_loaded(error: Exception) -> str:
    """Returns what an error says, without the configuration that Keras lets follow."""
    said = str(error).rpartition("Exception encountered: ")[2]
    return f"{type(error).__name__}: {said.partition(' Full object config')[0]}"


def _what_lacked(error: Exception) -> str:
    """Returns the line of an error that tells of memory."""
    telling = re.search(
        r".*(OOM when|MemoryError:|[Oo]ut of memory|[Ff]ailed to alloc).*", str(error)
    )
    return telling[0].strip()[:_LONGEST] if telling else "memory ran out"


def _train(model: Any, batch: Any, batch_size: int, seconds: float) -> dict[str, float]:
    _forget_peak()
    data, clock = _batches(batch, batch_size), _Clock()

    def fit(steps: int) -> None:
        callbacks = [clock, BindSchedule()]
        model.fit(
            data, epochs=1, steps_per_epoch=steps, shuffle=False, verbose=0, callbacks=callbacks
        )

    fit(_LEAST_STEPS)
    fit(min(_MOST_STEPS, max(_LEAST_STEPS, math.ceil(seconds / clock.seconds()))))
    return {"seconds_per_step": clock.seconds(), "memory": _peak()}


def _batches(batch: Any, batch_size: int) -> tf.data.Dataset:
    """Returns batches of the rows of one, over and over, without end, gathered as in training."""
    rows = len(keras.tree.flatten(batch)[0])
    tensors = keras.tree.map_structure(tf.constant, batch)

    def gather(size: Any) -> Any:
        index = tf.range(size) % rows
        return keras.tree.map_structure(lambda tensor: tf.gather(tensor, index), tensors)

    sizes = tf.data.Dataset.from_tensors(batch_size).repeat()
    return sizes.map(gather, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def _peak() -> int:
    """Returns the most memory of the device since `_forget_peak`, in bytes, 0 if unknown."""
    if tf.config.list_logical_devices("GPU"):
        return int(tf.config.experimental.get_memory_info("GPU:0")["peak"])
    with contextlib.suppress(OSError, StopIteration):
        status = pathlib.Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) * 1024
    import resource

    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)  # macOS: bytes


def _forget_peak() -> None:
    if tf.config.list_logical_devices("GPU"):
        tf.config.experimental.reset_memory_stats("GPU:0")
        return
    with contextlib.suppress(OSError):
        pathlib.Path("/proc/self/clear_refs").write_text("5")


def _offer_to_the_oom_killer() -> None:
    """Has Linux end this process first when memory runs out."""
    with contextlib.suppress(OSError):
        pathlib.Path("/proc/self/oom_score_adj").write_text("1000")


def _say(answers: IO[str], answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


if __name__ == "__main__":
    # What libraries print goes to standard error, so that answers stand alone.
    _answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    try:
        main(pathlib.Path(sys.argv[1]), sys.stdin, _answers)
    except Exception:
        _say(_answers, {"error": traceback.format_exc()})
