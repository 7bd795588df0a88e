"""Checks before training: of the data, of the model, and of both together."""

import keras  # noqa: F401  (first: see kerasrecipes/__init__.py)

from kerasrecipes.sanity.check import check as check
from kerasrecipes.sanity.report import Finding as Finding
from kerasrecipes.sanity.report import Report as Report
