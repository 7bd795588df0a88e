"""A small model of each recipe, with rows to predict."""

import keras
import numpy as np
import pandas as pd

import kerasrecipes as kr

CLASSES = kr.targets.Multiclass(3)
NUMBERS = kr.targets.Regression().adapt([1.0, 2.0, 5.0])
TABLE = pd.DataFrame(
    {
        "size": [1.0, 2.0, None, 4.0, 5.0, 7.0, 3.0, 2.0] * 6,
        "kind of": ["a", "b", "a", None, "c", "b", "a", "c"] * 6,
        "month": np.arange(48) % 12,
        "flag": [True, False] * 24,
        "many": [f"m{i % 15}" for i in range(48)],
    }
)
TEXTS = ["a good film", "a bad film", "Good, very good!", "bad, very bad", "a good bad film"] * 2


def random(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def padded():
    rows = random(4, 10, 3)
    rows[0, 6:], rows[2, 3:] = -99.0, -99.0
    return rows


def tokens():
    rows = np.random.default_rng(0).integers(1, 30, size=(4, 9)).astype("int32")
    rows[1, 5:] = 0
    return rows


def fine_tune():
    backbone = kr.recipes.cnn((12, 12, 1), kr.targets.Multiclass(10), filters=(4, 8), seed=1)
    return kr.recipes.fine_tune(backbone, CLASSES, seed=0)


def tabular(form, target=NUMBERS, **arguments):
    return kr.recipes.tabular(TABLE, target, form=form, categorical=["month"], seed=0, **arguments)


def text(form, **arguments):
    return kr.recipes.text(TEXTS, CLASSES, form=form, seed=0, **arguments)


ATTENTION = {"layers": 1, "num_heads": 2}
_RECIPES = kr.recipes
MODELS = {
    "mlp": lambda: _RECIPES.mlp(
        (8,),
        CLASSES,
        hidden=(16, 16),
        residual=True,
        preprocessing=kr.data.normalization(random(20, 8)),
        seed=0,
    ),
    "mlp of selu": lambda: _RECIPES.mlp((8,), NUMBERS, hidden=(16,), activation="selu", seed=0),
    "mlp of prelu": lambda: _RECIPES.mlp(
        (8,), "binary", hidden=(16,), activation="prelu", normalization="layer", seed=0
    ),
    "cnn": lambda: _RECIPES.cnn((12, 12, 1), CLASSES, filters=(4, 8), dropout=0.1, seed=0),
    "cnn that blurs": lambda: _RECIPES.cnn(
        (12, 12, 1), CLASSES, filters=(4, 8), pooling="blur", seed=0
    ),
    "resnet": lambda: _RECIPES.resnet(
        (12, 12, 1), CLASSES, filters=(4, 8), squeeze_excite=2, stochastic_depth=0.2, seed=0
    ),
    "temporal": lambda: _RECIPES.temporal((10, 3), CLASSES, filters=(4, 8, 4), seed=0),
    "temporal of padding": lambda: _RECIPES.temporal(
        (None, 3),
        CLASSES,
        form="resnet",
        filters=(4, 8),
        kernel_size=(5, 3),
        strides=2,
        mask_value=-99.0,
        seed=0,
    ),
    "rnn": lambda: _RECIPES.rnn((10, 3), CLASSES, units=(6, 5), seed=0),
    "rnn of lstm": lambda: _RECIPES.rnn(
        (10, 3), CLASSES, cell="lstm", units=(6,), pooling="last", bidirectional=False, seed=0
    ),
    "rnn of padding": lambda: _RECIPES.rnn((None, 3), CLASSES, units=(6,), mask_value=-99.0),
    "transformer": lambda: _RECIPES.transformer((10, 3), CLASSES, units=8, seed=0, **ATTENTION),
    "transformer of padding": lambda: _RECIPES.transformer(
        (None, 3), CLASSES, units=8, mask_value=-99.0, strides=2, seed=0, **ATTENTION
    ),
    "transformer of tokens": lambda: _RECIPES.transformer(
        (None,), CLASSES, vocabulary_size=30, units=8, seed=0, **ATTENTION
    ),
    "tabular mlp": lambda: tabular("mlp", CLASSES, hidden=(8,)),
    "tabular realmlp": lambda: tabular("realmlp", hidden=(8, 8)),
    "tabular tabm": lambda: tabular("tabm", hidden=(8,), members=4),
    "tabular auto": lambda: tabular("auto", hidden=(8,), members=4),
    "text ngrams": lambda: text("ngrams", hidden=(8,)),
    "text cnn": lambda: text("cnn", filters=4, kernel_size=(2, 3)),
    "text transformer": lambda: text("transformer", embedding_units=8, **ATTENTION),
    "fine_tune": fine_tune,
}
ROWS = {
    "mlp": lambda: random(5, 8),
    "cnn": lambda: random(4, 12, 12, 1),
    "resnet": lambda: random(4, 12, 12, 1),
    "fine_tune": lambda: random(4, 12, 12, 1),
    "tabular": lambda: TABLE.iloc[:7],
    "text": lambda: [*TEXTS[:4], ""],
    "transformer of tokens": tokens,
}


def rows_of(name):
    if name in ROWS:
        return ROWS[name]()
    if "padding" in name:
        return padded()
    return ROWS.get(name.split()[0], lambda: random(4, 10, 3))()


def made(name):
    """Returns a model with weights as after a training, its rows, and its predictions."""
    model, rows = MODELS[name](), rows_of(name)
    draws = np.random.default_rng(1)
    for variable in model.variables:
        if "float" in variable.dtype and not variable.path.endswith("edges"):
            value = np.array(variable) + draws.normal(0, 0.1, variable.shape)
            variable.assign(abs(value) if "variance" in variable.path else value)
    return model, rows, model.predict(rows, verbose=0)


def close(found, expected):
    """Compares predictions; those of regressions are in units of about 2."""
    np.testing.assert_allclose(keras.ops.convert_to_numpy(found), expected, rtol=1e-6, atol=1e-6)
