"""What a search of so many seconds finds: this package's against KerasTuner's, used plainly.

`python tests/benchmarks/searches.py DATA METHOD SEED SECONDS` prints one line. DATA is "digits", or
a csv file with the labels in its last column. Test rows (a stratified quarter) are seen once.
"""

import json
import sys
import tempfile
import time

import keras
import keras_tuner
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import kerasrecipes as kr

UNITS, ACTIVATIONS = [32, 64, 128, 256], ["relu", "gelu", "tanh"]
EPOCHS, PATIENCE = 100, 10
SPACE = {
    "layers": {"low": 1, "high": 3},
    "units": UNITS,
    "shape": "constant",
    "activation": ACTIVATIONS,
    "normalization": "batch",
    "residual": False,
    "dropout": {"low": 0.0, "high": 0.5},
    "l2": {"low": 1e-6, "high": 1e-2},
    "optimizer": "adamw",
    "learning_rate": {"low": 1e-4, "high": 1e-2},
    "schedule": {"fix": "none"},
    "weight_decay": 0.01,
    "clip_norm": 1.0,
    "batch_size": 32,
    "label_smoothing": 0.0,
}


def load(name):
    """Returns inputs and labels."""
    if name == "digits":
        return load_digits(return_X_y=True)
    table = pd.read_csv(name)
    return table.iloc[:, :-1].to_numpy("float32"), pd.factorize(table.iloc[:, -1])[0]


def build(hp, shape, classes, x):
    """What a user of KerasTuner writes."""
    normalization = keras.layers.Normalization()
    normalization.adapt(x)
    layers = [keras.Input(shape), normalization]
    units = hp.Choice("units", UNITS)
    for _ in range(hp.Int("layers", 1, 3)):
        l2 = keras.regularizers.L2(hp.Float("l2", 1e-6, 1e-2, sampling="log"))
        layers += [
            keras.layers.Dense(units, kernel_regularizer=l2),
            keras.layers.BatchNormalization(),
            keras.layers.Activation(hp.Choice("activation", ACTIVATIONS)),
            keras.layers.Dropout(hp.Float("dropout", 0.0, 0.5)),
        ]
    model = keras.Sequential([*layers, keras.layers.Dense(classes, "softmax")])
    rate = hp.Float("learning_rate", 1e-4, 1e-2, sampling="log")
    optimizer = keras.optimizers.AdamW(rate, weight_decay=0.01, clipnorm=1.0)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class UntilTimeIsUp(Exception):
    """Ends a search of KerasTuner's, which has no limit of time."""


def theirs(method, seed, seconds, rows, held_out, classes):
    """Returns the model that KerasTuner's search finds, and its number of trials."""
    tuners = {
        "kt_random": (keras_tuner.RandomSearch, {"max_trials": 10_000}),
        "kt_bayesian": (keras_tuner.BayesianOptimization, {"max_trials": 10_000}),
        "kt_hyperband": (keras_tuner.Hyperband, {"max_epochs": EPOCHS}),
    }
    kind, options = tuners[method]
    end = time.monotonic() + seconds

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if time.monotonic() > end:
                raise keras_tuner.errors.FatalError("time is up")

    tuner = kind(
        lambda hp: build(hp, rows[0].shape[1:], classes, rows[0]),
        keras_tuner.Objective("val_accuracy", "max"),
        directory=tempfile.mkdtemp(),
        seed=seed,
        **options,
    )
    stopping = keras.callbacks.EarlyStopping("val_accuracy", patience=PATIENCE, mode="max")
    try:
        tuner.search(
            *rows,
            validation_data=held_out,
            epochs=EPOCHS,
            batch_size=32,
            verbose=0,
            callbacks=[stopping, Stop()],
        )
    except keras_tuner.errors.FatalError:
        pass
    done = [t for t in tuner.oracle.trials.values() if t.status == "COMPLETED"]
    return tuner.get_best_models()[0], len(done)


def ours(method, seed, seconds, rows, options):
    """Returns the model that our search finds, and its number of trials."""
    space = kr.tuning.space("mlp", kr.targets.Multiclass(10)).edited(SPACE)
    classes = len(np.unique(rows[1]))
    result = kr.tuning.search(
        "mlp",
        rows[0].shape[1:],
        kr.targets.Multiclass(classes),
        rows,
        space=space,
        method=method,
        seconds=seconds,
        epochs=EPOCHS,
        patience=PATIENCE,
        directory=tempfile.mkdtemp(),
        seed=seed,
        quiet=True,
        **options,
    )
    return result.model, len(result.records)


def untuned(seed, rows, held_out, classes):
    """Returns the recipe as it is."""
    layer = kr.data.normalization(rows[0])
    shape, target = rows[0].shape[1:], kr.targets.Multiclass(classes)
    model = kr.recipes.mlp(shape, target, preprocessing=layer, seed=seed)
    model.fit(
        kr.data.batches(*rows, batch_size=32, seed=seed),
        validation_data=held_out,
        epochs=EPOCHS,
        verbose=0,
        callbacks=kr.callbacks.standard(patience=PATIENCE, progress=False),
    )
    return model, 1


def main():
    """Prints the line."""
    name, method, seed, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    options = json.loads(sys.argv[5]) if len(sys.argv) > 5 else {}
    x, y = load(name)
    x = np.asarray(x, "float32")
    x, x_test, y, y_test = train_test_split(x, y, stratify=y, random_state=seed)
    inner = train_test_split(x, y, stratify=y, test_size=0.2, random_state=seed)
    rows, held_out = (inner[0], inner[2]), (inner[1], inner[3])
    classes = len(np.unique(y))
    keras.utils.set_random_seed(seed)
    began = time.monotonic()
    if method.startswith("kt_"):
        model, trials = theirs(method, seed, seconds, rows, held_out, classes)
    elif method == "untuned":
        model, trials = untuned(seed, rows, held_out, classes)
    else:
        model, trials = ours(method, seed, seconds, (x, y), options)
    took = time.monotonic() - began
    accuracy = float((model.predict(x_test, verbose=0).argmax(axis=1) == y_test).mean())
    print(
        json.dumps(
            {
                "data": name.rpartition("/")[2],
                "method": method,
                "seed": seed,
                "trials": trials,
                "seconds": round(took, 1),
                "cpu_seconds": round(time.process_time(), 1),
                "accuracy": round(accuracy, 5),
                **options,
            }
        )
    )


if __name__ == "__main__":
    main()
