"""The files of a bundle as columns of text: found, opened within bounds, decoded, split, and told where they are odd."""

import csv
import io
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from kimono_explore.errors import BundleError
from kimono_explore.files.oneroster import bundle as files
from kimono_explore.files.oneroster.bundle import Bundle, Csv
from kimono_explore.schema import Problem  # noqa: TC001

HEAD = "sourcedId,title\n"


class Opened:
    """A folder with one file, courses.csv, read."""

    def __init__(self, folder: Path, text: str | bytes, known: tuple[str, ...] = ("sourcedId", "title")) -> None:
        (folder / "courses.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
        problems: list[Problem] = []
        with closing(Bundle(folder, 10_000, problems)) as bundle:
            read = bundle.read("courses", known)
        assert read is not None
        self.columns, self.length = read
        self.told = [(p.table, p.id, p.column, p.value, p.problem) for p in problems]
        self.texts = [p.problem for p in problems]


def refused(folder: Path, text: str | bytes) -> str:
    with pytest.raises(BundleError) as caught:
        Opened(folder, text)
    return str(caught.value)


def packed(path: Path, **texts: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            archive.writestr(name.replace("__", "/") + ".csv", text)
    return path


def test_cells_stand_below_their_names(tmp_path: Path) -> None:
    read = Opened(tmp_path, 'SOURCEDID, Title ,x\na,"1,2",\n,,\nb,"say ""hi""",z\n')
    assert read.columns == {"sourcedId": ["a", "b"], "title": ["1,2", 'say "hi"'], "x": [None, "z"]}
    assert (read.length, read.told) == (2, [])


def test_a_file_without_rows_has_its_columns(tmp_path: Path) -> None:
    read = Opened(tmp_path, HEAD)
    assert (read.columns, read.length, read.told) == ({"sourcedId": [], "title": []}, 0, [])
    read = Opened(tmp_path, "")
    assert (read.columns, read.length, read.told) == ({}, 0, [])


def test_a_missing_column_is_all_empty() -> None:
    assert Csv({"a": ["1", None]}, 2).get("a") == ["1", None]
    assert Csv({"a": ["1", None]}, 2).get("b") == [None, None]


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-8", []),
        ("utf-8-sig", []),
        ("utf-16", []),
        ("utf-32", []),
        ("utf-16-le", ["courses.csv is UTF-16 without a byte order mark; read as such"]),
        ("utf-16-be", ["courses.csv is UTF-16 without a byte order mark; read as such"]),
        ("utf-32-le", ["courses.csv is UTF-32 without a byte order mark; read as such"]),
        ("utf-32-be", ["courses.csv is UTF-32 without a byte order mark; read as such"]),
        ("cp1252", ["courses.csv is not UTF-8; read as Windows-1252"]),
    ],
)
def test_text_is_read_in_any_of_these_encodings(tmp_path: Path, encoding: str, told: list[str]) -> None:
    read = Opened(tmp_path, (HEAD + "a,Müller €\n").encode(encoding))
    assert read.columns == {"sourcedId": ["a"], "title": ["Müller €"]}
    assert read.told == [("courses", None, None, None, text) for text in told]


@pytest.mark.parametrize("mark", [b"\xfe\xff", b"\x00\x00\xfe\xff"])
def test_marks_of_the_other_byte_order_are_known(tmp_path: Path, mark: bytes) -> None:
    encoding = "utf-16-be" if len(mark) == 2 else "utf-32-be"
    read = Opened(tmp_path, mark + (HEAD + "a,ü\n").encode(encoding))
    assert (read.columns["title"], read.told) == (["ü"], [])


def test_what_begins_like_an_encoding_and_is_another_is_an_error(tmp_path: Path) -> None:
    assert refused(tmp_path, b"\xff\xfea").startswith("courses.csv begins like UTF-16 and is not: ")
    read = Opened(tmp_path, b"\xef\xbb\xbfsourcedId,title\na,\xff\n")
    assert read.texts == ["courses.csv is not UTF-8; read as Windows-1252"]


@pytest.mark.parametrize(
    ("separator", "told"),
    [(",", None), (";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")],
)
def test_cells_are_split_by_what_splits_the_header(tmp_path: Path, separator: str, told: str | None) -> None:
    read = Opened(
        tmp_path, f'"SourcedId"{separator} title {separator}x\na{separator}b,b{separator}c\n'.replace("b,b", "bb")
    )
    assert read.columns == {"sourcedId": ["a"], "title": ["bb"], "x": ["c"]}
    assert read.texts == (
        [] if told is None else [f"courses.csv has {told} between its cells, not commas; read accordingly"]
    )


def test_one_known_name_is_not_enough_for_another_separator(tmp_path: Path) -> None:
    assert Opened(tmp_path, "sourcedId;other\na;b\n").columns == {"sourcedId;other": ["a;b"]}
    read = Opened(tmp_path, "sourcedId;title;a,b\r1;2;3,4\r")
    assert read.columns == {"sourcedId": ["1"], "title": ["2"], "a,b": ["3,4"]}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_first_line_may_name_the_separator(tmp_path: Path, end: str) -> None:
    read = Opened(tmp_path, f"SEP=;{end}sourcedId;title{end}a;b,c{end}")
    assert (read.columns, read.told) == ({"sourcedId": ["a"], "title": ["b,c"]}, [])
    assert list(Opened(tmp_path, f"sep=;;{end}a{end}").columns) == ["sep=;;"]


def test_cells_that_no_column_names_are_counted(tmp_path: Path) -> None:
    text = "rows of courses.csv have cells in a column without a name, or with a repeated name; left out, value counts them"
    read = Opened(tmp_path, "sourcedId,,title,\na,,b,\nc,x,d,\ne,,f,y\ng,1,h,2\n")
    assert read.columns == {"sourcedId": ["a", "c", "e", "g"], "title": ["b", "d", "f", "h"]}
    assert read.told == [("courses", None, None, "3", text)]
    read = Opened(tmp_path, "sourcedId,title,title\na,b,\nc,d,e\n")
    assert read.told[1:] == [("courses", None, None, "1", text)]


def test_a_column_that_comes_twice_is_read_once(tmp_path: Path) -> None:
    read = Opened(tmp_path, "sourcedId,title,TITLE\na,b,\n")
    assert read.columns == {"sourcedId": ["a"], "title": ["b"]}
    assert read.told == [
        ("courses", None, "title", None, "courses.csv has two columns of this name; the first is read")
    ]


def test_rows_of_another_length_are_told(tmp_path: Path) -> None:
    read = Opened(tmp_path, "title,sourcedId,\nb,a,\nc\nd,e\nf,g,,\nh,i,,j\n")
    assert read.columns == {"title": ["b", "c", "d", "f", "h"], "sourcedId": ["a", None, "e", "g", "i"]}
    assert read.told == [
        ("courses", None, None, "c", "row 3 of courses.csv has 1 cells where 3 were expected"),
        ("courses", "i", None, "h,i,,j", "row 6 of courses.csv has 4 cells where 3 were expected"),
    ]
    read = Opened(tmp_path, "title,x,sourcedId\nb\n")
    assert read.told[0][:4] == ("courses", None, None, "b")
    assert read.columns["sourcedId"] == [None]
    read = Opened(tmp_path, "title\na,b\n")
    assert read.told == [("courses", None, None, "a,b", "row 2 of courses.csv has 2 cells where 1 were expected")]


def test_a_quote_that_swallows_rows_is_an_error_with_its_line(tmp_path: Path) -> None:
    text = HEAD + 'a,b\nc,"d\ne,f\n'
    assert refused(tmp_path, text) == (
        "courses.csv, line 3: a quote is opened here and not closed. Close it, and read again."
    )
    assert refused(tmp_path, HEAD + 'a,"b\nc"\nd,"e" x,"f\ng,h\n').startswith("courses.csv, line 4: a quote is opened")


def test_a_quote_on_the_last_line_is_told(tmp_path: Path) -> None:
    read = Opened(tmp_path, HEAD + 'a,b\nc,"d')
    assert read.columns["title"] == ["b", "d"]
    assert read.texts == ["courses.csv, line 3: a quote is opened here and not closed"]


def test_text_behind_a_closed_quote_is_no_open_quote(tmp_path: Path) -> None:
    read = Opened(tmp_path, HEAD + 'a,b\nc,"d"x')
    assert (read.columns["title"], read.told) == (["b", "dx"], [])


def test_a_cell_may_go_over_several_lines(tmp_path: Path) -> None:
    read = Opened(tmp_path, HEAD + 'a,"b\nb"\nc,d')
    assert (read.columns["title"], read.told) == (["b\nb", "d"], [])


def test_a_cell_that_is_too_long_is_an_error_with_its_line(tmp_path: Path) -> None:
    limit = csv.field_size_limit(100)
    try:
        said = refused(tmp_path, HEAD + "a,b\nc," + "d" * 101 + "\n")
    finally:
        csv.field_size_limit(limit)
    assert said == "courses.csv, line 3: field larger than field limit (100). Is a quote not closed?"


def test_cells_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "too many cells (3 in a row, 6 in all)."
    monkeypatch.setattr(files, "MAX_COLUMNS", 3)
    monkeypatch.setattr(files, "MAX_CELLS", 6)
    assert Opened(tmp_path, "sourcedId,title,x\na,b,c\nd,e,f\n").length == 2
    assert refused(tmp_path, "sourcedId,title,x\na,b,c\nd,e,f\ng\n") == f"courses.csv, line 4: {said}"
    assert refused(tmp_path, "sourcedId,title,x\na,b,c,d\n") == f"courses.csv, line 2: {said}"


def test_bytes_are_bounded_over_all_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_bytes(b"x" * 50)
    said = f"{tmp_path} holds more than 99 bytes of CSV. If that is expected, raise max_bytes=."
    with closing(Bundle(tmp_path, 99, [])) as bundle:
        bundle.read("a")
        with pytest.raises(BundleError) as caught:
            bundle.read("b")
        assert str(caught.value) == said
    with closing(Bundle(tmp_path, 100, [])) as bundle:
        assert bundle.read("a") is not None
        assert bundle.read("b") is not None


def test_a_zip_may_grow_so_much_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = packed(tmp_path / "b.zip", courses="a" * 100_000)
    monkeypatch.setattr(files, "RATIO_FROM", 100_000)
    with closing(Bundle(path, 10**6, [])) as bundle:
        assert bundle.read("courses") is not None
    monkeypatch.setattr(files, "RATIO_FROM", 99_999)
    with closing(Bundle(path, 10**6, [])) as bundle, pytest.raises(BundleError) as caught:
        bundle.read("courses")
    assert str(caught.value) == (
        f"courses.csv in {path} expands more than 200-fold when opened: this is a zip bomb, not a bundle."
    )


def test_smaller_files_grow_as_they_like_and_larger_ones_within_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = packed(tmp_path / "b.zip", courses="a" * 2**24)
    with closing(Bundle(path, 2**25, [])) as bundle:
        assert len(bundle._open["courses"]()) == 2**24
    monkeypatch.setattr(files, "RATIO_FROM", 10)
    path = packed(tmp_path / "c.zip", courses="".join(map(str, range(5000))))
    with closing(Bundle(path, 2**25, [])) as bundle:
        assert len(bundle._open["courses"]()) == 18_890


def test_files_are_found_by_name_in_a_folder_and_one_below(tmp_path: Path) -> None:
    for name in ("Orgs.CSV", "in/users.csv", "in/deep/terms.csv", "notes.txt", ".hidden.csv", "__MACOSX/a.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(HEAD)
    with closing(Bundle(tmp_path, 10_000, [])) as bundle:
        assert sorted(bundle.names()) == ["orgs", "users"]
        assert bundle.spelled == {"orgs": "Orgs", "users": "users"}
        assert bundle.read("terms") is None
        assert bundle.read("ORGS") == Csv({"sourcedId": [], "title": []}, 0)


def test_files_are_found_in_a_zip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = packed(tmp_path / "b.zip", export__Users=HEAD + "a,b\n", orgs=HEAD)
    monkeypatch.setattr(files, "MAX_ENTRIES", 2)
    with closing(Bundle(path, 10_000, [])) as bundle:
        assert bundle.names() == ["users", "orgs"]
        assert bundle.read("users") == Csv({"sourcedId": ["a"], "title": ["b"]}, 1)
    monkeypatch.setattr(files, "MAX_ENTRIES", 1)
    with pytest.raises(BundleError) as caught:
        Bundle(path, 10_000, [])
    assert str(caught.value) == f"{path} holds 2 files; a bundle has at most 1."


def test_two_files_for_one_place_are_refused_and_other_files_may_repeat(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", a__users="", b__USERS="")
    with pytest.raises(BundleError) as caught:
        Bundle(path, 10_000, [])
    assert str(caught.value) == (
        f"{path} holds a/users.csv and b/USERS.csv: only one can be users.csv. Remove the other one."
    )
    with closing(Bundle(packed(tmp_path / "b.zip", a__notes="", b__notes=""), 10_000, [])) as bundle:
        assert bundle.names() == ["notes"]


def test_what_is_no_bundle_is_said(tmp_path: Path) -> None:
    (tmp_path / "b.zip").write_text("no zip")
    for path in (tmp_path / "b.zip", tmp_path / "nothing"):
        with pytest.raises(BundleError) as caught:
            Bundle(path, 10_000, [])
        assert str(caught.value).startswith(f"{path} is not a OneRoster bundle (")
        assert str(caught.value).endswith("). Name a folder of CSV files, or a zip.")


def test_a_damaged_file_is_said(tmp_path: Path) -> None:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("courses.csv", HEAD + "a,b\n")
    (tmp_path / "b.zip").write_bytes(body.getvalue().replace(b"a,b\n", b"a,c\n"))
    with closing(Bundle(tmp_path / "b.zip", 10_000, [])) as bundle, pytest.raises(BundleError) as caught:
        bundle.read("courses")
    assert str(caught.value).startswith(f"courses.csv in {tmp_path / 'b.zip'} cannot be read: Bad CRC-32")


def test_problems_are_noted_of_the_table(tmp_path: Path) -> None:
    (tmp_path / "classes.csv").write_bytes(b"sourcedId\n\xff\n")
    problems: list[Problem] = []
    with closing(Bundle(tmp_path, 10_000, problems)) as bundle:
        bundle.read("classes", table="sections")
    assert [p.table for p in problems] == ["sections"]
