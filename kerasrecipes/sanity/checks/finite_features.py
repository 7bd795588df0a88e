"""Are there NaN or infinite values that the model cannot take?"""

from typing import Any

import keras
import numpy as np

from kerasrecipes._arrays import leaves
from kerasrecipes._find import LINEAR, find
from kerasrecipes.sanity._outcome import exactly, judged, listed
from kerasrecipes.sanity._quiet import unsynchronized
from kerasrecipes.sanity._rows import Rows
from kerasrecipes.sanity._subject import Subject, tensor
from kerasrecipes.sanity._trace import trace
from kerasrecipes.sanity.report import Finding

_ROWS = 64


def finite_features(subject: Subject) -> Finding:
    """All inputs are finite, or the model fills the gaps before it computes with them."""
    parts = {"training": subject.train, "validation": subject.validation}
    bad = {name: _bad_rows(rows) for name, rows in parts.items() if rows is not None}
    bad = {name: rows for name, rows in bad.items() if len(rows)}
    wrong = {name: rows for name, rows in bad.items() if not _copes(subject, parts[name], rows)}
    count = sum(map(len, wrong.values()))
    if not wrong:
        gaps = sum(map(len, bad.values()))
        note = f"{gaps} rows with gaps, which the model takes." if gaps else ""
        return judged("pass", _QUANTITY, 0, exactly(0), note=note)
    where = [f"{len(at)} {name} rows, row {at[0]} first" for name, at in wrong.items()]
    return judged(
        "fail",
        _QUANTITY,
        count,
        exactly(0),
        note=f"NaN or infinity in {listed(where)}.",
        remedy="Fill the gaps or remove those rows; `kerasrecipes.recipes.tabular` takes gaps.",
    )


_QUANTITY = "rows with NaN or infinity that the model cannot take"


def _bad_rows(rows: Rows) -> np.ndarray:
    bad = np.zeros(rows.count, bool)
    for leaf in leaves(rows.x):
        leaf = np.asarray(leaf)
        if leaf.dtype.kind == "f":
            bad |= ~np.isfinite(leaf.reshape(len(leaf), -1)).all(axis=1)
    return np.flatnonzero(bad)


def _copes(subject: Subject, rows: Any, bad: np.ndarray) -> bool:
    """Whether no kernel and no output of the model sees the gaps.

    The outputs alone do not tell: a ReLU turns NaN into 0 on a CPU, but the gradient stays NaN.
    """
    x = keras.tree.map_structure(tensor, rows.taken(bad[:_ROWS])[0])
    try:
        with subject.state.kept(), unsynchronized(subject.model):
            traced = trace(
                subject.model,
                lambda: subject.call(x, training=False),
                find(subject.model, LINEAR),
            )
    except Exception:  # whatever a model of the user's raises
        return False
    seen = [each for call in traced.calls for each in call.inputs]
    seen += keras.tree.flatten(traced.outputs)
    return all(np.isfinite(keras.ops.convert_to_numpy(each)).all() for each in seen)
