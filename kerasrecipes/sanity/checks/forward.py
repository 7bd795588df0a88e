"""Does the model run on the data at all?"""

import numpy as np

from kerasrecipes.sanity._outcome import exactly, judged, said, skip
from kerasrecipes.sanity._subject import Subject
from kerasrecipes.sanity.report import Finding


def forward(subject: Subject) -> Finding:
    """The model computes a finite loss and finite gradients on a batch of the data."""
    error = subject.error
    quantity = "values of loss and gradients that are not finite"
    if error is None:
        return _of_numbers(subject, quantity)
    try:
        subject.check_labels()
    except type(error):
        return skip(str(error))
    return judged(
        "fail",
        "errors on a batch",
        1,
        exactly(0),
        note=said(error),
        remedy="Compare the shapes and dtypes of the data with the model's inputs and outputs, "
        "and the labels with what the loss takes.",
    )


def _of_numbers(subject: Subject, quantity: str) -> Finding:
    names = [weight.path for weight in subject.model.trainable_variables]
    bad = {
        name: int(np.sum(~np.isfinite(gradient)))
        for name, gradient in zip(names, subject.step.gradients, strict=True)
        if gradient is not None
    }
    bad["the loss"] = int(not np.isfinite(subject.step.whole))
    count = sum(bad.values())
    first = next((name for name, number in bad.items() if number), "")
    return judged(
        "fail" if count else "pass",
        quantity,
        count,
        exactly(0),
        note=f"The first is in {first}." if count else "",
        remedy="Look for NaN or huge inputs (finite_features, feature_scale), and for logarithms, "
        "roots and divisions near 0 in layers and losses of your own.",
    )
