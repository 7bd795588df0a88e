"""A training with all that has a state, in processes that share one import and can be killed."""

import contextlib
import faulthandler
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

ROWS, TRAINING, EPOCHS = 240, 160, 24


def program(folder, every, replicas):
    """Trains; returns all that the training ends with, as JSON values."""
    keras.utils.set_random_seed(11)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, 6)).astype("float32")
    y = (x[:, 0] * x[:, 1] + 0.3 * rng.normal(size=ROWS) > 0).astype("int32")
    model = kr.recipes.mlp(
        (6,),
        kr.targets.Binary(),
        hidden=(16, 8),
        dropout=0.3,
        optimizer={"name": "adamw", "gradient_accumulation_steps": 2},
        learning_rate=0.02,
        schedule="cosine",
        clip_norm="auto",
        seed=1,
        strategy=strategy(replicas),
    )
    callbacks = kr.callbacks.standard(
        checkpoint=kr.callbacks.Checkpoint(folder, every=every),
        plateau=2,
        averaging="ema",
        patience=8,
        progress=False,
    )
    fitted = model.fit(
        kr.data.batches(x[:TRAINING], y[:TRAINING], batch_size=16, seed=3),
        validation_data=kr.data.batches(x[TRAINING:], y[TRAINING:], batch_size=16, shuffle=False),
        epochs=EPOCHS,
        callbacks=callbacks,
        verbose=0,
    )
    digest = hashlib.sha256()
    for weight in [*model.get_weights(), *(v.numpy() for v in model.optimizer.variables)]:
        digest.update(np.ascontiguousarray(weight).tobytes())
    states = {type(each).__name__: each.state_dict() for each in callbacks[1:]}
    stopping = states["EarlyStopping"]
    return {
        "weights": digest.hexdigest(),
        "history": fitted.history,
        "epoch": fitted.epoch,
        "plateau": states["ReduceLROnPlateau"],
        "stopped": [stopping["stopped_epoch"], stopping["best_epoch"], stopping["reason"]],
    }


def strategy(replicas):
    """Returns a MirroredStrategy on logical CPUs, or None for one."""
    if replicas == 1:
        return None
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    devices = [tf.config.LogicalDeviceConfiguration()] * replicas
    tf.config.set_logical_device_configuration(cpu, devices)
    return tf.distribute.MirroredStrategy([f"CPU:{index}" for index in range(replicas)])


def start(arguments, out):
    """Starts the program in a fork of this process; returns the number of the process."""
    sys.stdout.flush()
    process = os.fork()
    if process:
        return process
    faulthandler.enable()
    try:
        end = program(*arguments)
        Path(out).write_text(json.dumps(end))
        os._exit(0)
    except SystemExit as stop:
        os._exit(stop.code)
    except BaseException as error:
        print(repr(error), file=sys.stderr, flush=True)
        os._exit(1)


def wait(process, seconds):
    """Waits so long; returns the exit code, the negative signal, or None if it still runs."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    return None


def kill_again_and_again(out, kills, every, replicas, number):
    """Trains until so many were killed; reports the ends, and how many died of something else.

    TensorFlow's replicas on logical CPUs crash in one of some hundred processes. That is one more
    death at a random moment, after which the training has to go on.
    """
    rng = np.random.default_rng(replicas)
    whole = out / "whole.json"
    assert wait(start((out / "whole", every, replicas), whole), 300) == 0
    ends, killed, crashed, trainings = [], 0, 0, 0
    while killed < kills:
        folder, end = out / f"run-{trainings}", out / f"run-{trainings}.json"
        trainings += 1
        while not end.exists():
            process = start((folder, every, replicas), end)
            begun = wait_for_saves(process, folder)
            code = wait(process, rng.uniform(0, 0.6) if killed < kills else 300) if begun else 1
            if code is None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, number)
                code = wait(process, 60)
                killed += code != 0
            crashed += code == -signal.SIGSEGV
            assert code in (0, -number, 128 + number, -signal.SIGSEGV), f"exit code {code}"
        ends.append(json.loads(end.read_text()) == json.loads(whole.read_text()))
    print("REPORT " + json.dumps({"equal": ends, "killed": killed, "crashed": crashed}))


def wait_for_saves(process, folder):
    """Waits until the process has saved once or ended; returns whether it is well."""
    before = {path.name for path in folder.glob("generation-*")}
    for _ in range(6000):
        if {path.name for path in folder.glob("generation-*")} - before:
            return True
        if os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return True
        time.sleep(0.01)
    return False


if __name__ == "__main__":
    kill_again_and_again(
        Path(sys.argv[1]),
        kills=int(sys.argv[2]),
        every=sys.argv[3],
        replicas=int(sys.argv[4]),
        number=getattr(signal, sys.argv[5]),
    )
