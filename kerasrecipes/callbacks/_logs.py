"""What callbacks read from the logs of an epoch."""

from collections.abc import Mapping
from typing import Any

import numpy as np


def scalars(logs: Mapping[str, Any] | None) -> dict[str, float]:
    """Returns the entries that are one number; some metrics have one for each class."""
    return {name: float(v) for name, v in (logs or {}).items() if not np.ndim(v)}
