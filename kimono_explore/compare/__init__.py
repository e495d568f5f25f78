"""What differs between two rosters, and what is the same under a new id."""

from kimono_explore.compare.by_id import LINK_KEY
from kimono_explore.compare.comparison import Comparison, compare

__all__ = ["LINK_KEY", "Comparison", "compare"]
