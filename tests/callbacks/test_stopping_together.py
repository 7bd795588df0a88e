"""Interrupt and TimeBudget on several workers: all stop at the same batch."""

import json

import pytest

from tests.workers import Workers

TOGETHER = """
import signal

strategy = kr.distribute.strategy(verbose=False)
x = np.random.default_rng(0).normal(size=(1600, 3)).astype("float32")

class Places(keras.callbacks.Callback):
    def __init__(self, number=None, worker=None, epoch=1, batch=5):
        super().__init__()
        self.send = number if worker == index else None
        self.at, self.place = (epoch, batch), None

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        self.place = self.epoch, batch
        if self.send is not None and self.place == self.at:
            signal.raise_signal(self.send)

def train(*callbacks, epochs=50):
    with strategy.scope():
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
    fitted = model.fit(
        x, x[:, :1], batch_size=16, epochs=epochs, verbose=0, shuffle=False,
        validation_data=(x[:32], x[:32, :1]), callbacks=list(callbacks),
    )
    return len(fitted.epoch), int(model.optimizer.iterations.numpy()), callbacks[0].interrupted

found, failed = {}, None
for name, worker in (("chief", 0), ("other", 1)):
    places = Places(signal.SIGINT, worker)
    found[name] = *train(kr.callbacks.Interrupt(), places), places.place
places = Places(signal.SIGINT, 0, 1, 99)
found["last batch"] = *train(kr.callbacks.Interrupt(), places), places.place
found["no signal"] = train(kr.callbacks.Interrupt(), Places(), epochs=2)

class Clock:
    now = 0.0
    def monotonic(self):
        return Clock.now

from kerasrecipes.callbacks import _agreement, time_budget
time_budget.time = _agreement.time = Clock()

class Tick(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        Clock.now += 1

for name, seconds in (("within", (1e9, 60.0)), ("between", (150.0, 1e9))):
    Clock.now, places = 0.0, Places()
    found[name] = *train(kr.callbacks.TimeBudget(seconds[index]), Tick(), places), places.place
report(found=found)

places = Places(signal.SIGTERM, 1)
try:
    train(kr.callbacks.Interrupt(), places)
finally:
    say(f"ended at {places.place}")
"""


@pytest.mark.multi_device
@pytest.mark.slow
def test_all_workers_stop_at_the_same_batch():
    with Workers(TOGETHER) as cluster:
        assert cluster.codes(timeout=180) == [143, 143], cluster.output(0, "err")[-4000:]
        one, two = (cluster.output(index) for index in (0, 1))
    assert one == two
    report = next(line for line in one.splitlines() if line.startswith("REPORT "))
    found = json.loads(report.removeprefix("REPORT "))["found"]
    for name in ("chief", "other"):
        epochs, batches, interrupted, (epoch, batch) = found[name]
        assert interrupted
        assert (epochs, epoch) == (2, 1)
        assert 5 < batch <= 5 + 64
        assert batches == 100 + batch + 1
    assert found["last batch"] == [2, 200, True, [1, 99]]
    assert found["no signal"] == [2, 200, False]
    assert found["between"] == [1, 100, True, [0, 99]]
    epochs, batches, interrupted, (epoch, batch) = found["within"]
    assert (epochs, interrupted, epoch) == (1, True, 0)
    assert 40 < batch < 60
    assert batches == batch + 1
