"""R3, R6 and F2: files of models."""

import pathlib
import tempfile
import warnings
from collections.abc import Callable
from typing import Any

import keras

from kerasrecipes.doctor._probes.seen import Seen
from kerasrecipes.doctor._probes.toys import X, Y, first_line, linear_model


def saved_in_place(checkpoint: Any = keras.callbacks.ModelCheckpoint) -> Seen:
    """Saves twice: a file that is replaced as a whole is another file afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "model.keras")
        callback = checkpoint(path)
        callback.set_model(linear_model())
        numbers = []
        for epoch in range(2):
            callback.on_epoch_end(epoch, {"loss": 1.0})
            numbers.append(path.stat().st_ino)
    same = numbers[0] == numbers[1]
    return Seen(
        same,
        "the second save overwrote the only file: a kill meanwhile leaves none"
        if same
        else "the second save replaced the file of the first as a whole",
    )


class _Custom(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step: Any) -> Any:
        return 0.1 / (1.0 + keras.ops.cast(step, "float32"))


def custom_schedule(schedule: Callable[[], Any] = _Custom) -> Seen:
    """Trains with a schedule, saves, and loads."""
    model = linear_model(keras.optimizers.SGD(schedule()))
    model.fit(X, Y, verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "model.keras")
        try:
            model.save(path)
            keras.saving.load_model(path)
        except Exception as error:
            return Seen(True, f"saved after the fit: {first_line(error)}")
    return Seen(False, "a model with that schedule is saved and loaded")


def _adam_model() -> keras.Model:
    return linear_model("adam")


def untrained(model: Callable[[], Any] = _adam_model) -> Seen:
    """Saves a model before its first update, and loads it."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        path = pathlib.Path(folder, "model.keras")
        model().save(path)
        keras.saving.load_model(path)
    said = [str(each.message) for each in caught if "optimizer" in str(each.message)]
    return Seen(
        bool(said), f"loading warns: {said[0][:100]}" if said else "loading warns of nothing"
    )
