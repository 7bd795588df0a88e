"""Figures and pages from results. Reads plain data only, and imports no Keras."""

from kerasrecipes.reporting.curves import curves as curves
from kerasrecipes.reporting.html import run_page as run_page
from kerasrecipes.reporting.predictions import confusion as confusion
from kerasrecipes.reporting.predictions import confusion_matrix as confusion_matrix
from kerasrecipes.reporting.predictions import fitted as fitted
from kerasrecipes.reporting.predictions import residuals as residuals
