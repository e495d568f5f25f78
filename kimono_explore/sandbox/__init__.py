"""A district to try things on: made up, or any roster, served over real HTTP on this machine."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any, Self

import pandas as pd
import uvicorn

from kimono_explore.api.client import Client, connect
from kimono_explore.errors import ConfigurationError, KimonoError, expect, expect_options
from kimono_explore.roster.open import read_source
from kimono_explore.roster.roster import Roster
from kimono_explore.sandbox.dialect import Dialect
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.sandbox.faults import Faults
from kimono_explore.sandbox.flaws.catalogue import inject_flaws
from kimono_explore.sandbox.guard import SERVER_OPTIONS, ImpatientProtocol, bound
from kimono_explore.sandbox.processing import processed
from kimono_explore.sandbox.proxy import Answer, Proxy, Reply, Request
from kimono_explore.sandbox.sample_tasks import make_tasks
from kimono_explore.sandbox.server import BASE_PATH, Credentials, Service, kind_of, make_app
from kimono_explore.sandbox.task_queue import TaskQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

__all__ = ["Dialect", "Faults", "Sandbox", "sandbox"]


class Sandbox:
    """A running sandbox, started by `sandbox` and stopped by ``close()`` or a ``with`` block.

    Attributes
    ----------
    client : Client
        A client connected to the sandbox and ready for use.
    base_url : str
    roster : Roster
        The roster that the sandbox serves.
    planted : pandas.DataFrame
        The mistakes planted in the made-up district: check, table, id, note.
    queue : TaskQueue
        The task queue.
    credentials : Credentials
        The credentials it accepts: token, client_id, client_secret, username, password.
    """

    client: Client

    def __init__(
        self,
        roster: Roster,
        planted: pd.DataFrame,
        *,
        dialect: Dialect,
        seed: int,
        port: int,
        latency: float,
        token_lifetime: float,
        faults: Faults | None = None,
    ) -> None:
        self.roster, self.planted = roster, planted
        self.credentials = Credentials.random()
        self.queue = TaskQueue(make_tasks(roster, seed))
        self._faults, self._proxy = faults, None
        door = bound(port)
        self.base_url = f"http://127.0.0.1:{door.getsockname()[1]}{BASE_PATH}"
        self._socket = door
        if faults is not None:  # then clients talk to a proxy, and the server has a port of its own
            self._socket = bound(0)
            self._proxy = Proxy(door, self._socket.getsockname()[1], self._reply)
        self._service = Service(roster, self.queue, dialect, self.credentials, token_lifetime)
        app = make_app(self._service, self.base_url, latency)
        quiet: dict[str, Any] = {"log_level": "error", "access_log": False, "lifespan": "off"}
        self._server = uvicorn.Server(uvicorn.Config(app, http=ImpatientProtocol, **quiet, **SERVER_OPTIONS))

    @property
    def faults(self) -> Faults:
        """The faults from ``sandbox(faults=)``. They can be replaced while it runs; ``.injected`` counts them.

        Examples
        --------
        >>> with kx.sandbox(students=20, faults={}) as box:
        ...     box.faults = kx.Faults({"reset": 1.0})
        ...     try:
        ...         kx.connect(box.base_url, token=box.credentials.token, retries=0).find("orgs", "1")
        ...     except kx.ConnectionFailedError:
        ...         print(box.faults)
        <Faults reset 1: 1 injected>
        """
        if self._faults is None:
            raise ConfigurationError("This sandbox was made without faults; make one with kx.sandbox(faults={...}).")
        return self._faults

    @faults.setter
    def faults(self, faults: Faults | Mapping[str, float]) -> None:
        assert self.faults is not None
        self._faults = _as_faults(faults)

    def _reply(self, request: Request, ask: Callable[[Request], Answer]) -> Reply:
        return self.faults.reply(request, ask, kind_of(request.method, request.target))

    def process_tasks(self) -> list[str]:
        """Process the queue's data events, and serve the resulting roster. The queue is not changed.

        Returns
        -------
        list of str
            The ids of the tasks that could not be processed.

        Examples
        --------
        >>> with kx.sandbox(students=20, flaws=False) as box:
        ...     before, queue = kx.load_roster(box.client, progress=False), kx.load_tasks(box.client)
        ...     refused = box.process_tasks()
        ...     after = kx.load_roster(box.client, progress=False)
        >>> kx.compare(kx.apply_tasks(before, queue), after)
        <Comparison: 0 added, 0 removed, 0 changed; ...>
        """
        roster, refused = processed(self.roster, self.queue.all())
        self.roster = roster
        self._service.serve(roster)
        return refused

    def start(self) -> Self:
        """Serve from a thread until `close`."""
        self._open_door()
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="kimono-sandbox", daemon=True
        )
        self._thread.start()
        deadline = time.monotonic() + 30
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise KimonoError("The sandbox did not start. Is the port free?")
            time.sleep(0.005)
        self.client = connect(self.base_url, token=self.credentials.token)
        return self

    def serve(self) -> None:
        """Serve in the foreground until interrupted."""
        self._open_door()
        self._server.run(sockets=[self._socket])

    def _open_door(self) -> None:
        if self._proxy is not None:
            self._proxy.start()

    def close(self) -> None:
        """Close the client and stop the server."""
        if hasattr(self, "client"):
            self.client.close()
            if self._proxy is not None:
                self._proxy.close()
            self._server.should_exit = True
            self._thread.join(timeout=10)
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        people = f"{len(self.roster.persons):,} persons, {len(self.queue):,} tasks in the queue"
        return f"<Sandbox {self.base_url}: {people}, {len(self.planted):,} planted findings>"


def _as_faults(faults: Faults | Mapping[str, float]) -> Faults:
    return faults if isinstance(faults, Faults) else Faults(faults)


def sandbox(
    source: Roster | str | os.PathLike[str] | None = None,
    students: int = 500,
    seed: int = 7,
    flaws: bool = True,
    *,
    dialect: Dialect | None = None,
    port: int = 0,
    latency: float = 0.0,
    token_lifetime: float = 3600.0,
    faults: Faults | Mapping[str, float] | None = None,
) -> Sandbox:
    """Start a sandbox: a server on this machine that implements the Interop Data API.

    The server requires a random token, and can be reached only from this machine.

    Parameters
    ----------
    source : Roster or path, optional
        What to serve: a roster, a snapshot folder or a OneRoster bundle. Default: a made-up district.
    students : int, default 500
        Size of the made-up district.
    seed : int, default 7
        The same seed gives the same district.
    flaws : bool, default True
        Plant a handful of each kind of mistake in the made-up district; ``.planted`` lists them.
    dialect : Dialect, optional
        How the server behaves: pagination, shapes, rollups, task version.
    port : int, default 0
        The port on the loopback interface; 0 picks a free one.
    latency : float, default 0
        Seconds to wait before each response.
    token_lifetime : float, default 3600
        How long a token from client credentials is valid, in seconds.
    faults : Faults or mapping of str to float, optional
        The faults to inject, with the share of requests that each affects, such as
        ``{"reset": 0.05, "gzip_cut": 0.02}``. ``kx.Faults.names()`` lists the faults.

    Returns
    -------
    Sandbox
        With a ``.client`` ready for use.

    Examples
    --------
    >>> with kx.sandbox(students=20, flaws=False) as small:
    ...     len(kx.load(small.client, "students", progress=False))
    20
    """
    expect("sandbox", source, Roster, str, os.PathLike, None)
    expect_options("sandbox", "whole number", students=students, seed=seed, port=port)
    expect_options("sandbox", "number", latency=latency, token_lifetime=token_lifetime)
    return make_sandbox(
        source,
        students,
        seed,
        flaws,
        dialect=dialect or Dialect(),
        port=port,
        latency=latency,
        token_lifetime=token_lifetime,
        faults=faults,
    ).start()


def make_sandbox(
    source: Roster | str | os.PathLike[str] | None,
    students: int,
    seed: int,
    flaws: bool,
    *,
    dialect: Dialect,
    port: int = 0,
    latency: float = 0.0,
    token_lifetime: float = 3600.0,
    faults: Faults | Mapping[str, float] | None = None,
) -> Sandbox:
    """Return a sandbox that is ready but not started; see `sandbox`."""
    planted = pd.DataFrame({name: pd.Series(dtype="str") for name in ("check", "table", "id", "note")})
    if source is None:
        roster = make_district(students, seed)
        if flaws:
            roster, planted = inject_flaws(roster, seed)
    else:
        roster = source if isinstance(source, Roster) else read_source(source)
    return Sandbox(
        roster,
        planted,
        dialect=dialect,
        seed=seed,
        port=port,
        latency=latency,
        token_lifetime=token_lifetime,
        faults=None if faults is None else _as_faults(faults),
    )
