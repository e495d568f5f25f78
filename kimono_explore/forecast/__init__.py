"""The roster as it will be once the task queue is processed, and which differences between two loads the queue explains."""

from kimono_explore.forecast.apply import apply_tasks
from kimono_explore.forecast.explain import explain_tasks
from kimono_explore.forecast.refreshed import Refreshed, refresh

__all__ = ["Refreshed", "apply_tasks", "explain_tasks", "refresh"]
