"""Names in any script: which installed font has a character that matplotlib's own font lacks.

matplotlib looks for installed fonts only once and caches the list. So the system is asked again when a character is first
needed.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib import font_manager

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.text import Text

BOX = "\u25a1"

# File names, as they begin without spaces and hyphens, of fonts made to cover many languages; the first come first.
_BROAD_FONTS = (
    "notosanscjk", "notosansarabic", "notosanshebrew", "notosansdevanagari", "notosansthai", "notoemoji",
    "notosanssymbols", "notosansmath", "notosans", "notonaskharabic", "sourcehansans", "wqy", "droidsansfallback", "unifont",
    "segoeui", "seguisym", "seguiemj", "msyh", "msgothic", "malgun", "arialuni", "pingfang", "hiragino", "applesdgothic",
)  # fmt: skip
_UNSUITABLE = ("bold", "italic", "mono", "condensed", "light", "thin", "black", "medium", "coloremoji", "lastresort")
_INVISIBLE = "\u200b\u200c\u200d\ufe0e\ufe0f"
_DIRECTION_MARKS = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def set_words(text: Text, words: str) -> None:
    """Set a text that is data: a dollar sign does not start a formula, and a letter that no font has becomes a box."""
    text.set_parse_math(False)
    clean = printable(words)
    own = tuple(text.get_fontfamily())
    wanted = sorted({c for c in clean if ord(c) > 0x7E and ord(c) not in _letters(_file(own))})
    found = {c: _family_with(c) for c in wanted}
    others = list(dict.fromkeys(family for family in found.values() if family))
    if others:
        text.set_fontfamily([*own, *others])
    # Text around a name in Arabic or Hebrew keeps its place: the line runs from left to right.
    mark = "\u200e" if any(unicodedata.bidirectional(c) in ("R", "AL") for c in clean) else ""
    text.set_text(mark + "".join(_shown(c, found) for c in clean))


def printable(words: str) -> str:
    """The words on one line, without characters that turn the direction of what follows."""
    kept = (" " if not c.isprintable() and c not in _INVISIBLE else c for c in words if c not in _DIRECTION_MARKS)
    return " ".join("".join(kept).split())


def _shown(char: str, found: dict[str, str | None]) -> str:
    if char not in found or found[char]:
        return char
    # Characters that join others or pick their color have no shape of their own.
    return "" if char in _INVISIBLE else BOX


@cache
def _file(families: Sequence[str]) -> str:
    return str(font_manager.findfont(font_manager.FontProperties(family=list(families))))


@cache
def _letters(path: str) -> frozenset[int]:
    try:
        return frozenset(font_manager.get_font(path).get_charmap())
    except (OSError, RuntimeError):  # a file that is not a font, or is one of bitmaps
        return frozenset()


@cache
def _family_with(char: str) -> str | None:
    """The name of a font that has the letter, made known to matplotlib."""
    for path in _installed():
        if ord(char) in _letters(path):
            return _registered(path)
    return None


@cache
def _installed() -> tuple[str, ...]:
    ranked = [(rank, path) for path in font_manager.findSystemFonts() if (rank := _rank(path)) is not None]
    return tuple(path for _, path in sorted(ranked))


def _rank(path: str) -> int | None:
    name = Path(path).stem.lower().replace(" ", "").replace("-", "").replace("_", "")
    if any(word in name for word in _UNSUITABLE):
        return None
    return next((n for n, begin in enumerate(_BROAD_FONTS) if name.startswith(begin)), None)


@cache
def _registered(path: str) -> str:
    manager = font_manager.fontManager
    if not any(entry.fname == path for entry in manager.ttflist):
        manager.addfont(path)
    return next(entry.name for entry in manager.ttflist if entry.fname == path)


def inches(words: str, size: float) -> float:
    """The approximate width of the words, in inches, at a font size in points."""
    path = _file(("sans-serif",))
    letters = _letters(path)
    font = font_manager.get_font(path)
    font.set_size(size, 72)
    font.set_text("".join(c for c in words if ord(c) in letters))
    others = sum(ord(c) not in letters and c not in _INVISIBLE for c in words)
    return float(font.get_width_height()[0] / 64 + others * size * 1.1) / 72
