"""Load, link, check, draw and browse K-12 rosters of the Kimono Interop Data API in a notebook.

Examples
--------
>>> import kimono_explore as kx
>>> with kx.sandbox(students=20) as box:
...     roster = kx.load_roster(box.client, progress=False)
>>> len(roster.persons) > 20
True
"""

from kimono_explore.client import Client, connect
from kimono_explore.errors import (
    AckRefusedError,
    AuthenticationError,
    BadResponseError,
    BundleError,
    ConfigurationError,
    ConnectionFailedError,
    KimonoError,
    KimonoWarning,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ResponseError,
    ServerError,
)
from kimono_explore.load import load, load_roster
from kimono_explore.openapi import openapi
from kimono_explore.roster import Description, Roster
from kimono_explore.snapshot import open_roster
from kimono_explore.tasks import ack_tasks, delete_task, load_tasks

__all__ = [
    "AckRefusedError",
    "AuthenticationError",
    "BadResponseError",
    "BundleError",
    "Client",
    "ConfigurationError",
    "ConnectionFailedError",
    "Description",
    "KimonoError",
    "KimonoWarning",
    "NotFoundError",
    "PermissionDeniedError",
    "RateLimitError",
    "ResponseError",
    "Roster",
    "ServerError",
    "ack_tasks",
    "connect",
    "delete_task",
    "load",
    "load_roster",
    "load_tasks",
    "open_roster",
    "openapi",
]
