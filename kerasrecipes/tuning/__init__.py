"""KerasTuner searches: spaces, methods, safety and speed."""

import keras  # noqa: F401  (first: see kerasrecipes/__init__.py)

from kerasrecipes.tuning import oracles as oracles
from kerasrecipes.tuning import pruning as pruning
from kerasrecipes.tuning.hypermodel import RecipeHyperModel as RecipeHyperModel
from kerasrecipes.tuning.hypermodel import hypermodel as hypermodel
from kerasrecipes.tuning.objective import objective as objective
from kerasrecipes.tuning.parameters import Choice as Choice
from kerasrecipes.tuning.parameters import Fixed as Fixed
from kerasrecipes.tuning.parameters import Float as Float
from kerasrecipes.tuning.parameters import Int as Int
from kerasrecipes.tuning.search import search as search
from kerasrecipes.tuning.search_result import SearchResult as SearchResult
from kerasrecipes.tuning.search_space import SearchSpace as SearchSpace
from kerasrecipes.tuning.space import space as space
from kerasrecipes.tuning.trial_record import TrialRecord as TrialRecord
