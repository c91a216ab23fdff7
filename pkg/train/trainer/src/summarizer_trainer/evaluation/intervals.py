"""Bootstrap percentile intervals of means over examples."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 95
"""Per cent of the resamples that lie within an interval."""

# The same resamples for every system and every run: intervals differ because scores do.
_SEED = 20240726
# Bounds the memory that one block of resamples takes, whatever the number of examples.
_BLOCK = 2_000_000

Interval = tuple[float, float, float]
"""Mean, lower and upper bound."""


def bootstrap(values: NDArray[np.float64], samples: int) -> list[Interval]:
    """The interval of the mean of each column of `values` (examples x measures), by `samples` resamples of the rows."""
    means = np.concatenate(list(_resampled_means(values, samples)))
    tail = (100 - CONFIDENCE) / 2
    low, high = np.percentile(means, [tail, 100 - tail], axis=0)
    return [(float(m), float(a), float(b)) for m, a, b in zip(values.mean(axis=0), low, high, strict=True)]


def _resampled_means(values: NDArray[np.float64], samples: int) -> Iterator[NDArray[np.float64]]:
    rng = np.random.default_rng(_SEED)
    rows, columns = values.shape
    block = max(1, _BLOCK // (rows * columns))
    for start in range(0, samples, block):
        chosen = rng.integers(0, rows, size=(min(block, samples - start), rows))
        yield values[chosen].mean(axis=1)
