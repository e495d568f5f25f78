"""Every morning: load, keep, check, compare with what is live, look at the queue; one page, one message, one exit code."""

from kimono_explore.morning.fleet import Fleet, read_tenants, run_fleet
from kimono_explore.morning.run import Morning, run_morning

__all__ = ["Fleet", "Morning", "read_tenants", "run_fleet", "run_morning"]
