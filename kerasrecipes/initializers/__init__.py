"""Initializers: chosen from the activation, and from the data."""

import keras  # noqa: F401  (first: see kerasrecipes/__init__.py)

from kerasrecipes._seeds import child_seed as child_seed
from kerasrecipes.initializers.for_activation import for_activation as for_activation
from kerasrecipes.initializers.gate_orthogonal import GateOrthogonal as GateOrthogonal
from kerasrecipes.initializers.identify import get as get
from kerasrecipes.initializers.lsuv import LsuvStep as LsuvStep
from kerasrecipes.initializers.lsuv import lsuv as lsuv
from kerasrecipes.initializers.presets import glorot as glorot
from kerasrecipes.initializers.presets import he as he
from kerasrecipes.initializers.presets import lecun as lecun
from kerasrecipes.initializers.presets import output as output
from kerasrecipes.initializers.presets import pytorch as pytorch
from kerasrecipes.initializers.presets import pytorch_bias as pytorch_bias
from kerasrecipes.initializers.prior_bias import PriorBias as PriorBias
from kerasrecipes.initializers.redraw import redraw as redraw
