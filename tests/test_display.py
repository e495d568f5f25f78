"""Nothing that came from elsewhere steers a terminal, or turns a text around."""

import unicodedata
from datetime import UTC, date, datetime

import narwhals as nw
import pandas as pd
import pytest
from builders import course, link, make, problem, school, section, student

import kimono_explore as kx
from kimono_explore.__main__ import main
from kimono_explore.api.operations import operation
from kimono_explore.display import (
    cell_text,
    display_label,
    noun,
    plural,
    printable,
    printable_frame,
    several,
    value_text,
    value_texts,
)
from kimono_explore.quality.context import _label

EVIL = "\x1b[2J\x1b]0;pwned\x07 \u202e\u2028\x9b31m"
ALLOWED = {"\n", "\t", "\r"}


def steering(text: str) -> set[str]:
    kinds = {"Cc", "Cf", "Zl", "Zp", "Cs"}
    return {character for character in text if unicodedata.category(character) in kinds} - ALLOWED


def test_what_steers_a_terminal_is_spelled_out() -> None:
    assert printable(EVIL) == r"\x1b[2J\x1b]0;pwned\x07 \u202e\u2028\x9b31m"
    assert printable("Ana\nSilva\t") == r"Ana\nSilva\t"
    assert printable("Ana\nSilva\r", lines=True) == "Ana\nSilva\\r"
    assert printable("Zoë 李 \U0001f600") == "Zoë 李 \U0001f600"
    assert printable("\ud83d").isascii()
    everything = "".join(map(chr, [*range(0x300), *range(0x2000, 0x2070), 0xFEFF]))
    left = steering(printable(everything))
    assert left <= set("\xad\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\u206a\u206b\u206c\u206d\u206e\u206f")


@pytest.fixture
def evil() -> kx.Roster:
    people = [student("ana", label=EVIL, name_last=EVIL, school_year=EVIL), student(None), student(EVIL)]
    items = [school(label=EVIL, name=EVIL), section(title=EVIL), course(EVIL), problem(EVIL, EVIL, EVIL, EVIL, EVIL)]
    roster = make(*people, *items, link(f"ana student_in {EVIL.split()[0]}"), link("ana student_in algebra-1"))
    roster.source = EVIL
    return roster


def test_no_repr_steers_a_terminal(evil: kx.Roster) -> None:
    shown = [repr(evil), str(evil), repr(evil.describe("ana")), repr(evil.describe(EVIL, type="person"))]
    shown += [repr(kx.compare(evil, evil)), repr(kx.check(evil, ["missing_id"]))]
    assert [text for text in shown if steering(text)] == []
    assert all("pwned" in text for text in shown)


def test_no_command_steers_a_terminal(evil: kx.Roster, tmp_path: object, capsys: pytest.CaptureFixture[str]) -> None:
    evil.save(f"{tmp_path}/evil")
    assert main(["roster", f"{tmp_path}/evil"]) == 0
    assert main(["roster", f"{tmp_path}/evil", "--problems"]) == 0
    assert main(["check", f"{tmp_path}/evil"]) == 1
    assert main(["roster", f"{tmp_path}/{EVIL}"]) == 2
    captured = capsys.readouterr()
    assert steering(captured.out + captured.err) == set()
    assert "pwned" in captured.out
    assert "pwned" in captured.err


def test_an_error_that_quotes_a_server_is_printable(httpserver: object) -> None:
    httpserver.expect_request("/evil/rostering/orgs").respond_with_json(
        {"error": {"status": 403, "message": EVIL + "\nkimono-explore: all is well"}}, status=403
    )
    with kx.connect(httpserver.url_for("/evil"), token="not-a-secret") as client:
        with pytest.raises(kx.PermissionDeniedError) as told:
            client.request(operation("listOrgs"))
        assert steering(str(told.value)) == set()
        assert "\n" not in str(told.value)
        assert "pwned" in str(told.value)
    assert steering(str(kx.KimonoError(EVIL))) == set()


def test_a_warning_that_quotes_a_tenant_is_printable(evil: kx.Roster) -> None:
    df = printable_frame(pd.DataFrame({EVIL: [EVIL, None, 1]}))
    assert steering(df.to_string()) == set()
    assert df.isna().to_numpy().tolist() == [[False], [True], [False]]


def test_a_cell_is_a_day_where_it_has_no_time() -> None:
    day, moment = pd.Timestamp("2026-08-17", tz="UTC"), pd.Timestamp("2026-08-17 08:05:09")
    assert (cell_text(day), cell_text(moment)) == ("2026-08-17", "2026-08-17 08:05")
    assert cell_text(moment, seconds=True) == "2026-08-17 08:05:09"
    assert [cell_text(value, rounded=True) for value in (3.0, 2.55, 7, "x")] == ["3", "2.5", "7", "x"]
    assert cell_text(2.55) == "2.55"


def test_a_noun_has_one_plural_everywhere() -> None:
    assert [noun(table) for table in ("orgs", "grading_categories")] == ["org", "grading category"]
    assert [noun(kind) for kind in ("students", "persons", "enrollments")] == ["student", "person", "enrollment"]
    assert [several(word) for word in ("person", "staff", "day", "member of staff")] == [
        "people", "staff", "days", "members of staff",
    ]  # fmt: skip
    assert [plural(count, "grading category") for count in (0, 1, 1200)] == [
        "0 grading categories", "1 grading category", "1,200 grading categories",
    ]  # fmt: skip


def test_a_label_is_the_same_in_pandas_and_in_the_checks() -> None:
    names = [("Ana", "Silva"), (None, "Silva"), ("Ana", None), (None, None)]
    people = [student(f"p{n}", name_first=first, name_last=last) for n, (first, last) in enumerate(names)]
    roster = make(
        *people, student("p4", label="Dr. Berg"), section("s", title="Algebra"), section("t", title=None), school()
    )
    for table, df in roster.tables.items():
        lazy = nw.from_native(df).lazy().with_columns(label=_label(table)).collect()
        ours = [None if pd.isna(label) else label for label in lazy["label"].to_list()]
        assert ours == [None if pd.isna(label) else label for label in display_label(table, df)]


def test_a_column_of_days_has_no_time_and_one_of_moments_has() -> None:
    days = pd.Series(["2026-10-05", None, "2026-10-06"]).astype("datetime64[us]")
    assert value_texts(days).fillna("-").tolist() == ["2026-10-05", "-", "2026-10-06"]
    moments = pd.Series(["2026-10-05T00:00:00", "2026-10-06T10:30:00", None]).astype("datetime64[us]")
    assert value_texts(moments).fillna("-").tolist() == ["2026-10-05 00:00:00", "2026-10-06 10:30:00", "-"]
    assert value_texts(moments.dt.tz_localize(UTC)).fillna("-").tolist()[1] == "2026-10-06 10:30:00"
    assert value_texts(days.iloc[1:2]).isna().tolist() == [True]


def test_a_column_of_other_values_is_text() -> None:
    assert value_texts(pd.Series([1, None], dtype="Int64")).fillna("-").tolist() == ["1", "-"]
    assert value_texts(pd.Series([True, None], dtype="boolean")).fillna("-").tolist() == ["True", "-"]
    assert value_texts(pd.Series(["a", None], dtype="category")).fillna("-").tolist() == ["a", "-"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        (True, "True"),
        (1.5, "1.5"),
        (date(2026, 10, 5), "2026-10-05"),
        (datetime(2026, 10, 5, 7, 8, 9, 10, tzinfo=UTC), "2026-10-05 07:08:09"),
    ],
)
def test_one_value_is_text_as_well(value: object, text: str | None) -> None:
    assert value_text(value) == text
