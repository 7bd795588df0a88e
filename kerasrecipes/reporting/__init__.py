"""Figures and pages from results. Reads plain data only, and imports no Keras."""

from kerasrecipes.reporting.curves import curves as curves
from kerasrecipes.reporting.html import run_page as run_page
from kerasrecipes.reporting.predictions import confusion as confusion
from kerasrecipes.reporting.predictions import confusion_matrix as confusion_matrix
from kerasrecipes.reporting.predictions import fitted as fitted
from kerasrecipes.reporting.predictions import residuals as residuals
from kerasrecipes.reporting.search import search_curves as search_curves
from kerasrecipes.reporting.search import search_importance as search_importance
from kerasrecipes.reporting.search import search_scores as search_scores
from kerasrecipes.reporting.search import search_values as search_values
from kerasrecipes.reporting.search_page import search_page as search_page
