"""Trainings that have to end the same on one device, several replicas and several workers."""

import keras
import numpy as np

import kerasrecipes as kr

RNG = np.random.default_rng(0)
X = RNG.normal(size=(44, 5)).astype("float32")
Y = (X[:, 0] + 0.5 * RNG.normal(size=44) > 0).astype("int32")
WEIGHTS = RNG.random(44).astype("float32")
VALIDATION = (X[30:43], Y[30:43])  # 13 rows: uneven parts, and an empty one on four replicas
BASE = {
    "hidden": (8,),
    "dropout": 0.0,
    "normalization": None,
    "seed": 0,
    "optimizer": "adamw",
    "learning_rate": 0.02,
}

CASES = {  # name: arguments of the recipe, arguments of fit, callbacks
    "batch normalisation": ({"normalization": "batch", "hidden": (8, 6)}, {}, lambda: []),
    "L2": ({"l2": 1e-2}, {}, lambda: []),
    "class weights": ({}, {"class_weight": {0: 2.0, 1: 0.5}}, lambda: []),
    "sample weights": ({}, {"sample_weight": WEIGHTS}, lambda: []),
    "clipping by norm": ({"clip_norm": 0.05}, {}, lambda: []),
    "clipping by history": ({"clip_norm": "auto"}, {}, lambda: []),
    "adaptive clipping": (
        {"clip_norm": None, "optimizer": {"name": "sgd", "adaptive_clip": 0.01}},
        {},
        lambda: [],
    ),
    "accumulation": (
        {"optimizer": {"name": "adamw", "gradient_accumulation_steps": 2}},
        {},
        lambda: [],
    ),
    "schedule": ({"schedule": "one_cycle"}, {}, lambda: []),
    "plateau": (
        {"learning_rate": 1.0},
        {"epochs": 5},
        lambda: [kr.callbacks.ReduceLROnPlateau("val_loss", patience=1)],
    ),
    "early stopping": (
        {"learning_rate": 1.0},
        {"epochs": 9},
        lambda: [kr.callbacks.EarlyStopping("val_loss", patience=1)],
    ),
    "guards": ({}, {}, lambda: [kr.callbacks.NonFinite("skip"), kr.callbacks.SpikeGuard()]),
}


def run(strategy=None, names=None):
    """Returns the final weights, History and predictions of each case, as lists."""
    chosen = [name for name in CASES if names is None or name in names]
    found = {name: _trained(strategy, *CASES[name]) for name in chosen}
    if names is None or "masks" in names:
        found["masks"] = _masked(strategy)
    return found


def _trained(strategy, changes, fit, callbacks):
    keras.utils.set_random_seed(0)
    settings = {**BASE, **changes}
    model = kr.recipes.mlp((5,), kr.targets.Binary(), strategy=strategy, **settings)
    history = model.fit(
        X[:40],
        Y[:40],
        **{
            "batch_size": 16,  # the last one has 8
            "epochs": 3,
            "verbose": 0,
            "shuffle": False,
            "validation_data": VALIDATION,
            "callbacks": [*callbacks(), kr.callbacks.GradientLog()],
            **fit,
            **({"sample_weight": fit["sample_weight"][:40]} if "sample_weight" in fit else {}),
        },
    ).history
    return _report(model, history, X[:21])


def _masked(strategy):
    """Sequences of very different lengths, so that replicas have unlike numbers of steps."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(2)
    lengths = np.arange(1, 33) % 12 + 1
    x = np.where(np.arange(12) < lengths[:, None], rng.integers(1, 9, (32, 12)), 0)
    y = rng.normal(size=(32, 12, 1)).astype("float32") * lengths[:, None, None]

    def build():
        inputs = keras.Input((12,), dtype="int32")
        hidden = keras.layers.Embedding(9, 4, mask_zero=True)(inputs)
        hidden = keras.layers.SimpleRNN(4, return_sequences=True)(hidden)
        model = kr.recipes.RecipeModel(inputs, keras.layers.Dense(1)(hidden))
        model.compile(kr.optimizers.SGD(0.01), "mse")
        return model

    if strategy is None:
        model = build()
    else:
        with strategy.scope():
            model = build()
    fit = {"batch_size": 16, "epochs": 3, "verbose": 0, "shuffle": False}
    history = model.fit(x, y, **fit, validation_data=(x[:13], y[:13])).history
    return _report(model, history, x[:13])


def _report(model, history, x):
    weights = [value for w in model.get_weights() for value in np.ravel(w).tolist()]
    return {
        "weights": weights,
        "history": {name: [float(v) for v in values] for name, values in history.items()},
        "predictions": np.ravel(model.predict(x, batch_size=8, verbose=0)).tolist(),
    }
