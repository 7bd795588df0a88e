"""What a model predicts: units, activation, loss, metrics and prior follow from it."""

import keras  # noqa: F401  (first: see kerasrecipes/__init__.py)

from kerasrecipes.targets.binary import Binary as Binary
from kerasrecipes.targets.bounded_regression import BoundedRegression as BoundedRegression
from kerasrecipes.targets.class_accuracy import ClassAccuracy as ClassAccuracy
from kerasrecipes.targets.count import Count as Count
from kerasrecipes.targets.identify import get as get
from kerasrecipes.targets.identify import infer as infer
from kerasrecipes.targets.multiclass import Multiclass as Multiclass
from kerasrecipes.targets.multilabel import Multilabel as Multilabel
from kerasrecipes.targets.positive_regression import PositiveRegression as PositiveRegression
from kerasrecipes.targets.regression import Regression as Regression
from kerasrecipes.targets.scaled_loss import ScaledLoss as ScaledLoss
from kerasrecipes.targets.smoothed_crossentropy import SmoothedCrossentropy as SmoothedCrossentropy
from kerasrecipes.targets.target import Target as Target
