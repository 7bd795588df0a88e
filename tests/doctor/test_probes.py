"""Each probe finds its fault in Keras or KerasTuner, and none in what is right."""

import importlib
import os
import pathlib

import keras
import keras_tuner
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes.doctor import _probes
from kerasrecipes.doctor._known import KNOWN
from kerasrecipes.doctor._probes.toys import first_line
from tests.replicas import run_on_replicas
from tests.tuning import searched
from tests.workers import run_workers

pytestmark = pytest.mark.filterwarnings("ignore")  # Keras warns of some of its faults

PROBES = [probe for known in KNOWN for probe in known.probes]


def called(name, *arguments):
    module, function = name.split(".")
    return getattr(importlib.import_module(f"{_probes.__name__}.{module}"), function)(*arguments)


def recipe_model(optimizer="sgd"):
    inputs = keras.Input((3,))
    model = kr.recipes.RecipeModel(inputs, keras.layers.Dense(1)(inputs))
    model.compile(optimizer, "mse", jit_compile=False)
    return model


class Replacing(keras.callbacks.ModelCheckpoint):
    """Writes beside the file, and renames."""

    def _save_model(self, *arguments, **more):
        path = self.filepath
        self.filepath = f"{path}.new.keras"
        super()._save_model(*arguments, **more)
        os.replace(self.filepath, path)
        self.filepath = path


class UpdateAverage:
    """Gradient descent under accumulation, with an average that moves once per update."""

    def __init__(self, rate, *, use_ema, ema_momentum, gradient_accumulation_steps):
        self.average, self.steps = keras.Variable([0.0], name="average"), 0

    @property
    def variables(self):
        return [self.average]

    def apply(self, gradients, variables):
        self.steps += 1
        if self.steps % 2 == 0:
            variables[0].assign_sub(gradients[0])
            self.average.assign(0.5 * self.average + 0.5 * variables[0])


class EqualizationOfEach(keras.layers.Layer):
    """Equalises every image on its own."""

    def call(self, images):
        layer = keras.layers.Equalization(value_range=(0, 255))
        return np.concatenate([np.array(layer(image[None])) for image in np.array(images)])


class WithoutTensorBoard(keras_tuner.RandomSearch):
    def _configure_tensorboard_dir(self, *arguments):
        pass


def random_search(objective="val_loss", trials=3, high=1.0):
    hp = keras_tuner.HyperParameters()
    hp.Float("x", 0.1, high, step=0.1)
    return kr.tuning.oracles.RandomSearch(
        objective, max_trials=trials, hyperparameters=hp, seed=1, fingerprint={}
    )


def bayesian(space):
    return kr.tuning.oracles.get(
        "bayesian", objective="val_loss", hyperparameters=space, trials=6, seed=1
    )


def hyperband(folder, callbacks):
    settings = {"method": "hyperband", "trials": None, "epochs": 2, "factor": 2}
    searched.run(pathlib.Path(folder, "ours"), callbacks=callbacks, **settings)


def counted_search(folder, count):
    searched.run(pathlib.Path(folder, "ours"), callbacks=lambda: [count], trials=1, population=0)


def beta(count, alpha):
    from kerasrecipes.data.augment import mix_up

    return mix_up.beta(count, alpha, keras.random.SeedGenerator(0))


def cut_mix(x, y):
    return kr.data.augment.CutMix(classes=len(y), seed=0)(x, y.argmax(1))


augment, callbacks, optimizers = kr.data.augment, kr.callbacks, kr.optimizers
RIGHT = {
    "order.repeated_order": [lambda x, y: kr.data.batches(x, y, batch_size=8, seed=5)],
    "backup.patience": [callbacks.Checkpoint, callbacks.EarlyStopping, recipe_model],
    "files.saved_in_place": [Replacing],
    "decay.decayed_after_loading": [lambda: optimizers.AdamW(0.1, weight_decay=0.5)],
    "averages.validated": [
        lambda: optimizers.SGD(1.0, momentum=0.0),
        lambda: [callbacks.WeightAveraging(decay=0.5, warmup=False)],
        kr.recipes.RecipeModel,
    ],
    "averages.micro_steps": [UpdateAverage],
    "files.custom_schedule": [lambda: kr.schedules.Cosine(0.1, total=10)],
    "rates.plateau_with_schedule": [callbacks.ReduceLROnPlateau, optimizers.SGD],
    "rates.plateau_undone": [callbacks.ReduceLROnPlateau, callbacks.LearningRateScheduler],
    "monitors.nan_stops": [callbacks.EarlyStopping],
    "monitors.nan_cuts": [callbacks.ReduceLROnPlateau],
    "monitors.direction": [callbacks.EarlyStopping],
    "monitors.misspelt": [callbacks.EarlyStopping],
    "rates.rate_in_history": [[callbacks.LearningRateLog()]],
    "rates.warm_up": [lambda: kr.schedules.Cosine(0.1, total=100, warmup=10)],
    "rates.accumulated_steps": [optimizers.SGD],
    "monitors.ctrl_c": [callbacks.EarlyStopping],
    "monitors.late_start": [callbacks.EarlyStopping],
    "nonfinite.several_steps": [callbacks.NonFinite, optimizers.SGD, kr.recipes.RecipeModel],
    "tuner_trials.tensorboard": [WithoutTensorBoard],
    "tuner_oracles.direction": [kr.tuning.objective],
    "tuner_oracles.stale": [random_search],
    "tuner_trials.promoted": [hyperband],
    "tuner_oracles.waits": [random_search],
    "tuner_oracles.truncated": [random_search],
    "tuner_trials.lost_memory": [lambda: None],
    "tuner_trials.copied_callbacks": [counted_search],
    "tuner_oracles.all_failed": [random_search],
    "tuner_oracles.infinite": [random_search],
    "tuner_oracles.repeats": [bayesian],
    "optimizers.nadam_momentum": [optimizers.Nadam],
    "files.untrained": [lambda: kr.recipes.mlp((3,), kr.targets.Regression(), hidden=(2,))],
    "optimizers.schedule_free_start": [optimizers.ScheduleFreeAdamW],
    "numbers.sparsemax": [kr.activations.sparsemax],
    "augmentation.flips": [
        lambda: augment.ImagePolicy(
            "none", flip="horizontal_and_vertical", value_range=(0, 1), seed=0
        )
    ],
    "augmentation.erasing": [
        lambda: augment.ImagePolicy("none", erasing=0.5, value_range=(0, 255), seed=0)
    ],
    "augmentation.rand_augment": [
        lambda: augment.RandAugment(1, 0.5, value_range=(0, 255), seed=0)
    ],
    "augmentation.equalization": [EqualizationOfEach],
    "augmentation.cut_mix": [cut_mix],
    "numbers.small_beta": [beta],
    "numbers.added_column": [np.add],
    "ends.updates_at_the_end": [kr.recipes.RecipeModel],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", RIGHT)
def test_the_fault_is_found_and_missing_where_it_is_mended(name):
    plain = called(name)
    assert plain.there, f"mended upstream: {plain.what}"
    right = called(name, *RIGHT[name])
    assert not right.there, right.what
    assert right.what


def test_every_probe_is_tested():
    assert {*RIGHT, *REPLICAS, *WORKERS} == set(PROBES)
    assert len(set(PROBES)) == len(PROBES)


REPLICAS = {
    "replica_updates.clipped_update": "kr.optimizers.SGD",
    "replica_updates.overflow": "kr.optimizers.LossScaleOptimizer",
    "replica_updates.accumulation": "kr.optimizers.SGD",
    "replica_updates.compiled": "kr.recipes.RecipeModel",
    "replica_batches.drifting_statistics": (
        "lambda: keras.layers.BatchNormalization(synchronized=True)"
    ),
    "replica_batches.empty_replica": "kr.recipes.RecipeModel",
    "replica_batches.row_weights": "kr.recipes.RecipeModel",
    "replica_batches.dropout_masks": "kr.recipes.RecipeModel",
    "replica_batches.masked_loss": "kr.recipes.RecipeModel",
    "replica_models.built_outside": "kr.distribute.check_model",
}
ON_REPLICAS = """
import importlib
found = {{}}
for name, right in {cases}:
    module, function = name.split(".")
    probe = getattr(importlib.import_module("kerasrecipes.doctor._probes." + module), function)
    plain, ours = probe(), probe(right)
    found[name] = [bool(plain.there), plain.what, bool(ours.there), ours.what]
report(**found)
"""


@pytest.mark.multi_device
def test_probes_of_replicas():
    cases = "[" + ", ".join(f"({name!r}, {right})" for name, right in REPLICAS.items()) + "]"
    found = run_on_replicas(ON_REPLICAS.format(cases=cases), replicas=2)
    for name, (plain, what, ours, seen) in found.items():
        assert plain, f"{name} is mended upstream: {what}"
        assert not ours, f"{name}: {seen}"


WORKERS = ["workers.fit", "workers.shared_file", "workers.file_shards"]
ON_WORKERS = """
from kerasrecipes.doctor._probes import workers

class ChiefOnly(keras.callbacks.ModelCheckpoint):
    def on_epoch_end(self, epoch, logs=None):
        if index == 0:
            super().on_epoch_end(epoch, logs)

cases = {"fit": kr.distribute.adapt, "shared_file": ChiefOnly, "file_shards": "DATA"}
found = {}
for name, right in cases.items():
    probe = getattr(workers, name)
    plain, ours = probe(), probe(right)
    found["workers." + name] = [bool(plain.there), plain.what, bool(ours.there), ours.what]
report(**found)
"""


@pytest.mark.multi_device
def test_probes_of_workers():
    both = run_workers(ON_WORKERS, workers=2)
    for name in WORKERS:
        assert any(found[name][0] for found in both), f"{name} is mended upstream: {both}"
        for found in both:
            assert not found[name][2], f"{name}: {found[name][3]}"


def test_what_is_said_of_errors():
    assert first_line(ValueError()) == "ValueError: no message"
    graph = "Graph execution error:\n\nDetected at node x:\n  File 'a.py', line 1\n\nNo such device"
    assert first_line(RuntimeError(graph)) == "RuntimeError: No such device"
    traced = "in user code:\n\n    File 'a.py', line 1\n        f()\n\n    TypeError: not settable"
    assert first_line(TypeError(traced)) == "TypeError: not settable"
