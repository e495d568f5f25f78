# The public names: from where each is loaded when it is first used, and what type checkers see.
from .acks import ack_tasks, delete_task
from .api.client import Client, connect
from .api.openapi import openapi
from .api.transport import Timeouts
from .compare import Comparison, compare
from .duplicates import probable_duplicates
from .errors import (
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
from .forecast import Refreshed, apply_tasks, explain_tasks, refresh
from .gate import Rehearsal, Verdict, gate, rehearse
from .graph import build_graph, neighborhood, shortest_path, summarize_graph
from .graph_files import save_graph
from .history import History, history
from .load import load, load_roster
from .plots import (
    plot_adjacency,
    plot_comparison,
    plot_enrollment_matrix,
    plot_history,
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
from .privacy import pseudonymize
from .quality import Report, check, check_tasks, checks, define_check, forecast_findings
from .questions import dependents, shared_classes
from .roster.open import open_roster, read_oneroster
from .roster.roster import Description, Roster
from .sandbox import Dialect, Faults, Sandbox, sandbox
from .tasks import load_tasks
from .waits import queue_delays
from .widgets import browse, inspect_quality, inspect_tasks, show_network

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
    "History",
    "IncompleteListError",
    "KimonoError",
    "KimonoWarning",
    "NotFoundError",
    "PermissionDeniedError",
    "RateLimitError",
    "Refreshed",
    "Rehearsal",
    "Report",
    "ResponseError",
    "Roster",
    "RosterFailedError",
    "Sandbox",
    "ServerError",
    "Timeouts",
    "Verdict",
    "ack_tasks",
    "apply_tasks",
    "browse",
    "build_graph",
    "check",
    "check_tasks",
    "checks",
    "compare",
    "connect",
    "define_check",
    "delete_task",
    "dependents",
    "explain_tasks",
    "forecast_findings",
    "gate",
    "history",
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
    "probable_duplicates",
    "pseudonymize",
    "queue_delays",
    "read_oneroster",
    "refresh",
    "rehearse",
    "sandbox",
    "save_graph",
    "shared_classes",
    "shortest_path",
    "show_network",
    "summarize_graph",
]
