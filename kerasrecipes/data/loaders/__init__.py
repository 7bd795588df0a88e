"""One file per source of data; `data.load` imports the one that it needs."""

import keras  # noqa: F401  (first: see kerasrecipes/__init__.py)
