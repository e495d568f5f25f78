"""A table filtered by the bars of its columns: all counts narrow together, and the filter is words and pandas code."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from kimono_explore.display import printable
from kimono_explore.widgets.bins import Bins, make_bins

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import pandas as pd
    from numpy.typing import NDArray


class Crossfilter:
    """What is chosen of each column of a table, and what is left.

    Parameters
    ----------
    df : pandas.DataFrame
        Its columns are addressed by position: names may be there twice.
    before : Crossfilter, optional
        Of other rows: what is chosen there is chosen here too, in columns of the same name.
    """

    def __init__(self, df: pd.DataFrame, before: Crossfilter | None = None) -> None:
        self.df = df
        self.chosen: dict[int, list[int]] = {}
        self._like = {} if before is None else before.bins_of_chosen(df.columns)
        for column, (_, labels) in self._like.items():
            there = self.bins[column].labels
            self.choose(column, [there.index(label) for label in labels if label in there])

    def bins_of_chosen(self, names: pd.Index) -> dict[int, tuple[Bins, list[str]]]:
        """The bars, and the labels that are chosen of them, by where their column stands among these names."""
        mine = list(self.df.columns)
        return {
            list(names).index(mine[column]): (self.bins[column], [self.bins[column].labels[bar] for bar in bars])
            for column, bars in self.chosen.items()
            if mine.count(mine[column]) == 1 and list(names).count(mine[column]) == 1
        }

    @cached_property
    def bins(self) -> list[Bins]:
        """The bars of each column."""
        before = {column: bins for column, (bins, _) in self._like.items()}
        return [make_bins(self.df.iloc[:, column], before.get(column)) for column in range(self.df.shape[1])]

    @cached_property
    def totals(self) -> list[list[int]]:
        """How many rows each bar has where nothing is filtered."""
        return self._count(np.ones(len(self.df), dtype=bool))

    def choose(self, column: int, bars: Iterable[int]) -> None:
        """Keep the rows of these bars of a column only; of none: all of them again."""
        there = sorted({bar for bar in bars if 0 <= bar < len(self.bins[column].labels)})
        if there:
            self.chosen[column] = there
        else:
            self.chosen.pop(column, None)

    def rows(self) -> NDArray[np.bool_]:
        """Which rows are left."""
        left = np.ones(len(self.df), dtype=bool)
        for column, bars in self.chosen.items():
            wanted = np.zeros(len(self.bins[column].labels) + 1, dtype=bool)  # the last: in no bar
            wanted[bars] = True
            left &= wanted[self.bins[column].of_row]
        return left

    def counts(self) -> list[list[int]]:
        """How many rows each bar has of those that are left."""
        return self._count(self.rows()) if self.chosen else self.totals

    def _count(self, rows: NDArray[np.bool_]) -> list[list[int]]:
        counts = []
        for bins in self.bins:
            mine = bins.of_row[rows]
            counts.append(np.bincount(mine[mine >= 0], minlength=len(bins.labels)).tolist())
        return counts

    @property
    def filter(self) -> dict[Any, list[str]]:
        """What is chosen: the labels of bars by the name of their column."""
        return {
            self.df.columns[column]: [self.bins[column].labels[bar] for bar in bars]
            for column, bars in sorted(self.chosen.items())
        }

    def parts(
        self, words: Callable[[str], str] | None = None, bins: Sequence[Bins] | None = None
    ) -> list[tuple[int, str]]:
        """The filter as words, column by column: ``[(2, "grade is 9 or 10")]``.

        Parameters
        ----------
        words : callable, optional
            What a column is called, by its name. Default: its name.
        bins : sequence of Bins, optional
            The bars with other labels. Default: as they are.
        """
        called, bins = words or str, bins or self.bins
        return [
            (
                column,
                f"{called(printable(self.df.columns[column]))} {bins[column].verb} {bins[column].say(bars)}",
            )
            for column, bars in sorted(self.chosen.items())
        ]

    @property
    def sentence(self) -> str:
        """The filter as words: ``"grade is 9 or 10; school is Lincoln"``; nothing where nothing is chosen."""
        return "; ".join(text for _, text in self.parts())

    @property
    def code(self) -> str:
        """The filter as an expression of pandas, on a table named df."""
        conditions = [self.bins[column].code(self._name(column), bars) for column, bars in sorted(self.chosen.items())]
        return f"df[{' & '.join(conditions)}]" if conditions else "df"

    def _name(self, column: int) -> str:
        name = self.df.columns[column]
        once = (self.df.columns == name).sum() == 1 and isinstance(name, (str, int))
        return f"df[{name!r}]" if once else f"df.iloc[:, {column}]"
