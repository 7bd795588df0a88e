"""Checks before training."""

import dataclasses
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import keras

from kerasrecipes._checks import InputError, check_choice, check_int, fail
from kerasrecipes._export import export
from kerasrecipes.sanity._outcome import UnavailableError, said
from kerasrecipes.sanity._outcome import skip as skipped
from kerasrecipes.sanity._rows import rows_of
from kerasrecipes.sanity._subject import Subject
from kerasrecipes.sanity.checks.bias_before_norm import bias_before_norm
from kerasrecipes.sanity.checks.class_balance import class_balance
from kerasrecipes.sanity.checks.constant_features import constant_features
from kerasrecipes.sanity.checks.dead_units import dead_units
from kerasrecipes.sanity.checks.duplicate_features import duplicate_features
from kerasrecipes.sanity.checks.feature_scale import feature_scale
from kerasrecipes.sanity.checks.finite_features import finite_features
from kerasrecipes.sanity.checks.first_loss import first_loss
from kerasrecipes.sanity.checks.forward import forward
from kerasrecipes.sanity.checks.gradient_flow import gradient_flow
from kerasrecipes.sanity.checks.initializer import initializer
from kerasrecipes.sanity.checks.label_range import label_range
from kerasrecipes.sanity.checks.leaked_target import leaked_target
from kerasrecipes.sanity.checks.loss_activation import loss_activation
from kerasrecipes.sanity.checks.missing_classes import missing_classes
from kerasrecipes.sanity.checks.numeric_gradients import numeric_gradients
from kerasrecipes.sanity.checks.output_dropout import output_dropout
from kerasrecipes.sanity.checks.overfit import overfit
from kerasrecipes.sanity.checks.regularization import regularization
from kerasrecipes.sanity.checks.saving import saving
from kerasrecipes.sanity.checks.shared_rows import shared_rows
from kerasrecipes.sanity.checks.symmetry import symmetry
from kerasrecipes.sanity.checks.trained_weights import trained_weights
from kerasrecipes.sanity.checks.validation_set import validation_set
from kerasrecipes.sanity.report import Finding, Report

CHECKS: dict[str, Callable[[Subject], Finding]] = {
    check.__name__: check
    for check in (
        finite_features,
        feature_scale,
        constant_features,
        duplicate_features,
        label_range,
        missing_classes,
        class_balance,
        validation_set,
        shared_rows,
        leaked_target,
        forward,
        loss_activation,
        output_dropout,
        bias_before_norm,
        initializer,
        symmetry,
        dead_units,
        first_loss,
        trained_weights,
        gradient_flow,
        numeric_gradients,
        overfit,
        regularization,
        saving,
    )
}


@export("sanity", saved=False)
def check(
    model: keras.Model,
    data: Any,
    *,
    validation_data: Any = None,
    only: Sequence[str] | None = None,
    skip: Sequence[str] = (),
    rows: int = 256,
    steps: int = 300,
    max_rows: int = 100_000,
    seed: int = 0,
) -> Report:
    """Looks at a model and its data before training, and says what is wrong and what to do.

    Run it on a new model with the data that `fit` will get. The checks, with the numbers they
    go by, are in docs/checks.md. Some train the model for a few steps; when this returns, or
    raises, weights, optimizer, seeds, batch statistics, metrics and the order of the data are
    as they were.

    Args:
        model: A built and compiled model, of a recipe or any other.
        data: What `fit` takes as training data: a tuple (x, y) or (x, y, sample_weight),
            `kerasrecipes.data.batches`, a `tf.data.Dataset` of batches or a
            `keras.utils.PyDataset`.
        validation_data: The same for validation. Defaults to None, which is warned of.
        only: Names of the checks to make. Defaults to None, all.
        skip: Names of checks to leave out. Defaults to none.
        rows: Rows that the model is run on, int >= 2. Defaults to 256.
        steps: Most updates in which a few rows must be learnt by heart, at each of three rates,
            int >= 1. Defaults to 300.
        max_rows: Most rows to look at for checks of the data, int >= 2: at random from arrays, the
            first of a dataset. Defaults to 100,000.
        seed: Int >= 0, for the choice of rows. Defaults to 0.

    Returns: A `Report`: print it; `report.passed` is False if a check failed.

    Raises: InputError for a model that is not built or not compiled, data of another kind, and
        unknown names of checks.

    Example:
    >>> import keras, numpy as np
    >>> x = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
    >>> inputs = keras.Input((3,))
    >>> model = keras.Model(inputs, keras.layers.Dense(3, "softmax")(inputs))
    >>> loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    >>> model.compile("sgd", loss)
    >>> report = check(model, (x, np.arange(64) % 3), only=["loss_activation", "label_range"])
    >>> report.passed, [found.name for found in report.failures]
    (False, ['loss_activation'])

    Reference: Karpathy 2019, "A recipe for training neural networks"; Goodfellow, Bengio &
    Courville 2016, "Deep learning", section 11.5.
    """
    began = time.perf_counter()
    _check_model(model)
    for argument, value, low in (("rows", rows, 2), ("steps", steps, 1), ("max_rows", max_rows, 2)):
        check_int(argument, value, low=low)
    names = _chosen(only, skip)
    train = rows_of("data", data, model, max_rows, check_int("seed", seed, low=0))
    validation = None
    if validation_data is not None:
        validation = rows_of("validation_data", validation_data, model, max_rows, seed)
    subject = Subject(model, train, validation, rows=rows, steps=steps, seed=seed)
    with subject.state.kept(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Keras would warn of is among the checks
        findings = tuple(_found(name, subject) for name in names)
    return Report(model.name, train.count, findings, time.perf_counter() - began)


def _found(name: str, subject: Subject) -> Finding:
    try:
        found = CHECKS[name](subject)
    except UnavailableError as why:
        found = skipped(str(why))
    except Exception as error:  # a model may be of any kind; the other checks go on
        found = skipped(said(error))
    return dataclasses.replace(found, name=name)


def _check_model(model: Any) -> None:
    if not isinstance(model, keras.Model):
        fail("model", "a Keras model", model)
    if not model.built or not model.weights:
        remedy = "Give it a `keras.Input`, or call it on one batch first."
        fail("model", "built", f"{model.name!r}, built={model.built}", remedy)
    if getattr(model, "optimizer", None) is None:
        raise InputError(
            f"`model` must be compiled. Received: {model.name!r}, which is not. Call "
            "`model.compile(optimizer, loss)` as for training."
        )


def _chosen(only: Sequence[str] | None, skip: Sequence[str]) -> list[str]:
    for argument, names in (("only", only or ()), ("skip", skip)):
        if isinstance(names, str):
            fail(argument, "a sequence of names of checks", names)
        for name in names:
            check_choice(argument, name, CHECKS)
    return [name for name in CHECKS if (only is None or name in only) and name not in skip]
