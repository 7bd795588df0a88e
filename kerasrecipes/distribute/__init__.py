"""Training on several devices and hosts: strategies, clusters, and what Keras needs for them."""

import keras  # noqa: F401  (first: see kerasrecipes/__init__.py)

from kerasrecipes.distribute.adapt import adapt as adapt
from kerasrecipes.distribute.check_model import check_model as check_model
from kerasrecipes.distribute.cluster import Cluster as Cluster
from kerasrecipes.distribute.cluster import resolve_cluster as resolve_cluster
from kerasrecipes.distribute.cluster_error import ClusterError as ClusterError
from kerasrecipes.distribute.even_batches import EvenBatches as EvenBatches
from kerasrecipes.distribute.file_batches import FileBatches as FileBatches
from kerasrecipes.distribute.launch import launch as launch
from kerasrecipes.distribute.logical_cpus import logical_cpus as logical_cpus
from kerasrecipes.distribute.plan import plan as plan
from kerasrecipes.distribute.scaling_plan import ScalingPlan as ScalingPlan
from kerasrecipes.distribute.scaling_plan import ScalingRow as ScalingRow
from kerasrecipes.distribute.strategy import strategy as strategy
