"""The checks, one per file: each takes a `Subject` and returns a `Finding`."""

import keras  # noqa: F401  (first: see kerasrecipes/__init__.py)
