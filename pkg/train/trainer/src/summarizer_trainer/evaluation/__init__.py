"""Judges an adapter with what will serve it: generation, ROUGE with intervals, baselines."""

from typing import Any

from ..events import Events
from ..layout import Layout, Prepared
from ..spec import Spec


def run(spec: Spec, layout: Layout, prepared: Prepared, events: Events) -> dict[str, Any]:
    """Judges the run's adapter on spec.evaluation.split; returns `evaluation` of result.json.

    Leaves predictions/, scores.json and evaluation.json in the run's directory; a system whose predictions are there
    is not generated again. Raises RefusedError when the adapter or the split cannot be judged, and OutOfMemoryError.
    """
    # Imported late: with `python -m` this package is read before the layer is in place that has rouge-score.
    from .judging import judge

    return judge(spec, layout, prepared, events)
