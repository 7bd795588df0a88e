"""Figures and pages from results. Reads plain data only, and imports no Keras."""

from kerasrecipes.reporting.calibration import calibration as calibration
from kerasrecipes.reporting.calibration import reliability as reliability
from kerasrecipes.reporting.comparison import comparison as comparison
from kerasrecipes.reporting.curves import curves as curves
from kerasrecipes.reporting.examples import worst_pictures as worst_pictures
from kerasrecipes.reporting.examples import worst_rows as worst_rows
from kerasrecipes.reporting.finders import batch_sizes as batch_sizes
from kerasrecipes.reporting.finders import rate_curve as rate_curve
from kerasrecipes.reporting.html import run_page as run_page
from kerasrecipes.reporting.layer_curves import layer_curves as layer_curves
from kerasrecipes.reporting.predicted import Predicted as Predicted
from kerasrecipes.reporting.predictions import confusion as confusion
from kerasrecipes.reporting.predictions import confusion_matrix as confusion_matrix
from kerasrecipes.reporting.predictions import fitted as fitted
from kerasrecipes.reporting.predictions import residuals as residuals
from kerasrecipes.reporting.report import report as report
from kerasrecipes.reporting.search import search_curves as search_curves
from kerasrecipes.reporting.search import search_importance as search_importance
from kerasrecipes.reporting.search import search_scores as search_scores
from kerasrecipes.reporting.search import search_values as search_values
from kerasrecipes.reporting.search_page import search_page as search_page
