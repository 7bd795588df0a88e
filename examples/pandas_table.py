"""A pandas table: one-hot the categories, name the target, train a regression."""

import numpy as np
import pandas as pd

import kerasrecipes as kr

rng = np.random.default_rng(0)
table = pd.DataFrame(
    {
        "area": rng.uniform(20, 200, 600),
        "floor": rng.integers(0, 12, 600),
        "district": rng.choice(["north", "south", "centre"], 600),
    }
)
dear = table["district"].map({"north": 2_000.0, "south": 2_500.0, "centre": 4_000.0})
table["price"] = table["area"] * dear + 3_000.0 * table["floor"] + rng.normal(0, 9_000, 600)

features = pd.get_dummies(table.drop(columns="price"), dtype="float32")
rows = kr.data.split(features, table["price"], validation=0.2, test=0.2, seed=0)
target = kr.targets.Regression(robust=True).adapt(rows.train.y)
model = kr.recipes.mlp(
    (features.shape[1],),
    target,
    hidden=(64, 64),
    dropout=0.0,
    preprocessing=kr.data.normalization(rows.train.x),
    seed=0,
)
model.fit(
    kr.data.batches(*rows.train, batch_size=32, seed=0),
    validation_data=kr.data.batches(*rows.validation, batch_size=128, shuffle=False),
    epochs=60,
    verbose=0,
    callbacks=kr.callbacks.standard(patience=15),
)
test = kr.data.batches(*rows.test, batch_size=128, shuffle=False)
print(model.evaluate(test, return_dict=True, verbose=0))
