"""Widgets to keep open all day: browse a roster, work the task queue, follow a finding, look at a network.

Each is a thin layer: one public function returns the data that it shows.
"""

from kimono_explore.widgets.browser import Browser, browse
from kimono_explore.widgets.network import show_network
from kimono_explore.widgets.quality import QualityInspector, inspect_quality
from kimono_explore.widgets.queue import TaskInspector, inspect_tasks

__all__ = [
    "Browser",
    "QualityInspector",
    "TaskInspector",
    "browse",
    "inspect_quality",
    "inspect_tasks",
    "show_network",
]
