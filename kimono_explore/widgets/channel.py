"""How a table or a graph in a panel reaches its page: through the panel, without a connection of its own."""

from __future__ import annotations

from typing import Any, Protocol

from comm.base_comm import BaseComm

from kimono_explore.widgets.controls import new_id

AFTERWARDS = 0.003
"""Seconds after an answer: an empty message then makes the server pass the answer on (Nagle waits 40 ms otherwise)."""


class Outlet(Protocol):
    """What passes on: a panel."""

    def pass_on(self, id: str, data: dict[str, Any], buffers: list[bytes] | None) -> None:
        """Pass on what a part says."""


class Channel(BaseComm):
    """What an ipywidgets widget takes for its connection: ``DataTable(df, comm=Channel())``.

    Attributes
    ----------
    outlets : list
        The panels that it is in.
    """

    def __init__(self) -> None:
        self.outlets: list[Outlet] = []
        super().__init__(target_name="jupyter.widget", comm_id=new_id(), primary=False)

    def publish_msg(
        self,
        msg_type: str,
        data: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,  # noqa: ARG002
        buffers: list[bytes] | None = None,
        **keys: Any,  # noqa: ANN401, ARG002
    ) -> None:
        """Pass a message on to the panels."""
        if msg_type == "comm_msg" and data is not None:
            for outlet in self.outlets:
                outlet.pass_on(self.comm_id, data, buffers)

    def hear(self, content: dict[str, Any]) -> None:
        """Hand on what a page says to the table or graph."""
        if self._msg_callback is not None:
            self._msg_callback({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})

    def close(self, *_: object, **__: object) -> None:
        """Let go of the panels; no page has to be told."""
        self._closed = True
        self.outlets.clear()
