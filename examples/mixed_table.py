"""A table with numbers, categories and gaps: a schema, a network for it, raw rows in and out."""

import pathlib
import tempfile

import keras
import numpy as np
import pandas as pd

import kerasrecipes as kr

rng = np.random.default_rng(0)
table = pd.DataFrame(
    {
        "area": rng.uniform(20, 200, 1_000),
        "year": rng.integers(1900, 2020, 1_000).astype("float64"),
        "district": rng.choice(["north", "south", "centre"], 1_000),
        "garden": rng.random(1_000) < 0.3,
    }
)
dear = table["district"].map({"north": 2_000.0, "south": 2_500.0, "centre": 4_000.0})
price = table["area"] * dear * (1 + 0.2 * table["garden"]) + 500 * (table["year"] - 1900)
table.loc[::9, "year"] = np.nan
table.loc[::11, "district"] = None

rows = kr.data.split(table, price, validation=0.15, test=0.2, seed=0)
print(kr.data.TableSchema.from_dataframe(rows.train.x))

target = kr.targets.Regression().adapt(rows.train.y)
model = kr.recipes.tabular(rows.train.x, target, seed=0)
model.fit(
    kr.data.batches(*rows.train, batch_size=64, seed=0),
    validation_data=rows.validation,
    epochs=20,
    verbose=0,
    callbacks=kr.callbacks.standard(),
)
print(model.evaluate(*rows.test, return_dict=True, verbose=0))

path = pathlib.Path(tempfile.mkdtemp()) / "prices.keras"
model.save(path)
new = pd.DataFrame({"district": ["harbour", "north"], "garden": [True, False], "area": [80, 120]})
print(keras.saving.load_model(path).predict(new.assign(year=[None, 1990]), verbose=0))
