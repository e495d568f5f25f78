"""A report on a roster: its findings, and ways to share them."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pandas as pd

from kimono_explore.atomic import atomic_file
from kimono_explore.display import printable
from kimono_explore.errors import KimonoError, RosterFailedError
from kimono_explore.export import no_formulas
from kimono_explore.quality.findings import Findings
from kimono_explore.quality.folder import is_folder, write_folder
from kimono_explore.quality.message import UNCHECKED, make_message, message_html, message_text
from kimono_explore.quality.page import make_note, make_page

if TYPE_CHECKING:
    import os


class Report(Findings):
    """What is wrong with a roster, or with a task queue.

    Attributes
    ----------
    outcomes : list of Outcome
        One for each check.
    source : str
        What was checked, in words.
    as_of : datetime.date
        The day that counted as today.
    district : str
        Its name; empty where the roster has none, or several.
    as_of_reason : str
        Why it is not the day of loading; empty where it is, or was given.
    engine : str
    seconds : float
        How long the checks took.
    roster : Roster or None
        What was checked, where it was in memory.
    notices : list of str
        Waivers that have expired.
    changes : pandas.DataFrame or None
        What `since` found last.
    history : pandas.DataFrame or None
        What `trend` found last.
    """

    def assert_no_errors(self, threshold: float = 0.0) -> None:
        """Raise unless every check of severity error passed.

        Parameters
        ----------
        threshold : float, default 0
            Percentage of checked rows allowed to fail, 0 to 100.

        Raises
        ------
        RosterFailedError
            Names the checks that failed, with their counts; or says that nothing was checked.

        Examples
        --------
        >>> kx.check(roster).assert_no_errors()
        """
        if self.unchecked:
            raise RosterFailedError(f"{self.source}: {UNCHECKED}")
        failed = self.failed("error", threshold)
        if len(failed):
            listed = "; ".join(
                f"{row.id}: {row.failed:,} of {row.checked:,}" if row.status == "failed" else f"{row.id}: {row.reason}"
                for row in failed.itertuples()
            )
            raise RosterFailedError(
                f"{len(failed)} checks of severity error failed on {self.source}: {listed}. report.failures(id) has the rows."
            )

    def to_html(self, path: str | os.PathLike[str], rows: int = 20, *, private: bool = True) -> None:
        """Write the report as one page that needs nothing else: no network, no scripts.

        Into a folder, it writes ``index.html`` and beside it the failing rows of each check, all of them, as CSV and xlsx.
        A new folder is written whole or not at all; in one that exists, all files of the report or none are replaced, and
        others stay. It holds personal data: the labels and values of failing rows.

        Parameters
        ----------
        path : str or path
            A file that ends in ``.html``; or a folder, new or there already.
        rows : int, default 20
            Show at most this many failing rows of each check.
        private : bool, default True
            Each file is readable by you alone (0600). False leaves that to your umask.
        """
        if not is_folder(path):
            _write(path, make_page(self, rows), private)
            return
        try:
            write_folder(self, path, rows, private=private)
        except OSError as error:
            raise _not_written(path, error) from error

    def to_json(self, path: str | os.PathLike[str], *, private: bool = True) -> None:
        """Write everything as JSON: source, district, as_of, score, scores, summary, causes, findings, and the failures of each check.

        `since` compares with it, and `trend` counts it.

        ``private`` is as in `to_html`.
        """
        content = {
            "source": self.source,
            "district": self.district,
            "as_of": self.as_of.isoformat(),
            "as_of_reason": self.as_of_reason,
            "score": self.score,
            "scores": _records(self.scores),
            "summary": _records(self.summary),
            "notices": self.notices,
            "changed": self.changed,
            "waived": _records(self.waived),
            "findings": [
                [None if pd.isna(cell) else cell for cell in row] for row in self.findings.to_numpy().tolist()
            ],
            "causes": _records(self.causes),
            "failures": {o.check.id: _records(o.failures) for o in self.outcomes if o.failed},
        }
        _write(path, json.dumps(content, ensure_ascii=False, indent=1) + "\n", private)

    def to_csv(self, path: str | os.PathLike[str], *, private: bool = True) -> None:
        """Write every finding as a row of CSV: check, number, severity, table, id, label, org_id, org, detail.

        A cell that a spreadsheet would take for a formula is written with an apostrophe before it. ``private`` is as in
        `to_html`.
        """
        df = self.findings.copy()
        df.insert(1, "number", df["check"].map({o.check.id: o.check.number for o in self.outcomes}).astype("str"))
        text = no_formulas(df).to_csv(index=False, quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n")
        _write(path, text, private)

    def repairs_to_csv(self, path: str | os.PathLike[str], *, private: bool = True) -> None:
        """Write the edits of `repairs` as CSV, as `to_csv` does."""
        text = no_formulas(self.repairs()).to_csv(index=False, quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n")
        _write(path, text, private)

    def message(self, title: str = "Roster", link: str | None = None, *, html: bool = False) -> str:
        """The report in at most ten lines for mail or chat, without personal data: counts, no name, label or id.

        Parameters
        ----------
        title : str, default "Roster"
            What the message is about, such as the district's name: the roster's own words are not used.
        link : str, optional
            Where the report is.
        html : bool, default False
            As a page for a mail program, with inline styles only.

        Examples
        --------
        >>> print(kx.check(roster, as_of="2026-10-05").message("Cannon River"))  # doctest: +ELLIPSIS
        Cannon River, as of Monday, 5 October 2026
        Score: 100 of 100. Nobody is affected by an error.
        Nothing to fix: no check failed.
        ... checks passed.
        This message names nobody. The report does: share it only with those who need it.
        """
        parts = make_message(self, " ".join(title.split()), link)
        return message_html(parts) if html else message_text(parts)

    def __repr__(self) -> str:
        status = self.summary["status"].value_counts()
        counts = ", ".join(
            f"{status[name]} {name}"
            for name in ("failed", "passed", "not applicable", "could not run")
            if name in status
        )
        found = int(self.summary["failed"].sum())
        score = "" if self.score is None else f"; score {self.score} of 100"
        why = f" ({printable(self.as_of_reason)})" if self.as_of_reason else ""
        return f"<Report on {printable(self.source)}, as of {self.as_of}{why}: {counts}; {found:,} findings{score}>"

    def _repr_html_(self) -> str:
        return make_note(self)


def _records(df: pd.DataFrame) -> list[dict[str, object]]:
    text = df.to_json(orient="records", date_format="iso", date_unit="s", force_ascii=False)
    records: list[dict[str, object]] = json.loads(text)
    return records


def _write(path: str | os.PathLike[str], text: str, private: bool) -> None:
    try:
        with atomic_file(path, private=private) as new:
            new.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise _not_written(path, error) from error


def _not_written(path: str | os.PathLike[str], error: OSError) -> KimonoError:
    return KimonoError(f"The report could not be written to {path}: {error.strerror}. Name another file.")
