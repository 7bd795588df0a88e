"""The faults of KERAS-DEFECTS.md, table KerasTuner, that concern how trials are run."""

import importlib.metadata
import json
import os
import subprocess
import sys
import warnings

import keras
import keras_tuner
import numpy as np
import pytest
from keras_tuner.src.distribute import oracle_chief

import kerasrecipes as kr
from kerasrecipes.doctor._probes.tuner_trials import tensorboard
from tests.forked import ROOT
from tests.tuning import searched

X, Y = np.ones((8, 2), "float32"), np.ones((8, 1), "float32")


def build(hp):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(hp.Float("learning_rate", 1e-3, 1e-1)), "mse")
    return model


def tuner(kind, folder, **arguments):
    return kind(build, "val_loss", directory=folder, project_name="t", seed=0, **arguments)


def test_t1_keras_tuner_needs_tensorboard_which_we_declare():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert tensorboard().there, "KerasTuner mended T1"
    assert any(
        name.startswith("tensorboard>=") for name in importlib.metadata.requires("kerasrecipes")
    )


class Updates(keras.callbacks.Callback):
    """Notes how many updates the optimizer had made when an epoch began."""

    seen: list = []  # noqa: RUF012  (KerasTuner copies the callback)

    def on_epoch_begin(self, epoch, logs=None):
        Updates.seen.append((epoch, int(self.model.optimizer.iterations)))


@pytest.mark.slow
def test_t4_promoted_trials_restart_the_optimizer_where_ours_go_on(tmp_path):
    Updates.seen.clear()
    plain = tuner(keras_tuner.Hyperband, tmp_path / "plain", max_epochs=2, factor=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that it leaves the optimizer out
        plain.search(X, Y, validation_data=(X, Y), verbose=0, callbacks=[Updates()])
    promoted = [updates for epoch, updates in Updates.seen if epoch == 1]
    assert 0 in promoted, "KerasTuner mended T4"
    Updates.seen.clear()
    arguments = {"method": "hyperband", "trials": None, "epochs": 2, "factor": 2}
    searched.run(tmp_path / "ours", callbacks=lambda: [Updates()], **arguments)
    assert {updates for epoch, updates in Updates.seen if epoch == 1} == {4}


def test_t5_the_chief_waits_for_a_lost_worker_where_ours_hands_its_trial_out_again(tmp_path):
    space = keras_tuner.HyperParameters()
    space.Float("learning_rate", 1e-3, 1e-1)
    plain = keras_tuner.oracles.RandomSearchOracle("val_loss", 1, hyperparameters=space)
    plain._set_project_dir(str(tmp_path), "plain")
    plain.create_trial("lost")
    plain.create_trial("other")
    assert not oracle_chief.exit_chief(plain), "KerasTuner mended T5"
    ours = kr.tuning.oracles.RandomSearch("val_loss", max_trials=1, hyperparameters=space, seed=0)
    first = ours.create_trial("lost")
    assert ours.create_trial("other").status == "STOPPED"
    assert ours.requeue("lost") == first.trial_id
    assert ours.create_trial("other").trial_id == first.trial_id


GROWN = """
import json, os, sys
from tests.tuning import searched
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
if __name__ == "__main__":
    isolate = sys.argv[2] == "isolate"
    more = {"population": 0, "epochs": 1, "isolate": isolate}
    searched.run(sys.argv[1] + "/first", trials=2, **more)
    before = resident()
    searched.run(sys.argv[1] + "/rest", trials=8, **more)
    print(json.dumps(resident() - before))
"""


@pytest.mark.slow
@pytest.mark.multi_device
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_t7_trials_lose_memory_where_isolated_ones_do_not(tmp_path):
    script = tmp_path / "grown.py"
    script.write_text(GROWN)
    grown = {}
    for how in ("here", "isolate"):
        done = subprocess.run(
            [sys.executable, str(script), str(tmp_path / how), how],
            env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        grown[how] = json.loads(done.stdout.splitlines()[-1])
    assert grown["here"] > 8, "TensorFlow mended T7"
    assert grown["isolate"] < 4
