"""Controls of a panel: they hold what is on screen and say when it changes. How a page gets them is the panel's affair."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_numbers = count(1)
_MOST = 1e9


def new_id() -> str:
    """A name that no other part of any panel has, as a panel can stand in another."""
    return f"c{next(_numbers)}"


class Control(traitlets.HasTraits):
    """A part of a panel. What is tagged ``page`` is what a page shows of it.

    Attributes
    ----------
    id : str
    hidden : bool
        Whether it is there, but not on screen.
    look : str
        Which of the styles of ``panel.css`` it takes.
    """

    kind: ClassVar[str] = ""
    hidden = traitlets.Bool(False).tag(page=True)
    look = traitlets.Unicode("").tag(page=True)
    focused = traitlets.Int(0).tag(page=True)

    def __init__(self, **facts: Any) -> None:  # noqa: ANN401  traits of any kind
        self.id = new_id()
        super().__init__(**facts)

    def focus(self) -> None:
        """Give it the keyboard, in a page where somebody works in its panel."""
        self.focused += 1

    def state(self) -> dict[str, Any]:
        """What a page must know to show it, as JSON."""
        return {"kind": self.kind, **{name: getattr(self, name) for name in self.trait_names(page=True)}}


class Html(Control):
    """HTML of a template of ours: every text of the data is escaped in it."""

    kind = "html"
    value = traitlets.Unicode("").tag(page=True)

    def __init__(self, value: str = "", **facts: Any) -> None:  # noqa: ANN401
        super().__init__(value=value, **facts)


class Button(Control):
    """A button. One that is disabled does nothing, and can keep the keyboard.

    Attributes
    ----------
    description : str
    icon : str
        One of ``icons.ts``.
    tooltip : str
        Default: the description.
    disabled : bool
    """

    kind = "button"
    description = traitlets.Unicode("").tag(page=True)
    icon = traitlets.Unicode("").tag(page=True)
    tooltip = traitlets.Unicode("").tag(page=True)
    disabled = traitlets.Bool(False).tag(page=True)

    def __init__(self, description: str = "", icon: str = "", **facts: Any) -> None:  # noqa: ANN401
        self._clicked: list[Callable[[Button], object]] = []
        super().__init__(description=description, icon=icon, **facts)

    def on_click(self, function: Callable[[Button], object]) -> None:
        """Call a function with the button when it is clicked."""
        self._clicked.append(function)

    def click(self) -> None:
        """Click it."""
        if not self.disabled:
            for function in self._clicked:
                function(self)


class Field(Control):
    """What a person sets, and Python as well.

    Attributes
    ----------
    label : str
    value
    said : str
        The name that a page gave its word, while the value is that word: a page which has said more since lets it be.
    """

    label = traitlets.Unicode("").tag(page=True)
    said = traitlets.Unicode("").tag(page=True)
    _taken: object = None

    def __init__(self, label: str, **facts: Any) -> None:  # noqa: ANN401
        super().__init__(label=label, **facts)
        self.observe(self._changed, "value")

    def take(self, value: object, said: object = "") -> None:
        """Take a value from a page; what cannot be one is let be.

        Parameters
        ----------
        value : object
        said : object
            What the page calls this word of its.
        """
        if self._can_be(value):
            self._taken = self._read(value)
            self.said = said if isinstance(said, str) else ""
            self.value = self._taken

    def _changed(self, change: traitlets.Bunch) -> None:
        if change["new"] != self._taken:
            self.said = ""

    def _can_be(self, value: object) -> bool:
        return isinstance(value, str)

    def _read(self, value: Any) -> Any:  # noqa: ANN401  what can be one
        return value


class Text(Field):
    """A line to type in. The one that looks like a ``"search"`` has the keyboard after ``/``: Enter opens the first result."""

    kind = "text"
    value = traitlets.Unicode("").tag(page=True)
    placeholder = traitlets.Unicode("").tag(page=True)
    width = traitlets.Int(220).tag(page=True)

    def __init__(self, label: str, **facts: Any) -> None:  # noqa: ANN401
        self._entered: list[Callable[[], object]] = []
        super().__init__(label, **facts)

    def on_enter(self, function: Callable[[], object]) -> None:
        """Call a function when somebody presses Enter in it."""
        self._entered.append(function)

    def enter(self) -> None:
        """Press Enter."""
        for function in self._entered:
            function()


class Number(Field):
    """A number, none below zero.

    Attributes
    ----------
    unit : str
        What stands behind it.
    """

    kind = "number"
    value = traitlets.Float(0.0).tag(page=True)
    tooltip = traitlets.Unicode("").tag(page=True)
    unit = traitlets.Unicode("").tag(page=True)
    step = traitlets.Float(1.0).tag(page=True)

    def _can_be(self, value: object) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _MOST  # which nan is not

    def _read(self, value: Any) -> float:  # noqa: ANN401
        return float(value)


class Choice(Field):
    """One of some values, as buttons in a row (``chips``), as those under a heading (``facet``), or as a ``menu``.

    Attributes
    ----------
    options : list
        Text and value of each; a text alone is its own value.
    value
        What is chosen: the first, until another is; None where there are none, or nothing is chosen.
    """

    kind = "choice"
    options: traitlets.List[Any] = traitlets.List()
    value = traitlets.Any(None, allow_none=True)

    def __init__(
        self,
        label: str,
        options: Sequence[Any] = (),
        *,
        value: Any = None,  # noqa: ANN401
        look: str = "chips",
        **facts: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(label, look=look, **facts)
        self.observe(self._keep, "options")
        self.options = list(options)
        if value is not None:
            self.value = value

    @traitlets.validate("options")
    def _pairs(self, proposal: traitlets.Bunch) -> list[tuple[str, Any]]:
        return [(one, one) if isinstance(one, str) else (one[0], one[1]) for one in proposal["value"]]

    @traitlets.validate("value")
    def _there(self, proposal: traitlets.Bunch) -> Any:  # noqa: ANN401
        value = proposal["value"]
        if value is not None and value not in self.values:
            raise traitlets.TraitError(self._no_such(value))
        return value

    def _no_such(self, value: object) -> str:
        return f"{value!r} cannot be chosen. There are: {self.values}."

    def _keep(self, _: traitlets.Bunch) -> None:
        """What is chosen stays where it is still there."""
        if self.value is None or self.value not in self.values:
            self.value = self.values[0] if self.values else None

    @property
    def values(self) -> list[Any]:
        """What can be chosen."""
        return [value for _, value in self.options]

    def state(self) -> dict[str, Any]:
        """What a page must know: of each option its text, and a key to name it by."""
        options = [[text, _key(value)] for text, value in self.options]
        return {**super().state(), "options": options, "value": None if self.value is None else _key(self.value)}

    def _can_be(self, value: object) -> bool:
        return isinstance(value, str) and value in map(_key, self.values)

    def _read(self, value: Any) -> Any:  # noqa: ANN401
        return next(one for one in self.values if _key(one) == value)


class Box(Control):
    """Controls, tables, graphs and panels, from top to bottom.

    Attributes
    ----------
    children : list
    share : int
        Of the width, beside the others of a row that looks like a ``"split"``.
    label : str
        What a screen reader calls it.
    escape : Button or None
        What the Escape key clicks while the box is on screen.
    """

    kind = "column"
    children: traitlets.List[Any] = traitlets.List()
    share = traitlets.Int(0).tag(page=True)
    label = traitlets.Unicode("").tag(page=True)
    revealed = traitlets.Int(0).tag(page=True)
    escape = traitlets.Instance(Button, None, allow_none=True)

    def __init__(self, children: Sequence[Any] = (), **facts: Any) -> None:  # noqa: ANN401
        super().__init__(children=list(children), **facts)

    def reveal(self) -> None:
        """Go to it, in a page that is too narrow to have it beside what somebody clicked."""
        self.revealed += 1

    def state(self) -> dict[str, Any]:
        """What a page must know: the ids of what is in it."""
        escape = None if self.escape is None else self.escape.id
        return {**super().state(), "children": [id_of(child) for child in self.children], "escape": escape}


class Column(Box):
    """From top to bottom."""


class Row(Box):
    """Side by side, in more lines where one is too short."""

    kind = "row"


def id_of(part: Any) -> str:  # noqa: ANN401
    """The id of a control or a panel; that of a table or a graph is its channel's."""
    return str(part.id if hasattr(part, "id") else part.comm.comm_id)


def walk(part: Any, *, hidden: bool = True) -> Iterator[Any]:  # noqa: ANN401
    """A part of a panel and what is in it, from top to bottom, with what is hidden or without."""
    if hidden or not getattr(part, "hidden", False):
        yield part
        for child in getattr(part, "children", ()):
            yield from walk(child, hidden=hidden)


def _key(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
