"""What is wrong with a roster: checks declared as data, run on Polars, DuckDB or Spark, and one report.

A check is a row: id, title, severity, rule, why it matters, parameters, and a function that takes the `CheckContext`
(lazy tables) and returns a `CheckResult` (what was checked, and what fails). `define_check` adds your own.
"""

from kimono_explore.quality.catalogue import checks, define_check
from kimono_explore.quality.coming import ComingFindings, forecast_findings
from kimono_explore.quality.context import CheckContext
from kimono_explore.quality.definition import Check, CheckResult, NotApplicable
from kimono_explore.quality.report import Report
from kimono_explore.quality.run import check, check_tasks

__all__ = [
    "Check",
    "CheckContext",
    "CheckResult",
    "ComingFindings",
    "NotApplicable",
    "Report",
    "check",
    "check_tasks",
    "checks",
    "define_check",
    "forecast_findings",
]
