"""A training of several workers, whose first starts meet a fault each; see test_faults.py.

Arguments: a folder, and the faults, one for each start, as "SIGKILL:1" for a signal and a worker.
"""

import hashlib
import json
import os
import signal
import sys
import time
from pathlib import Path

import keras
import numpy as np

import kerasrecipes as kr

EPOCHS = 5


class Fault(keras.callbacks.Callback):
    """Sends this worker its signal in the middle of the second epoch of this start."""

    def __init__(self, out, index, fault):
        super().__init__()
        self.out, self.index, self.fault = out, index, fault
        self.epochs = 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epochs += 1

    def on_train_batch_end(self, batch, logs=None):
        name, _, worker = self.fault.partition(":")
        if name and (self.epochs, batch, self.index) == (2, 4, int(worker)):
            (self.out / f"fault-{self.fault}").write_text(json.dumps(time.time()))
            os.kill(os.getpid(), getattr(signal, name))


def train(out, index, fault, strategy):
    """Trains; returns all that the training ends with, as JSON values."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(240, 6)).astype("float32")
    y = (x[:, 0] * x[:, 1] > 0).astype("int32")
    model = kr.recipes.mlp(
        (6,),
        kr.targets.Binary(),
        hidden=(16,),
        dropout=0.3,
        learning_rate=0.02,
        schedule="cosine",
        seed=1,
        strategy=strategy,
    )
    callbacks = kr.callbacks.standard(
        checkpoint=out / "checkpoint", averaging="ema", patience=20, progress=False
    )
    fitted = model.fit(
        kr.data.batches(x[:160], y[:160], batch_size=16, seed=3),
        validation_data=(x[160:], y[160:]),
        epochs=EPOCHS,
        callbacks=[*callbacks, Fault(out, index, fault)],
        verbose=0,
    )
    digest = hashlib.sha256()
    for variable in [*model.variables, *model.optimizer.variables]:
        digest.update(np.ascontiguousarray(keras.ops.convert_to_numpy(variable)).tobytes())
    return {
        "weights": digest.hexdigest(),
        "history": fitted.history,
        "predicted": model.predict(x[:16], verbose=0).ravel().tolist(),
        "resumed": callbacks[0].resumed,
    }


def main():
    """Trains as the worker that TF_CONFIG says."""
    out, faults = Path(sys.argv[1]), sys.argv[2:]
    index = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
    start = len(list(out.glob(f"start-{index}-*")))
    (out / f"start-{index}-{start}").write_text(str(os.getpid()))
    keras.utils.set_random_seed(11)
    strategy = kr.distribute.strategy("multi_worker", timeout=60, verbose=False)
    fault = faults[start] if start < len(faults) else ""
    end = train(out, index, fault, strategy)
    (out / f"end-{index}.json").write_text(json.dumps(end))


if __name__ == "__main__":
    main()
