"""A sound model with sound data, to be made wrong in one way at a time."""

import keras
import numpy as np

import kerasrecipes as kr

RNG = np.random.default_rng(0)
X = RNG.normal(size=(240, 6)).astype("float32")
Y = np.digitize(X[:, 0] + X[:, 1] * X[:, 2] + 0.3 * RNG.normal(size=240), [-0.5, 0.5])
VALUES = (X[:, 0] * X[:, 1] + 0.5 * RNG.normal(size=240)).astype("float32")
XV, YV, VV = X[180:], Y[180:], VALUES[180:]
X, Y, VALUES = X[:180], Y[:180], VALUES[:180]
QUICK = ("overfit", "regularization", "trained_weights", "saving")


def network(
    *hidden, output=None, loss=None, shape=(6,), activation="relu", initializer="he_normal"
):
    """A plain Keras model: dense layers, or the layers that are given in their place."""
    layers = [
        keras.layers.Dense(each, activation=activation, kernel_initializer=initializer)
        if isinstance(each, int)
        else each
        for each in hidden or (16, 16)
    ]
    output = output or [keras.layers.Dense(3, activation="softmax")]
    model = keras.Sequential([keras.Input(shape), *layers, *output])
    model.compile("adam", loss or "sparse_categorical_crossentropy")
    return model


def values(*hidden, activation=None, loss="mse", **arguments):
    """A plain Keras regression."""
    output = [keras.layers.Dense(1, activation=activation)]
    return network(*hidden, output=output, loss=loss, **arguments)


def binary(activation="sigmoid", loss="binary_crossentropy"):
    """A plain Keras model of two classes."""
    return network(output=[keras.layers.Dense(1, activation=activation)], loss=loss)


def check(model, x=X, y=Y, *, validation=(XV, YV), skip=QUICK, **arguments):
    """All checks but those that train or save, unless told otherwise."""
    skip = () if "only" in arguments else skip
    return kr.sanity.check(model, (x, y), validation_data=validation, skip=skip, **arguments)


def fired(report):
    """What fired, by name."""
    return {each.name: each.status for each in (*report.failures, *report.warnings)}
