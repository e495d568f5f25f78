"""How a column is made up: a few bars, each of which says in pandas which rows are its own."""

from __future__ import annotations

import unicodedata
from math import ceil, floor, log10
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from kimono_explore.display import printable
from kimono_explore.roster.text import plain_texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_MOST_BARS, _MOST_CATEGORIES, _MOST_DIFFERENT = 20, 8, 200
_AT_FIRST = 2_000
"""Rows that are looked at first."""
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_FEWEST_LETTERS, _MOST_OTHERS = 5, 0.5
"""The least number of letters with a bar in a picture from A to Z, and the largest share of values without one."""
_DAY = 86_400
_STEPS = (1, 10, 60, 300, 900, 3_600, 21_600, _DAY, 7 * _DAY, 14 * _DAY, 30 * _DAY, 91 * _DAY, 365 * _DAY)
"""Seconds that a bar of a column of times is wide; wider ones are whole numbers of the last."""
_PLAIN = (str, bool, int, float, np.generic)


class Bins(NamedTuple):
    """The bars of a column, and which of them each row is in (-1: in none)."""

    kind: str
    """``"range"`` (numbers and times), ``"initial"`` (texts by their first letter), ``"value"`` (few values),
    ``"ordered"`` (few values in an order of their own) or ``"different"`` (too many: no bars)."""
    labels: list[str]
    of_row: NDArray[np.int16]
    different: int
    edges: list[object]
    """Of ranges: where each begins. Of values: the values. Other and missing are not in it."""
    has_other: bool
    has_missing: bool
    as_text: bool
    """Whether values are compared as text, since Python's own of several kinds cannot be written down."""

    @property
    def verb(self) -> str:
        """What stands between the name of the column and `say`."""
        return "begins with" if self.kind == "initial" else "is"

    def say(self, chosen: Sequence[int]) -> str:
        """The chosen bars as words: ``"9 or 10"``, ``"3 to 7"``."""
        if self.kind in ("range", "initial", "ordered"):
            words = []
            for first, last in _runs([bar for bar in chosen if self._real(bar)]):
                two_numbers = last == first + 1 and " to " not in self.labels[first] + self.labels[last]
                words += self.labels[first : last + 1] if two_numbers else [self._range_label(first, last)]
            words += [self.labels[bar] for bar in chosen if not self._real(bar)]
        else:
            words = [self.labels[bar] for bar in chosen]
        return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"

    def code(self, column: str, chosen: Sequence[int]) -> str:
        """The chosen bars as a pandas condition on a column."""
        real = [bar for bar in chosen if self._real(bar)]
        parts = []
        if self.kind == "initial":
            return self._code_of_letters(column, real, chosen)
        if self.kind == "range":
            parts = [self._range_code(column, first, last) for first, last in _runs(real)]
        elif real:
            text = f"{column}.astype(str)" if self.as_text else column
            if not self.as_text or not self.has_missing:
                parts = [f"{text}.isin([{', '.join(_literal(self.edges[bar]) for bar in real)}])"]
            else:
                values = ", ".join(_literal(self.edges[bar]) for bar in real)
                parts = [f"({text}.isin([{values}]) & {column}.notna())"]
        if self.has_other and len(self.edges) in chosen:
            text = f"{column}.astype(str)" if self.as_text else column
            parts.append(f"(~{text}.isin([{', '.join(map(_literal, self.edges))}]) & {column}.notna())")
        if self.has_missing and len(self.labels) - 1 in chosen:
            parts.append(f"{column}.isna()")
        return parts[0] if len(parts) == 1 else f"({' | '.join(parts)})"

    def _code_of_letters(self, column: str, real: Sequence[int], chosen: Sequence[int]) -> str:
        first = f'{column}.str.normalize("NFKD").str[:1].str.upper()'
        parts = [f'{first}.isin(list("{"".join(str(self.edges[bar]) for bar in real)}"))'] if real else []
        if self.has_other and len(self.edges) in chosen:
            parts.append(f'(~{first}.isin(list("{_LETTERS}")) & {column}.notna())')
        if self.has_missing and len(self.labels) - 1 in chosen:
            parts.append(f"{column}.isna()")
        return parts[0] if len(parts) == 1 else f"({' | '.join(parts)})"

    def _real(self, bar: int) -> bool:
        return bar < len(self.edges)

    def _range_label(self, first: int, last: int) -> str:
        begin = self.labels[first].split(" to ")[0]
        return begin if first == last and " to " not in self.labels[first] else f"{begin} to {_end(self.labels[last])}"

    def _range_code(self, column: str, first: int, last: int) -> str:
        # The first bar has no lower end and the last no upper one: infinities are in them.
        lower = f"{column} >= {_literal(self.edges[first])}" if first else ""
        upper = f"{column} < {_literal(self.edges[last + 1])}" if last + 1 < len(self.edges) else ""
        if lower and upper:
            return f"(({lower}) & ({upper}))"
        return f"({lower or upper})" if lower or upper else f"{column}.notna()"


def make_bins(values: pd.Series, like: Bins | None = None) -> Bins:
    """The bars of a column: a histogram of numbers and times, the most frequent of few values, the first letters of many.

    Parameters
    ----------
    values : pandas.Series
    like : Bins, optional
        Of the same column before: ranges begin where they began, and the values that had a bar keep it, even if none is
        left, so that what was chosen still means the same.
    """
    missing = values.isna().to_numpy(dtype=bool)
    if like is not None and _is_alike(values, like):
        return _again(values, missing, like)
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return _ranges_of_times(values, missing)
    if _is_real_number(values):
        return _ranges_of_numbers(values, missing)
    return _values(values, missing)


def _is_alike(values: pd.Series, like: Bins) -> bool:
    """Whether a column can have the bars that it had."""
    if like.kind == "range":
        times = any(isinstance(edge, pd.Timestamp) for edge in like.edges)
        zones = {edge.tz for edge in like.edges if isinstance(edge, pd.Timestamp)}
        if pd.api.types.is_datetime64_any_dtype(values.dtype):
            return times and zones == {getattr(values.dtype, "tz", None)}
        return bool(like.edges) and not times and _is_real_number(values)
    if like.kind == "initial":
        return isinstance(values.dtype, pd.StringDtype)
    plain = not (pd.api.types.is_datetime64_any_dtype(values.dtype) or _is_real_number(values))
    return like.kind in ("value", "ordered") and plain and like.as_text == (not _is_plain(values[values.notna()]))


def _again(values: pd.Series, missing: NDArray[np.bool_], like: Bins) -> Bins:
    """The bars that a column had, of other rows."""
    if like.kind in ("value", "ordered"):
        return _values(values, missing, like)
    if like.kind == "initial":
        return _initials(values, missing, like)
    if isinstance(like.edges[0], pd.Timestamp):
        begins: list[object] = [_seconds(pd.DatetimeIndex([edge]))[0] for edge in like.edges]
        numbers = _seconds(pd.DatetimeIndex(values))
    else:
        begins, numbers = like.edges, values.to_numpy(dtype="float64", na_value=np.nan)
    labels, different = like.labels[: len(begins)], int(values.nunique())
    return _ranges(numbers, missing, begins, labels, different, has_missing=like.has_missing)._replace(edges=like.edges)


def _is_real_number(values: pd.Series) -> bool:
    dtype = values.dtype
    return bool(
        pd.api.types.is_numeric_dtype(dtype)
        and not pd.api.types.is_bool_dtype(dtype)
        and not pd.api.types.is_complex_dtype(dtype)
    )


def _ranges_of_numbers(values: pd.Series, missing: NDArray[np.bool_]) -> Bins:
    numbers = values.to_numpy(dtype="float64", na_value=np.nan)
    finite = numbers[np.isfinite(numbers)]
    different = int(values.nunique())
    if not len(finite):
        some = int(not missing.all())
        return _ranges(numbers, missing, [0.0] * some, ["infinite"] * some, different)
    low, high = float(finite.min()), float(finite.max())
    whole = bool((finite == np.floor(finite)).all()) and abs(low) < 2**53 and abs(high) < 2**53
    step = _nice_step((high / _MOST_BARS) - (low / _MOST_BARS), whole=whole)
    first = floor(low / step) * step
    bars = max(1, min(_MOST_BARS + 2, floor((high - first) / step) + 1)) if np.isfinite(high - first) else 1
    edges = [_rounded(first + bar * step, step) for bar in range(bars)]
    if whole:
        edges = [int(edge) for edge in edges]
    ends = [edge + step - 1 if whole else edge + step for edge in edges]
    labels = [
        _number(edge) if whole and step == 1 else f"{_number(edge)} to {_number(end)}"
        for edge, end in zip(edges, ends, strict=True)
    ]
    return _ranges(numbers, missing, list(edges), labels, different)


def _ranges_of_times(values: pd.Series, missing: NDArray[np.bool_]) -> Bins:
    zone = getattr(values.dtype, "tz", None)
    seconds = _seconds(pd.DatetimeIndex(values))
    seconds[missing] = np.nan
    there = seconds[~missing]
    if not len(there):
        return _ranges(seconds, missing, [], [], 0)
    low, high = int(there.min()), int(there.max())
    step = next((s for s in _STEPS if (high - low) / s < _MOST_BARS), 0)
    step = step or _STEPS[-1] * ceil((high - low) / _STEPS[-1] / _MOST_BARS)
    first = floor(low / min(step, _DAY)) * min(step, _DAY)
    begins = list(range(first, high + 1, step))
    stamps = [pd.Timestamp(begin, unit="s", tz=zone) for begin in begins]
    if step < _DAY:
        labels = [f"{stamp:%Y-%m-%d %H:%M:%S}" for stamp in stamps]
    else:
        # To the end of the day before the next begins.
        ends = [pd.Timestamp(begin + step - 1, unit="s", tz=zone) for begin in begins]
        labels = [
            f"{a:%Y-%m-%d}" if step == _DAY else f"{a:%Y-%m-%d} to {b:%Y-%m-%d}"
            for a, b in zip(stamps, ends, strict=True)
        ]
    bins = _ranges(seconds, missing, list(begins), labels, int(values.nunique()))
    return bins._replace(edges=list(stamps))


def _seconds(times: pd.DatetimeIndex) -> NDArray[np.float64]:
    """Whole seconds since 1970, in UTC where there is a zone."""
    plain = times if times.tz is None else times.tz_convert("UTC")
    return np.floor_divide(plain.as_unit("us").asi8, 1_000_000).astype("float64")


def _ranges(
    numbers: NDArray[np.float64],
    missing: NDArray[np.bool_],
    edges: list[object],
    labels: list[str],
    different: int,
    *,
    has_missing: bool = False,
) -> Bins:
    of_row = np.full(len(numbers), -1, dtype=np.int16)
    if edges:
        places = np.searchsorted(np.asarray(edges, dtype="float64"), numbers, side="right") - 1
        of_row[:] = places.clip(0, len(edges) - 1)
    has_missing = has_missing or bool(missing.any())
    of_row[missing] = len(edges) if has_missing else -1
    return Bins("range", labels + ["missing"] * has_missing, of_row, different, edges, False, has_missing, False)


def _values(values: pd.Series, missing: NDArray[np.bool_], like: Bins | None = None) -> Bins:
    if like is None and _is_varied(values):
        letters = _initials(values, missing)
        if _is_telling(letters):
            return letters
    as_text = not (isinstance(values.dtype, pd.StringDtype) or _is_plain(values[~missing]))
    keys = values.astype("str") if as_text else values
    codes, uniques = pd.factorize(keys.mask(pd.Series(missing, index=values.index)) if as_text else keys)
    codes = np.where(missing, -1, codes)
    different = len(uniques)
    in_order = _order_of(uniques)
    too_many = not len(in_order) and (
        different > _MOST_DIFFERENT or (different > _MOST_CATEGORIES and different > len(values) / 2)
    )
    if too_many and like is None:
        if _begins_with_letters(values):
            letters = _initials(values, missing)
            if _is_telling(letters):
                return letters
        none = np.full(len(values), -1, dtype="int16")
        return Bins("different", [], none, different, [], False, False, as_text)
    counts = np.bincount(codes[codes >= 0], minlength=different)
    order = np.argsort(-counts, kind="stable")
    top = in_order.tolist() if len(in_order) else order[:_MOST_CATEGORIES].tolist()
    kind = "ordered" if len(in_order) else "value"
    edges: list[object] = [uniques[position] for position in top]
    if like is not None:
        edges, kind = list(like.edges), like.kind
        places = {value: position for position, value in enumerate(uniques)}
        top = [places.get(edge) for edge in edges]
    has_other = different > len(top) - top.count(None) or (like is not None and like.has_other)
    has_missing = bool(missing.any()) or (like is not None and like.has_missing)
    bar = np.full(different + 1, len(edges), dtype="int16")  # the last is what is missing
    for number, position in enumerate(top):
        if position is not None:
            bar[position] = number
    bar[-1] = len(edges) + has_other if has_missing else -1
    labels = [printable(edge) for edge in edges] + ["another"] * has_other + ["missing"] * has_missing
    return Bins(kind, labels, bar[codes], different, edges, has_other, has_missing, as_text)


def _order_of(different: object) -> NDArray[np.int64]:
    """Where the different values of a column stand that has an order, such as grades; none where it has no order."""
    ordered = isinstance(different, pd.CategoricalIndex) and different.ordered and len(different) <= _MOST_BARS + 2
    return np.argsort(different.codes, kind="stable") if ordered else np.empty(0, dtype="int64")  # type: ignore[attr-defined]


def _is_varied(values: pd.Series) -> bool:
    """Whether the first rows of a column tell already that it has more different texts than are counted one by one."""
    return _begins_with_letters(values) and values.head(_AT_FIRST).nunique() > _MOST_DIFFERENT


def _begins_with_letters(values: pd.Series) -> bool:
    """Whether a first letter says something: not of an id."""
    is_id = isinstance(values.name, str) and (values.name == "id" or values.name.endswith("_id"))
    return isinstance(values.dtype, pd.StringDtype) and not is_id


def _initials(values: pd.Series, missing: NDArray[np.bool_], like: Bins | None = None) -> Bins:
    """Texts by their first letter, without accents: A to Z, and others. Only different first letters are looked at."""
    texts = plain_texts(values)
    first = pc.utf8_slice_codeunits(texts, 0, 1).dictionary_encode()
    letters = [unicodedata.normalize("NFKD", text)[:1].upper() for text in first.dictionary.to_pylist()]
    places = [_LETTERS.find(letter) if len(letter) == 1 else -1 for letter in letters]
    bar = np.array([place if place >= 0 else len(_LETTERS) for place in places] + [0], dtype="int16")
    of_row = bar[first.indices.fill_null(-1).to_numpy(zero_copy_only=False)]
    has_other = bool((of_row[~missing] == len(_LETTERS)).any()) or (like is not None and like.has_other)
    has_missing = bool(missing.any()) or (like is not None and like.has_missing)
    of_row[missing] = len(_LETTERS) + has_other
    labels = [*_LETTERS, *["other"] * has_other, *["missing"] * has_missing]
    return Bins("initial", labels, of_row, int(values.nunique()), list(_LETTERS), has_other, has_missing, False)


def _is_telling(letters: Bins) -> bool:
    """Whether a picture from A to Z says something: of codes that all begin alike, or with figures, it does not."""
    counts = np.bincount(letters.of_row[letters.of_row < len(_LETTERS)], minlength=len(_LETTERS))
    there = len(letters.of_row) - int(letters.has_missing and (letters.of_row == len(letters.labels) - 1).sum())
    return bool((counts > 0).sum() >= _FEWEST_LETTERS and counts.sum() >= there * (1 - _MOST_OTHERS))


def _is_plain(values: pd.Series) -> bool:
    """Whether each value can be written down as a literal, and looked for."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = pd.Series(values.cat.categories)
    if pd.api.types.is_string_dtype(values.dtype) and values.dtype != object:
        return True
    if pd.api.types.is_bool_dtype(values.dtype) and values.dtype != object:
        return True
    return all(type(value) in _PLAIN for value in values)


def _runs(bars: Sequence[int]) -> list[tuple[int, int]]:
    """Neighbours together: ``[1, 2, 5]`` is ``[(1, 2), (5, 5)]``."""
    runs: list[tuple[int, int]] = []
    for bar in bars:
        if runs and runs[-1][1] == bar - 1:
            runs[-1] = (runs[-1][0], bar)
        else:
            runs.append((bar, bar))
    return runs


def _nice_step(rough: float, *, whole: bool) -> float:
    """The next of 1, 2, 5, 10 ..., that is not smaller."""
    if not rough > 0:
        return 1
    power = 10.0 ** floor(log10(rough))
    step = next((m * power for m in (1, 2, 5, 10) if m * power >= rough), 10 * power)
    return max(1, round(step)) if whole else step


def _rounded(edge: float, step: float) -> float:
    """Without what binary fractions add: 0.3, not 0.30000000000000004."""
    return round(edge, max(0, 2 - floor(log10(step)))) if step < 1 else float(edge)


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"


def _end(label: str) -> str:
    return label.split(" to ")[-1]


def _literal(value: object) -> str:
    if isinstance(value, pd.Timestamp):
        return f'pd.Timestamp("{value.isoformat()}")'
    return repr(value.item() if isinstance(value, np.generic) else value)
