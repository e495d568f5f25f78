"""Pictures of a roster, each one public function that returns Axes or a Figure."""

from kimono_explore.plots.neighborhood import plot_neighborhood
from kimono_explore.plots.overview import plot_overview

__all__ = ["plot_neighborhood", "plot_overview"]
