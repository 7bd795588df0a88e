"""Data in: files and arrays to batches, splits and input layers."""

import keras  # noqa: F401  (first: see kerasrecipes/__init__.py)

from kerasrecipes._epoch_order import begin_epoch as begin_epoch
from kerasrecipes._epoch_order import permutation as permutation
from kerasrecipes._fingerprint import fingerprint as fingerprint
from kerasrecipes.data import augment as augment
from kerasrecipes.data._table_columns import CategoricalColumn as CategoricalColumn
from kerasrecipes.data._table_columns import NumericColumn as NumericColumn
from kerasrecipes.data.batches import Batches as Batches
from kerasrecipes.data.batches import batches as batches
from kerasrecipes.data.examples import Examples as Examples
from kerasrecipes.data.load import load as load
from kerasrecipes.data.normalization import normalization as normalization
from kerasrecipes.data.split import Split as Split
from kerasrecipes.data.split import split as split
from kerasrecipes.data.table_schema import TableSchema as TableSchema
from kerasrecipes.data.text_schema import TextSchema as TextSchema
from kerasrecipes.data.vectorization import vectorization as vectorization
