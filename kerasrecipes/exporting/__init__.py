"""Models for those who do not have this package: other runtimes, and plain Keras."""

import keras  # noqa: F401  (first: see kerasrecipes/__init__.py)

from kerasrecipes.exporting.encode import encode as encode
from kerasrecipes.exporting.export import export as export
from kerasrecipes.exporting.exported import Exported as Exported
from kerasrecipes.exporting.exported import TensorSpec as TensorSpec
from kerasrecipes.exporting.plain_model import plain_model as plain_model
