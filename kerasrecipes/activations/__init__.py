"""Activation functions, and what each of them asks of the layer around it."""

import keras  # noqa: F401  (first: see kerasrecipes/__init__.py)

from kerasrecipes.activations.facts import Facts as Facts
from kerasrecipes.activations.facts import facts as facts
from kerasrecipes.activations.identify import get as get
from kerasrecipes.activations.partial import Partial as Partial
from kerasrecipes.activations.rrelu import rrelu as rrelu
from kerasrecipes.activations.sparsemax import sparsemax as sparsemax
