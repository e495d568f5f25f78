"""What is on screen as CSV and xlsx: nothing becomes a formula or a number, accents and zeros stay."""

import asyncio
import csv
import io
import stat
import threading
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimono_explore import export
from kimono_explore.errors import KimonoError
from kimono_explore.export import file_of, no_formulas
from kimono_explore.widgets.table import DataTable

NS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "=HYPERLINK(A1)"]
HOSTILE = ["a\x00b", "\ud800", 'say "no"', "a,b\r\nc", "<b>", "Þórr", "محمد", "👩‍🎓", "007", "", " "]


def people() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "name": pd.array(["Ørsted, Åsa", "=1+1", None], dtype="str"),
            "local_id": pd.array(["00010792", "1e5", "-7"], dtype="str"),
            "sections": pd.array([6, None, -2], dtype="Int64"),
            "score": [0.5, np.nan, -1e300],
            "born": pd.to_datetime(["2010-03-01", None, "2010-03-01 10:20:30"], format="mixed"),
            "active": [True, False, True],
            "big": [2**60, 1, -1],
        }
    )


def rows_of(content: bytes) -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def sheet_of(content: bytes) -> list[list[tuple[str, str] | None]]:
    """Each cell of a sheet as its kind and its text."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        tree = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    rows = []
    for row in tree.iter(f"{NS}row"):
        cells: dict[int, tuple[str, str]] = {}
        for cell in row.iter(f"{NS}c"):
            assert cell.find(f"{NS}f") is None
            cells[ord(cell.get("r")[0]) - ord("A")] = (cell.get("t", "n"), "".join(cell.itertext()))
        rows.append([cells.get(n) for n in range(max(cells, default=-1) + 1)])
    return rows


def test_csv_has_accents_zeros_and_no_formula() -> None:
    names, *rows = rows_of(file_of(people(), "csv"))
    assert names == people().columns.tolist()
    assert rows[0] == ["Ørsted, Åsa", "00010792", "6", "0.5", "2010-03-01", "True", str(2**60)]
    assert rows[1] == ["'=1+1", "1e5", "", "", "", "False", "1"]
    assert rows[2] == ["", "'-7", "-2", "-1e+300", "2010-03-01 10:20:30", "True", "-1"]


@given(st.lists(st.one_of(st.none(), st.sampled_from(FORMULAS + HOSTILE[2:]), st.text(max_size=5)), max_size=8))
def test_csv_guards_what_the_report_guards(values: list[str | None]) -> None:
    texts = pd.Series([None if value is None else value.encode("utf-8", "ignore").decode() for value in values])
    for kind in ("str", "object"):
        df = pd.DataFrame({"a": texts.astype(kind), "b": 1})
        expected = no_formulas(df)["a"].tolist()
        text = file_of(df, "csv").decode("utf-8-sig")
        assert [row[0] for row in csv.reader(io.StringIO(text, newline=""))][1:] == expected


def test_hostile_cells_and_names_can_be_written() -> None:
    df = pd.DataFrame({"=x": [*HOSTILE, [1], {"=": 1}, date(2026, 1, 2)]}, dtype="object")
    df = pd.concat([df, df], axis="columns")
    names, *rows = rows_of(file_of(df, "csv"))
    assert names == ["'=x", "'=x"]
    assert rows[1] == ["\\ud800"] * 2
    assert rows[-1] == ["2026-01-02"] * 2
    cells = [row[0] for row in sheet_of(file_of(df, "xlsx")) if row]
    assert cells[0] == ("inlineStr", "=x")
    assert ("inlineStr", "=1") not in cells
    assert {"Þórr", "محمد", "007", "\\ud800", "[1]"} <= {text for _, text in cells}


def test_xlsx_keeps_texts_as_texts_and_numbers_as_numbers() -> None:
    names, first, second, third = sheet_of(file_of(people(), "xlsx"))
    assert [text for _, text in names] == people().columns.tolist()
    assert first[:4] == [("inlineStr", "Ørsted, Åsa"), ("inlineStr", "00010792"), ("n", "6"), ("n", "0.5")]
    assert first[4:] == [("n", "40238"), ("b", "1"), ("inlineStr", str(2**60))]
    assert second[:4] == [("inlineStr", "=1+1"), ("inlineStr", "1e5"), None, None]
    assert third[:2] == [None, ("inlineStr", "-7")]
    assert third[4][0] == "n"


def test_a_sheet_is_not_filled_beyond_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "MOST_ROWS", 2)
    with pytest.raises(KimonoError, match="A sheet holds at most 2 rows, and there are 3"):
        file_of(people(), "xlsx")
    assert len(rows_of(file_of(people(), "csv"))) == 4


@pytest.mark.parametrize("df", [pd.DataFrame(), pd.DataFrame({"a": []}), pd.DataFrame(index=[1, 2])])
def test_nothing_can_be_saved_too(df: pd.DataFrame) -> None:
    assert file_of(df, "csv").startswith(b"\xef\xbb\xbf")
    assert zipfile.ZipFile(io.BytesIO(file_of(df, "xlsx"))).testzip() is None


def test_a_file_has_the_rows_and_columns_on_screen(tmp_path: Path) -> None:
    table = DataTable(people())
    table.sort(0, descending=True)
    table.choose(5, [table.bars(5).index("True")])
    table.show_columns([1, 0])
    table.to_csv(tmp_path / "people.csv")
    table.to_xlsx(tmp_path / "people.xlsx")
    assert rows_of((tmp_path / "people.csv").read_bytes())[1:] == [["00010792", "Ørsted, Åsa"], ["'-7", ""]]
    names, first, *_ = sheet_of((tmp_path / "people.xlsx").read_bytes())
    assert [names[0][1], first[0][1]] == ["local_id", "00010792"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}
    with pytest.raises(KimonoError, match="could not be written"):
        table.to_csv(tmp_path / "nowhere" / "people.csv")


def test_the_page_gets_a_file_in_parts_and_hears_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[dict, list[bytes]]] = []
    monkeypatch.setattr(DataTable, "send", lambda self, message, buffers=None: sent.append((message, buffers)))
    monkeypatch.setattr("kimono_explore.widgets.table._PART", 30)
    table = DataTable(people(), label="All <people>")

    async def ask() -> None:
        for kind in ("csv", "csv", "exe", None):  # the second while the first is made
            table._hear(table, {"kind": "save", "as": kind}, [])
        while table._saving:
            await asyncio.sleep(0.01)

    asyncio.run(ask())
    making = [message for message, _ in sent if message.get("kind") == "making"]
    assert [(m["done"], m["of"]) for m in making] == [(0, 3), (3, 3)]
    parts = [(message, buffers) for message, buffers in sent if message.get("kind") == "file"]
    assert [message["part"] for message, _ in parts] == list(range(parts[0][0]["parts"]))
    assert b"".join(buffers[0] for _, buffers in parts) == file_of(people(), "csv")
    assert {message["name"] for message, _ in parts} == {"all-people.csv"}
    sent.clear()
    monkeypatch.setattr("kimono_explore.widgets.table.file_of", lambda *_: 1 / 0)
    table._hear(table, {"kind": "save", "as": "xlsx"}, [])
    assert "ZeroDivisionError" in sent[0][0]["error"]


def test_a_file_that_is_being_made_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go = threading.Event(), threading.Event()

    def slow(_: pd.DataFrame, __: str, told: Callable[[int], None]) -> bytes:
        told(1)
        begun.set()
        assert go.wait(20)
        told(2)
        return b"whole"

    monkeypatch.setattr("kimono_explore.widgets.table.file_of", slow)
    table = DataTable(pd.DataFrame({"n": range(3)}))
    sent: list[dict[str, object]] = []
    monkeypatch.setattr(DataTable, "send", lambda self, message, buffers=None: sent.append(message))

    async def stop() -> None:
        table._hear(table, {"kind": "save", "as": "csv"}, [])
        await asyncio.to_thread(begun.wait, 20)
        table._hear(table, {"kind": "stop"}, [])
        go.set()
        while table._saving:
            await asyncio.sleep(0.01)

    asyncio.run(stop())
    assert [message["error"] for message in sent if message.get("kind") == "file"] == ["Stopped: no file was made."]

    async def again() -> None:
        table._hear(table, {"kind": "save", "as": "csv"}, [])
        while table._saving:
            await asyncio.sleep(0.01)

    asyncio.run(again())
    assert [message["part"] for message in sent if "part" in message] == [0]
