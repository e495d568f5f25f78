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
    """What is wrong with a roster or a task queue.

    Attributes
    ----------
    outcomes : list of Outcome
        One for each check.
    source : str
        A description of what was checked.
    as_of : datetime.date
        The day that counted as today.
    district : str
        The district's name; empty if the roster has none or several.
    as_of_reason : str
        Why ``as_of`` is not the day of loading; empty if it is, or if it was given.
    engine : str
    seconds : float
        How long the checks took.
    roster : Roster or None
        The roster that was checked, if it was in memory.
    notices : list of str
        Waivers that have expired.
    changes : pandas.DataFrame or None
        The latest result of `since`.
    history : pandas.DataFrame or None
        The latest result of `trend`.
    config : str, path or None
        The ``quality.toml`` that was read.
    """

    def assert_no_errors(self, threshold: float = 0.0) -> None:
        """Raise an error unless every check with severity error passed.

        Parameters
        ----------
        threshold : float, default 0
            Percentage of checked rows allowed to fail, 0 to 100.

        Raises
        ------
        RosterFailedError
            The message names the checks that failed, with their counts, or says that nothing was checked.

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
        """Write the report as one self-contained page: no network, no scripts.

        If the path is a folder, ``index.html`` is written with all the failing rows of each check beside it, as CSV and
        xlsx. A new folder is written whole or not at all; in an existing one, either all of the report's files are
        replaced or none, and other files stay. The report holds personal data: the labels and values of failing rows.

        Parameters
        ----------
        path : str or path
            A file name that ends in ``.html``, or a new or existing folder.
        rows : int, default 20
            The maximum number of failing rows to show for each check.
        private : bool, default True
            Make each file readable only by you (0600). False leaves that to your umask.
        """
        if not is_folder(path):
            _write(path, make_page(self, rows), private)
            return
        try:
            write_folder(self, path, rows, private=private)
        except OSError as error:
            raise _not_written(path, error) from error

    def to_json(self, path: str | os.PathLike[str], *, private: bool = True) -> None:
        """Write everything as JSON: source, district, as_of, score, scores, summary, causes, findings, failures.

        The file can be passed to `since`, and `trend` includes it.

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

        A cell that a spreadsheet would treat as a formula is prefixed with an apostrophe. ``private`` is as in
        `to_html`.
        """
        df = self.findings.copy()
        df.insert(1, "number", df["check"].map({o.check.id: o.check.number for o in self.outcomes}).astype("str"))
        text = no_formulas(df).to_csv(index=False, quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n")
        _write(path, text, private)

    def repairs_to_csv(self, path: str | os.PathLike[str], *, private: bool = True) -> None:
        """Write the edits from `repairs` as CSV, in the same way as `to_csv`."""
        text = no_formulas(self.repairs()).to_csv(index=False, quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n")
        _write(path, text, private)

    def message(self, title: str = "Roster", link: str | None = None, *, html: bool = False) -> str:
        """Summarize the report in up to ten lines for mail or chat: counts only, with no names, labels or ids.

        Parameters
        ----------
        title : str, default "Roster"
            What the message is about, such as the district's name. No text from the roster is used.
        link : str, optional
            The address of the report.
        html : bool, default False
            Return an HTML page for mail programs, with inline styles only.

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
