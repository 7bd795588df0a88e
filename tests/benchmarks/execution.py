"""CPU time of a step of `fit`, recipe models against hand-written Keras ones in the same process.

Pass parts of names to run only these cases and recipes.
"""

import statistics
import sys
import time
import unittest.mock

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from tables import machine, spread, table

import kerasrecipes as kr
from kerasrecipes.execution import executor
from kerasrecipes.execution.graphs import SHARED

ROUNDS = 5
LAYERS = keras.layers


def compiled(inputs, x):
    model = keras.Model(inputs, LAYERS.Dense(10, activation="softmax")(x))
    optimizer = keras.optimizers.AdamW(1e-3, global_clipnorm=1.0)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def plain_mlp(width, hidden):
    x = inputs = keras.Input((width,))
    for units in hidden:
        x = LAYERS.Dense(units, use_bias=False, kernel_initializer="he_normal")(x)
        x = LAYERS.Dropout(0.2)(LAYERS.ReLU()(LAYERS.BatchNormalization()(x)))
    return compiled(inputs, x)


def plain_rnn():
    inputs = keras.Input((40, 64))
    return compiled(inputs, LAYERS.Dropout(0.3)(LAYERS.GRU(64)(inputs)))


def convolved(x, filters, strides=1):
    x = LAYERS.Conv2D(filters, 3, strides, "same", use_bias=False)(x)
    return LAYERS.BatchNormalization()(x)


def plain_cnn():
    x = inputs = keras.Input((28, 28, 1))
    for filters in (32, 64):
        x = LAYERS.MaxPooling2D()(LAYERS.ReLU()(convolved(x, filters)))
    return compiled(inputs, LAYERS.GlobalAveragePooling2D()(x))


def plain_resnet():
    inputs = keras.Input((32, 32, 3))
    x = LAYERS.ReLU()(convolved(inputs, 16))
    for filters, strides in ((16, 1), (32, 2), (64, 2)):
        y = convolved(LAYERS.ReLU()(convolved(x, filters, strides)), filters)
        if strides > 1:
            x = convolved(x, filters, strides)
        x = LAYERS.ReLU()(LAYERS.Add()([x, y]))
    return compiled(inputs, LAYERS.GlobalAveragePooling2D()(x))


def mlp(width, hidden):
    return kr.recipes.mlp((width,), CLASSES, hidden=hidden, seed=0)


def rnn():
    options = {"units": (64,), "bidirectional": False, "pooling": "last", "schedule": None}
    return kr.recipes.rnn((40, 64), CLASSES, seed=0, **options)


def cnn():
    options = {"filters": (32, 64), "augmentation": None, "schedule": None}
    return kr.recipes.cnn((28, 28, 1), CLASSES, seed=0, **options)


def resnet():
    options = {"filters": (16, 32, 64), "blocks": 1, "augmentation": None, "schedule": None}
    return kr.recipes.resnet((32, 32, 3), CLASSES, seed=0, **options)


CLASSES = kr.targets.Multiclass(10)
SMALL, WIDE = (50, (100, 100)), (64, (256, 256, 256))
CASES = {  # rows, shape, batch size, Keras's, ours
    "mlp 50-100-100-10, batch 32": (
        20000,
        (50,),
        32,
        lambda: plain_mlp(*SMALL),
        lambda: mlp(*SMALL),
    ),
    "mlp 50-100-100-10, batch 128": (
        20000,
        (50,),
        128,
        lambda: plain_mlp(*SMALL),
        lambda: mlp(*SMALL),
    ),
    "mlp 64-256-256-256-10, batch 256": (
        20000,
        (64,),
        256,
        lambda: plain_mlp(*WIDE),
        lambda: mlp(*WIDE),
    ),
    "gru 40 steps, batch 128": (1280, (40, 64), 128, plain_rnn, rnn),
    "cnn 28x28, batch 128": (1280, (28, 28, 1), 128, plain_cnn, cnn),
    "resnet-8 32x32, batch 128": (640, (32, 32, 3), 128, plain_resnet, resnet),
}


def rows_of(count, shape):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(count, *shape)).astype("float32")
    return x, rng.integers(0, 10, count)


def seconds(action):
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - wall, time.process_time() - cpu


def steps(name, jit):
    """Returns a row of the table of steps."""
    count, shape, batch, make_plain, make = CASES[name]
    x, y = rows_of(count, shape)
    models = make_plain(), make()
    given = {"x": x, "y": y, "batch_size": batch, "verbose": 0}
    way = "compiled" if jit else "one size"
    with unittest.mock.patch.object(executor, "way_to_train", return_value=way):
        return measured(name, models, given)


def measured(name, models, given):
    batch, count = given["batch_size"], len(given["x"])
    for model in models:
        model.fit(**given)
    epochs = 2
    found = [
        [seconds(lambda m=m: m.fit(**given, epochs=epochs)) for m in models] for _ in range(ROUNDS)
    ]
    per_step = 1e6 / (epochs * -(-count // batch))
    ours = [pair[1][1] * per_step for pair in found]
    return [
        name,
        "XLA" if models[1].execution.jit else "graph",
        f"{statistics.median(pair[0][1] for pair in found) * per_step:.0f}",
        spread(ours, 0),
        spread([pair[0][1] / pair[1][1] for pair in found], 2),
        spread([pair[0][0] / pair[1][0] for pair in found], 2),
    ]


def looks(name, what):
    """Returns a row of the table of evaluations and predictions."""
    _, shape, _, make_plain, make = CASES[name]
    x, y = rows_of(4096, shape)
    arguments = (x, y) if what == "evaluate" else (x,)
    actions = [lambda m=m: getattr(m, what)(*arguments, verbose=0) for m in (make_plain(), make())]
    for action in actions:
        action()
    found = [[seconds(action) for action in actions] for _ in range(ROUNDS)]
    return [
        f"{what}, {name.split(',')[0]}",
        *(f"{statistics.median(pair[at][1] for pair in found) * 1e3:.1f}" for at in range(2)),
        spread([pair[0][1] / pair[1][1] for pair in found], 1),
    ]


def first_fits(name):
    """Returns a row of the table of first fits of four batches, tracing included.

    Those of the second model are of one batch, with the making of the model.
    """
    _, shape, batch, *makers = CASES[name]
    x, y = rows_of(batch * 4, shape)
    found = []
    for _ in range(ROUNDS):
        SHARED.clear()
        models = [make() for make in makers]
        first = [seconds(lambda m=m: m.fit(x, y, batch_size=batch, verbose=0)) for m in models]
        second = [
            seconds(lambda make=make: make().fit(x[:batch], y[:batch], batch_size=batch, verbose=0))
            for make in makers
        ]
        found.append([each[1] for each in (*first, *second)])
    keras_first, ours_first, keras_second, ours_second = zip(*found, strict=True)
    ratios = [a / b for a, b in zip(keras_first, ours_first, strict=True)]
    return [
        name,
        *(f"{statistics.median(each):.2f}" for each in (keras_first, ours_first)),
        spread(ratios, 2),
        f"{statistics.median(keras_second):.2f}",
        spread(ours_second, 3),
    ]


RECIPES = {
    "mlp": ((50,), lambda **given: kr.recipes.mlp((50,), CLASSES, **given)),
    "cnn": ((28, 28, 1), lambda **given: kr.recipes.cnn((28, 28, 1), CLASSES, **given)),
    "resnet": ((28, 28, 1), lambda **given: kr.recipes.resnet((28, 28, 1), CLASSES, **given)),
    "temporal": ((40, 1), lambda **given: kr.recipes.temporal((40, 1), CLASSES, **given)),
    "rnn": ((40, 8), lambda **given: kr.recipes.rnn((40, 8), CLASSES, **given)),
    "transformer": ((40, 8), lambda **given: kr.recipes.transformer((40, 8), CLASSES, **given)),
    **{
        f"tabular, {form}": (
            None,
            lambda form=form, **given: kr.recipes.tabular(FRAME, CLASSES, form=form, **given),
        )
        for form in ("auto", "realmlp", "tabm", "mlp")
    },
    **{
        f"text, {form}": (
            (),
            lambda form=form, **given: kr.recipes.text(TEXTS, CLASSES, form=form, **given),
        )
        for form in ("ngrams", "cnn", "transformer")
    },
}
ROWS = 512
FRAME = pd.DataFrame(
    {
        "size": np.random.default_rng(1).normal(size=ROWS),
        "place": np.random.default_rng(2).choice(["here", "there", "nowhere"], ROWS),
    }
)
TEXTS = np.array([f"row {at} is {'good' if at % 3 else 'bad'}" for at in range(ROWS)])


def of_recipe(name):
    """Returns a row of the table of recipes with their defaults, in a graph and batch by batch."""
    shape, make = RECIPES[name]
    x, y = rows_of(ROWS, shape or ())
    x = {None: FRAME, (): TEXTS}.get(shape, x)
    models = [make(fast=fast, seed=0) for fast in (False, "auto")]
    data = kr.data.batches(x, y, batch_size=64, seed=0)
    for model in models:
        model.fit(data, verbose=0)
    epochs = 4
    found = [
        [seconds(lambda m=m: m.fit(data, epochs=epochs, verbose=0)) for m in models]
        for _ in range(ROUNDS)
    ]
    per_step = 1e3 / (epochs * ROWS // 64)
    return [
        name,
        "graph" if models[1].execution.in_graph else "batch by batch",
        *(f"{statistics.median(pair[at][1] for pair in found) * per_step:.2f}" for at in range(2)),
        spread([pair[0][1] / pair[1][1] for pair in found], 2),
    ]


def main():
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    names = [name for name in CASES if not sys.argv[1:] or any(a in name for a in sys.argv[1:])]
    print(f"{machine()}; one thread, median (least to most) of {ROUNDS} alternating rounds\n")
    compiled_too = [name for name in names if name.startswith(("mlp", "gru"))]
    lines = [steps(name, False) for name in names] + [steps(name, True) for name in compiled_too]
    header = ["model", "ours by", "Keras, us of a step", "ours", "ratio of CPU", "ratio of time"]
    print(table(header, lines), "\n", sep="")
    lines = [looks(name, what) for name in names for what in ("evaluate", "predict")]
    print(table(["4,096 rows", "Keras, ms", "ours", "ratio of CPU"], lines), "\n", sep="")
    lines = [first_fits(name) for name in names]
    header = ["first fit", "Keras, s", "ours", "ratio of CPU", "Keras, second model", "ours"]
    print(table(header, lines), "\n", sep="")
    recipes = [name for name in RECIPES if not sys.argv[1:] or any(a in name for a in sys.argv[1:])]
    lines = [of_recipe(name) for name in recipes]
    header = ["recipe with its defaults", "ours by", "`fast=False`, ms of a step", "ours", "ratio"]
    print(table(header, lines))


if __name__ == "__main__":
    main()
