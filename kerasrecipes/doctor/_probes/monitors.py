"""C2, C3, C4 and C6: what callbacks make of the value that they monitor."""

from typing import Any

import keras

from kerasrecipes.doctor._probes.seen import Seen
from kerasrecipes.doctor._probes.toys import X, Y, first_line, linear_model, played, rates

NAN = float("nan")


def nan_stops(early_stopping: Any = keras.callbacks.EarlyStopping) -> Seen:
    """A NaN, then losses that fall."""
    losses = [NAN, 4.0, 3.0, 2.0, 1.0]
    passed, _ = played(early_stopping("val_loss", patience=2), losses)
    return Seen(
        passed < len(losses),
        f"a NaN, then falling losses: stopped after epoch {passed} of {len(losses)}",
    )


def nan_cuts(plateau: Any = keras.callbacks.ReduceLROnPlateau) -> Seen:
    """A NaN, then losses that fall."""
    losses = [NAN, 5.0, 4.0, 3.0, 2.0, 1.0]
    callback = plateau("val_loss", patience=2, factor=0.5, min_delta=0.0)
    rate = rates(keras.optimizers.SGD(0.1), losses, callback)[-1]
    return Seen(rate < 0.099, f"a NaN, then falling losses: rate {rate:.3g} instead of 0.1")


def direction(early_stopping: Any = keras.callbacks.EarlyStopping) -> Seen:
    """`mode="auto"` for a second AUC."""
    try:
        stopping = early_stopping("val_auc_1", patience=1)
        stopping.set_model(linear_model())
    except ValueError as error:
        return Seen(False, f"before training: {first_line(error)}")
    try:
        stopping.on_epoch_end(0, {"val_auc_1": 0.5})
    except ValueError as error:
        return Seen(True, f"after the first epoch: {first_line(error)}")
    return Seen(False, "val_auc_1 is followed")


def misspelt(early_stopping: Any = keras.callbacks.EarlyStopping) -> Seen:
    """A monitor that does not exist."""
    stopping = early_stopping("val_los", mode="min", patience=0)
    try:
        history = linear_model().fit(
            X, Y, validation_data=(X, Y), epochs=3, verbose=0, callbacks=[stopping]
        )
    except ValueError as error:
        return Seen(False, first_line(error))
    return Seen(True, f'monitor="val_los" let all {len(history.epoch)} epochs pass')


def late_start(early_stopping: Any = keras.callbacks.EarlyStopping) -> Seen:
    """`start_from_epoch` beyond the last epoch; the second epoch is the best."""
    stopping = early_stopping("val_loss", restore_best_weights=True, start_from_epoch=99)
    _, bias = played(stopping, [2.0, 1.0, 3.0])
    return Seen(
        bias != 1.0, f"start_from_epoch=99: the weights of epoch {bias + 1:.0f}, epoch 2 is best"
    )


class _CtrlC(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if epoch == 2:
            self.model.set_weights([weight * 0 + 9 for weight in self.model.get_weights()])
            raise KeyboardInterrupt


def ctrl_c(early_stopping: Any = keras.callbacks.EarlyStopping) -> Seen:
    """Bad weights, and an interrupt, in the third epoch."""
    model = linear_model()
    stopping = early_stopping(patience=9, restore_best_weights=True)
    try:
        model.fit(X, Y, validation_data=(X, Y), epochs=9, verbose=0, callbacks=[stopping, _CtrlC()])
    except KeyboardInterrupt:
        pass
    loss = float(model.evaluate(X, Y, verbose=0))
    best = float(stopping.best)
    return Seen(
        loss > 2 * best,
        f"after Ctrl-C the model has loss {loss:.3g}; the best epoch had {best:.3g}",
    )
