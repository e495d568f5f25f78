"""Pictures of a roster, each one public function that returns Axes or a Figure."""

from kimono_explore.plots.findings import plot_comparison, plot_quality, plot_tasks
from kimono_explore.plots.history import plot_history
from kimono_explore.plots.neighborhood import plot_neighborhood
from kimono_explore.plots.orgs import plot_org_tree
from kimono_explore.plots.overview import plot_overview
from kimono_explore.plots.schema import plot_schema
from kimono_explore.plots.sharing import plot_adjacency, plot_shared_students
from kimono_explore.plots.terms import plot_terms
from kimono_explore.plots.workload import plot_enrollment_matrix, plot_section_sizes, plot_teacher_load

__all__ = [
    "plot_adjacency",
    "plot_comparison",
    "plot_enrollment_matrix",
    "plot_history",
    "plot_neighborhood",
    "plot_org_tree",
    "plot_overview",
    "plot_quality",
    "plot_schema",
    "plot_section_sizes",
    "plot_shared_students",
    "plot_tasks",
    "plot_teacher_load",
    "plot_terms",
]
