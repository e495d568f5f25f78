"""HTML from templates: one environment that escapes every value and spells out invisible and text-reversing characters.

The templates are in ``templates/``; Python passes them plain data. jinja2 is imported for the first page.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from kimono_explore.display import printable, printable_cell

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from jinja2 import Environment
    from markupsafe import Markup
    from numpy.typing import NDArray
    from pandas.api.extensions import ExtensionArray

_UNSAFE = ("e", "escape", "forceescape", "safe", "striptags", "tojson", "urlize", "xmlattr")
"""jinja2's filters that make Markup of any text: it would then be taken as it comes."""


def render(template: str, **facts: object) -> str:
    """Render a template as plain text for a notebook, a widget or a file.

    Parameters
    ----------
    template : str
        A file of ``templates/``.
    **facts : object
        What the template shows. Every text is escaped, even one that holds HTML; only a `frame_html` is used as it is.

    Examples
    --------
    >>> render("line.html", text="a < b", role="status", quiet=True)
    '<div role="status" class="kx quiet">a &lt; b</div>'
    """
    return _environment().get_template(template).render(facts)


def frame_html(
    df: pd.DataFrame,
    *,
    index: bool = True,
    na_rep: str = "NaN",
    formatters: Mapping[Hashable, Callable[[object], str]] | None = None,
) -> Markup:
    """A table as pandas shows it in a notebook, its texts and the names of its columns and rows `printable`.

    Parameters
    ----------
    df : pandas.DataFrame
    index, na_rep, formatters
        As `pandas.DataFrame.to_html` takes them.
    """
    from markupsafe import Markup

    seen = df.rename(columns=printable_cell, index=printable_cell)
    for place in range(len(df.columns)):
        seen.isetitem(place, _seen(seen.iloc[:, place]))
    text = seen.to_html(border=0, notebook=True, escape=True, index=index, na_rep=na_rep, formatters=formatters)
    return Markup(text)  # noqa: S704  pandas has escaped every cell, and the names of rows and columns


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        loader=PackageLoader("kimono_explore", "templates"),
    )
    environment.filters["count"] = "{:,}".format
    for name in _UNSAFE:
        del environment.filters[name]
    return environment


def _finalize(value: object) -> object:
    """What jinja2 asks before it escapes the value of an expression."""
    if type(value) is str:  # nearly all of them
        return printable(value, lines=True)
    if value is None:
        raise TypeError("A template shows None: say what it should show instead.")
    from markupsafe import Markup

    return value if isinstance(value, (int, float, Markup)) else printable(value, lines=True)


def _seen(column: pd.Series) -> ExtensionArray | NDArray[Any]:
    """A column whose texts are printable; other columns stay as they are, so that pandas formats them as before."""
    if isinstance(column.dtype, (pd.StringDtype, pd.CategoricalDtype)) or column.dtype == "object":
        column = column.astype("object").map(printable_cell)
    return column.array
