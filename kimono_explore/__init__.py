"""Load, link, check, draw and browse K-12 rosters of the Kimono Interop Data API in a notebook.

Examples
--------
>>> import kimono_explore as kx
>>> with kx.sandbox(students=20) as box:
...     roster = kx.load_roster(box.client, progress=False)
>>> len(roster.persons) > 20
True
"""

from kimono_explore.acks import ack_tasks, delete_task
from kimono_explore.client import Client, connect
from kimono_explore.compare import Comparison, compare
from kimono_explore.errors import (
    AckError,
    AckRefusedError,
    AckUnknownError,
    AuthenticationError,
    BadResponseError,
    BundleError,
    ConfigurationError,
    ConnectionFailedError,
    IncompleteListError,
    KimonoError,
    KimonoWarning,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ResponseError,
    RosterFailedError,
    ServerError,
)
from kimono_explore.graph import build_graph, neighborhood, shortest_path, summarize_graph
from kimono_explore.load import load, load_roster
from kimono_explore.oneroster import read_oneroster
from kimono_explore.openapi import openapi
from kimono_explore.plots import (
    plot_adjacency,
    plot_comparison,
    plot_enrollment_matrix,
    plot_neighborhood,
    plot_org_tree,
    plot_overview,
    plot_quality,
    plot_schema,
    plot_section_sizes,
    plot_shared_students,
    plot_tasks,
    plot_teacher_load,
    plot_terms,
)
from kimono_explore.privacy import pseudonymize
from kimono_explore.quality import Report, check, check_tasks, checks, define_check
from kimono_explore.roster import Description, Roster
from kimono_explore.sandbox import Dialect, Faults, Sandbox, sandbox
from kimono_explore.snapshot import open_roster
from kimono_explore.tasks import load_tasks
from kimono_explore.transport import Timeouts
from kimono_explore.widgets import browse, inspect_quality, inspect_tasks, show_network

__all__ = [
    "AckError",
    "AckRefusedError",
    "AckUnknownError",
    "AuthenticationError",
    "BadResponseError",
    "BundleError",
    "Client",
    "Comparison",
    "ConfigurationError",
    "ConnectionFailedError",
    "Description",
    "Dialect",
    "Faults",
    "IncompleteListError",
    "KimonoError",
    "KimonoWarning",
    "NotFoundError",
    "PermissionDeniedError",
    "RateLimitError",
    "Report",
    "ResponseError",
    "Roster",
    "RosterFailedError",
    "Sandbox",
    "ServerError",
    "Timeouts",
    "ack_tasks",
    "browse",
    "build_graph",
    "check",
    "check_tasks",
    "checks",
    "compare",
    "connect",
    "define_check",
    "delete_task",
    "inspect_quality",
    "inspect_tasks",
    "load",
    "load_roster",
    "load_tasks",
    "neighborhood",
    "open_roster",
    "openapi",
    "plot_adjacency",
    "plot_comparison",
    "plot_enrollment_matrix",
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
    "pseudonymize",
    "read_oneroster",
    "sandbox",
    "shortest_path",
    "show_network",
    "summarize_graph",
]
