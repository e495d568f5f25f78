"""Pictures on dark paper: the same drawing, each color of the palette in the shade that is read there.

A picture is drawn in the colors for white paper; they are all replaced at the end, so that no color can be forgotten.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axis import Axis
from matplotlib.collections import Collection
from matplotlib.colors import LinearSegmentedColormap, to_hex, to_rgb, to_rgba, to_rgba_array
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

from kimono_explore.palette import DARK_PAPER, HEAT, ON_DARK

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.typing import ColorType

    Turn = Callable[[Any], ColorType | None]

P = ParamSpec("P")
Drawn = TypeVar("Drawn", "Axes", Figure)

HEAT_MAP = LinearSegmentedColormap.from_list("kimono", list(HEAT))
_HEAT_ON_DARK = LinearSegmentedColormap.from_list("kimono on dark", list(reversed(HEAT)))


def set_paper(figure: Figure, *, dark: bool | None) -> None:
    """Set the background of a figure: dark, white, or (None) that of matplotlib's style."""
    if dark is not None:
        paper = DARK_PAPER if dark else "white"
        figure.set(facecolor=paper, edgecolor=paper)


def follows_paper(draw: Callable[P, Drawn]) -> Callable[P, Drawn]:
    """Make a picture's colors fit the background of its figure, whoever made the figure."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Drawn:
        picture = draw(*args, **kwargs)
        figure = picture if isinstance(picture, Figure) else picture.get_figure(root=True)
        assert figure is not None
        paper, behind_axes = to_hex(figure.get_facecolor()), to_hex(plt.rcParams["axes.facecolor"])
        if _is_dark(paper):
            _replace_colors(picture, {"#ffffff": paper, **ON_DARK})
        elif behind_axes != paper:
            _replace_colors(picture, {behind_axes: paper})
        return picture

    return drawn


def _is_dark(color: ColorType) -> bool:
    return float(np.dot(to_rgb(color), (0.2126, 0.7152, 0.0722))) < 0.5


def _replace_colors(picture: Axes | Figure, shades: dict[str, str]) -> None:
    """Replace each color by its shade, wherever it is used."""

    def turn(color: ColorType) -> ColorType | None:
        """The color that replaces this one; None if it stays."""
        red, green, blue, alpha = to_rgba(color)
        found = shades.get(to_hex((red, green, blue))) if alpha else None
        return None if found is None else to_rgba(found, alpha)

    # A color bar beside the axes has axes of its own.
    images = [artist for artist in picture.findobj(AxesImage) if isinstance(artist, AxesImage)]
    scales = [image.colorbar.ax for image in images if image.colorbar is not None]
    for part in (picture, *scales):
        # What is made when the picture is drawn, such as the ticks of another range, takes its colors from the axis.
        for axis in part.findobj(Axis):
            _turn_axis(axis, turn)
        for artist in part.findobj():
            _replace_colors_of(artist, turn, dark=len(shades) > 1)


def _turn_axis(axis: Axis, turn: Turn) -> None:
    labels = [(label, label.get_color()) for tick in axis.get_major_ticks() for label in (tick.label1, tick.label2)]
    for which in ("major", "minor"):
        has = axis.get_tick_params(which)
        turned: dict[str, Any] = {
            name: turn(has[name]) for name in ("color", "labelcolor", "grid_color") if name in has
        }
        axis.set_tick_params(which, **{name: color for name, color in turned.items() if color is not None})
    for label, color in labels:  # a name in red stays in red, until its turn
        label.set_color(color)


def _replace_colors_of(artist: Artist, turn: Turn, *, dark: bool) -> None:
    if isinstance(artist, Text):
        _replace(artist, turn, "color")
        box = artist.get_bbox_patch()
        if box is not None:
            _replace(box, turn, "facecolor", "edgecolor")
    elif isinstance(artist, Line2D):
        _replace(artist, turn, "color", "markerfacecolor", "markeredgecolor")
    elif isinstance(artist, Patch):
        _replace(artist, turn, "facecolor", "edgecolor")
    elif isinstance(artist, AxesImage):
        if dark and artist.get_cmap() == HEAT_MAP:
            artist.set_cmap(_HEAT_ON_DARK)
    elif isinstance(artist, Collection) and artist.get_array() is None:
        for name in ("facecolor", "edgecolor"):
            colors = [turn(color) or color for color in to_rgba_array(getattr(artist, f"get_{name}")())]
            getattr(artist, f"set_{name}")(colors)


def _replace(artist: Artist, turn: Turn, *names: str) -> None:
    for name in names:
        color = turn(getattr(artist, f"get_{name}")())
        if color is not None:
            artist.set(**{name: color})
