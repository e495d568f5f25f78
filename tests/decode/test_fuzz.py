"""Anything that a server or a disk may hold: every row is in a table or in ``problems``, and no other error comes."""

from __future__ import annotations

import contextlib
import io
import json
import warnings
import zipfile
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moving_list import Moving
from test_arrow_rows import same
from test_oneroster import FILES

import kimono_explore as kx
from kimono_explore import json_text
from kimono_explore.api.page_cache import saved_pages
from kimono_explore.api.pages import open_page
from kimono_explore.decode.decoder import Decoded, Decoder
from kimono_explore.decode.links import merge_sides
from kimono_explore.errors import BadResponseError
from kimono_explore.json_text import decode
from kimono_explore.roster.open import open_roster
from kimono_explore.schema import REFERENCES, TABLES
from kimono_explore.tasks import task_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FIXTURE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
few = settings(FIXTURE, max_examples=60)


# One oracle for pages: what a row is, read by nothing but the patient decoder of JSON.


def assert_every_row_is_somewhere(rows: Sequence[bytes], found: Decoded) -> None:
    """Each row is in the table, or named in the problems; repeats that are the same to the letter are counted."""
    variants: defaultdict[str, set[bytes]] = defaultdict(set)
    repeats = without_id = left_out = 0
    for row in rows:
        try:
            value = decode(row, "")
        except BadResponseError:
            left_out += 1
            continue
        if not isinstance(value, dict):
            left_out += 1
            continue
        inner = value["$sys"].get("id") if isinstance(value.get("$sys"), dict) else None
        id = value.get("id") if inner in (None, "") else inner
        if id in (None, ""):
            without_id += 1
            continue
        key = id if isinstance(id, str) else json.dumps(id, separators=(",", ":"))
        repeats += row in variants[key]
        variants[key].add(row)
    ids = found.columns.column("id").to_pylist()
    assert Counter(id for id in ids if id is not None) == {id: len(them) for id, them in variants.items()}
    assert ids.count(None) == without_id
    problems = [(p.id, p.value, p.problem) for p in found.problems]
    assert sum("left out" in text and "row of" in text for _, _, text in problems) == left_out
    assert sum(text.startswith("no id") for _, _, text in problems) == without_id
    assert sum(int(value) for _, value, text in problems if text.startswith("rows that came again")) == repeats
    several = {id: len(them) for id, them in variants.items() if len(them) > 1}
    told = {id: text for id, _, text in problems if "with different content" in text}
    assert {id: int(text.split()[3]) for id, text in told.items()} == several


SCALARS = [
    b"null", b"true", b"false", b"0", b"-0", b"7", b"-1", b"-2", b"12", b"1.5", b"-0.0", b"1e400", b"NaN", b"Infinity", b"12.0",
    b"1180591620717411303424", b"9223372036854775808", b'""', b'" "', b'"12"', b'"x"', b'"\\ud800"', b'"\xff"', b'"\xc3\xa9"',
    b'"0000-01-01"', b'"-0001-12-31"', b'"0001-01-01"', b'"9999-12-31"', b'"10000-01-01"', b'"0000-12-31T23:59:59Z"',
    b'"0001-01-01T00:00:00+05:00"', b'"0001-01-01T00:00:00Z"', b'"2026-02-30"', b'"2026-08-17"', b'"2026-08-17T06:00:00Z"',
    b'"student"', b'"Teacher"', b'"RDM:Student"', b'"true"',
]  # fmt: skip
IDS = [
    b'"a"',
    b'"b"',
    b"1",
    b'"1"',
    b"2",
    b'"2"',
    b"true",
    b"1.5",
    b"null",
    b'""',
    b'{"$sys": null}',
    b"18446744073709551616",
]
scalars = st.sampled_from(SCALARS)
ids = st.sampled_from(IDS)


def put(pairs: dict[bytes, bytes]) -> bytes:
    return b"{" + b", ".join(b'"' + key + b'": ' + value for key, value in pairs.items()) + b"}"


@st.composite
def references(draw: st.DrawFn, many: bool) -> bytes:
    def one() -> bytes:
        plain = put({b"id": draw(ids), **({b"type": draw(scalars)} if draw(st.booleans()) else {})})
        membership = put({b"type": draw(scalars), b"role": draw(scalars), b"start_date": draw(scalars)})
        shapes = [
            plain,
            put({b"$sys": plain}),
            put({b"$sys": b"null", b"id": draw(ids)}),
            put({b"id": draw(ids), b"$membership": membership}),
            put({b"id": b'"m"', b"$section": plain}),
            draw(scalars),
        ]
        return draw(st.sampled_from(shapes))

    return b"[" + b", ".join(one() for _ in range(draw(st.integers(0, 2)))) + b"]" if many else one()


@st.composite
def odd_rows(draw: st.DrawFn, table: str) -> bytes:
    """A row that is odd in a few ways at most, as those of a tenant are."""
    if draw(st.integers(0, 15)) == 0:
        return draw(st.sampled_from([b"null", b"[]", b'"x"', b"5", b"[[1]]", b"{}", b'{"id": "q"']))
    sys: dict[bytes, bytes] = {b"id": draw(ids)}
    row: dict[bytes, bytes] = {}
    names = [column.path for column in TABLES[table] if column.name != "id"]
    for path in draw(st.lists(st.sampled_from(names), max_size=4, unique=True)):
        target = sys if path[0] == "$sys" and draw(st.integers(0, 3)) else row
        if path[0] != "$sys" and len(path) > 1:
            row[path[0].encode()] = put({path[1].encode(): draw(scalars)})
        else:
            target[path[-1].encode()] = draw(scalars)
    mine = [reference for reference in REFERENCES if reference.table == table]
    for reference in draw(st.lists(st.sampled_from(mine), max_size=2, unique=True)) if mine else ():
        row[reference.key.encode()] = draw(references(reference.many))
    if draw(st.booleans()):
        row[b"$ext"] = draw(
            st.sampled_from([b"null", put({b"n": draw(scalars)}), put({b"n": b"[1]", b"m": draw(scalars)})])
        )
    shape = draw(st.integers(0, 5))
    if shape == 0:
        return put({b"$sys": b"null", b"id": draw(ids), **row})
    if shape == 1:
        return put({**sys, **row})
    if shape == 2:  # the two ids may differ
        return put({b"$sys": put(sys), b"id": draw(ids), **row})
    return put({b"$sys": put(sys), **row})


@st.composite
def lists(draw: st.DrawFn) -> tuple[str, list[bytes]]:
    """A list's rows: usual ones, among which odd ones and repeats stand, changed or not."""
    table = draw(st.sampled_from(list(TABLES)))
    odd = draw(st.lists(odd_rows(table), min_size=1, max_size=5))
    odd += draw(st.lists(st.sampled_from(odd), max_size=3))
    usual = [b'{"$sys": {"id": "u%d"}, "$ext": {"a": "b"}}' % n for n in range(12)]
    cut = draw(st.integers(0, 12))
    return table, [*usual[:cut], *odd, *usual[cut:]]


@settings(few, max_examples=250)
@given(lists())
def test_every_row_is_in_a_table_or_named_and_both_ways_agree(drawn: tuple[str, list[bytes]]) -> None:
    table, rows = drawn
    with pytest.MonkeyPatch.context() as patch:
        assert_every_row_is_somewhere(rows, same(table, rows, patch))


@pytest.mark.parametrize(
    "value", ["0000-01-01", "-0001-12-31", "0000-12-31T23:59:59Z", "0001-01-01T00:00:00+05:00", "0001-01-01"]
)
@pytest.mark.parametrize("around", ["2026-08-17", "0001-01-01", None])
def test_days_before_the_year_1_are_the_same_both_ways(
    value: str, around: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for table, column in (("persons", "dob"), ("terms", "start_date")):
        path = next(c.path for c in TABLES[table] if c.name == column)
        assert len(path) == 1
        row = {"$sys": {"id": "x", "updated_at": value}, path[0]: value}
        others = [{"$sys": {"id": f"u{n}"}, path[0]: around} for n in range(20)]
        found = same(table, [*others, row], monkeypatch)
        fits = value.startswith("0001")  # of a time, the day is taken
        assert (found.columns.column(column).to_pylist()[-1] is not None) == fits
        assert any(p.id == "x" and p.column == column for p in found.problems) != fits


def test_every_variant_of_a_repeated_row_is_kept_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [b'{"$sys": {"id": "%s"}, "name": "%s"}' % pair for pair in [
        (b"a", b"1"), (b"b", b"1"), (b"a", b"2"), (b"a", b"1"), (b"b", b"1"), (b"a", b"3"), (b"a", b"2"), (b"c", b"1"), (b"c", b"2"),
    ]]  # fmt: skip
    found = same("orgs", rows, monkeypatch)
    kept = list(zip(*(found.columns.column(name).to_pylist() for name in ("id", "name")), strict=True))
    assert kept == [("a", "1"), ("b", "1"), ("a", "2"), ("a", "3"), ("c", "1"), ("c", "2")]
    assert_every_row_is_somewhere(rows, found)


PLAIN: dict[str, object] = {"id": "s1"}
SAID = [
    # person type, membership, role: what the membership says counts more than what the person is.
    ("student", {}, "student"),
    ("teacher", {}, "teacher"),
    ("Staff", {}, "teacher"),
    ("student", {"type": "RDM:TeacherEnrollment"}, "teacher"),
    ("teacher", {"type": "StudentEnrollment"}, "student"),
    ("teacher", {"type": "other"}, "teacher"),
    ("teacher", {"type": "StudentEnrollment", "role": "Teacher"}, "teacher"),
    ("student", {"role": "teacher", "type": "student"}, "teacher"),
    ("student", {"role": "teacher"}, "teacher"),
    ("teacher", {"role": "Student"}, "student"),
    (None, {"type": "staff"}, "teacher"),
    (None, {}, "student"),
]


@pytest.mark.parametrize(("person_type", "membership", "role"), SAID)
@pytest.mark.parametrize("held", [True, False])
def test_who_says_what_a_person_is_in_a_section(
    person_type: str | None, membership: dict[str, object], role: str, held: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = {"id": "m1", **membership, "$section": PLAIN} if held else {**PLAIN, "$membership": membership}
    usual = [{"$sys": {"id": f"u{n}"}} for n in range(20)]
    for row in (
        {"$sys": {"id": "p"}, "person_type": person_type, "$sections": [reference]},
        {"$sys": {"id": "p", "person_type": person_type}, "$sections": [reference]},
        {"$sys": None, "id": "p", "person_type": person_type, "$sections": [reference]},
    ):
        found = same("persons", [*usual, row], monkeypatch)
        assert found.links.table.column("role").to_pylist() == [role]
        guessed = any("student assumed" in p.problem for p in found.problems)
        assert guessed == (person_type is None and not membership)


@pytest.mark.parametrize("numbers", [range(150), range(-75, 75), range(2**53, 2**53 + 150)])
@pytest.mark.parametrize("wrapped", [True, False])
@pytest.mark.filterwarnings("ignore::kimono_explore.KimonoWarning")
def test_pages_of_numeric_ids_are_told_apart(numbers: range, wrapped: bool) -> None:
    class Numeric(Moving):
        def ask(self, operation: object, read: object, **options: object) -> object:
            def numeric(body: bytes) -> object:
                rows = json.loads(body)
                rows["data"] = [
                    {"$sys": {"id": n}} if wrapped else {"id": n} for n in (int(r["id"]) for r in rows["data"])
                ]
                return read(json.dumps(rows).encode())

            return super().ask(operation, numeric, **options)

    server = Numeric(0, {}, None, cap=15)
    server.rows = [str(n) for n in numbers]
    df = kx.load(server, "orgs", progress=False)
    assert df["id"].tolist() == server.rows
    assert {p.column for p in df.attrs["problems"]} == {"id"}


def both_sides(count: int) -> dict[str, Decoded]:
    """Persons and a section that contradict each other in the values of each membership."""
    decoders = {name: Decoder(name) for name in TABLES}
    for name, decoder in decoders.items():
        rows: list[object] = []
        if name == "persons":
            rows = [
                {"$sys": {"id": f"p{n}"}, "person_type": "student", "$sections": [
                    {"id": "s", "$membership": {"id": f"m{n}", "start_date": "2026-08-01", "status": "Active"}}]}
                for n in range(count)
            ]  # fmt: skip
        if name == "sections":
            theirs = [{"id": f"p{n}", "$membership": {"id": f"m{n}", "start_date": f"2026-08-{n % 28 + 2:02}",
                       "status": "Future"}} for n in range(count)]  # fmt: skip
            rows = [{"$sys": {"id": "s"}, "$students": theirs}]
        decoder.add([json_text.encode(row).encode() for row in rows])
    return {name: decoder.finish() for name, decoder in decoders.items()}


def test_every_difference_of_two_sides_is_told() -> None:
    found = both_sides(40)
    columns = {name: decoded.columns.column("id").to_pandas() for name, decoded in found.items()}
    links, differences = merge_sides(columns, {name: decoded.links for name, decoded in found.items()})
    assert len(links) == 40
    assert Counter((p.id, p.column) for p in differences) == Counter(
        (f"p{n}", column) for n in range(40) for column in ("start_date", "status")
    )


# Pages as bytes, tasks, what is kept on disk.

NAMES = [
    "data",
    "id",
    "$sys",
    "paging",
    "next",
    "error",
    "message",
    "rows",
    "format",
    "type",
    "dataEvent",
    "action",
    "topic",
]
keys = st.sampled_from([name.encode() for name in [*NAMES, "sequence", "created_at"]])
JSON_BYTES = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda them: b"[" + b",".join(them) + b"]")
        | st.dictionaries(keys, inner, max_size=4).map(put)
    ),
    max_leaves=12,
)
ANY_BYTES = JSON_BYTES | st.binary(max_size=40)


@settings(few, max_examples=200)
@given(ANY_BYTES)
def test_a_page_opens_or_is_a_bad_response(body: bytes) -> None:
    try:
        page = open_page(body, "orgs (page 0)")
    except BadResponseError as error:
        assert "orgs (page 0)" in str(error)
        return
    decoder = Decoder("orgs")
    decoder.add(page.rows)
    assert_every_row_is_somewhere([bytes(row) for row in page.rows], decoder.finish())


@settings(few, max_examples=200)
@given(st.lists(ANY_BYTES, max_size=4))
def test_every_task_is_in_the_table(rows: list[bytes]) -> None:
    tasks = task_table(rows)
    shown = set(tasks["raw"])
    assert {row.decode("utf-8", errors="replace") for row in rows} == shown
    assert len(tasks) >= len(rows)


@pytest.fixture(scope="module")
def snapshot(small_roster: kx.Roster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "monday"
    small_roster.save(folder)
    return folder


@st.composite
def manifests(draw: st.DrawFn, real: dict[str, object]) -> bytes:
    """Any bytes, or the real one with something in it replaced."""
    if draw(st.booleans()):
        return draw(ANY_BYTES)
    key = draw(st.sampled_from(sorted(real)))
    value = draw(scalars | JSON_BYTES)
    if isinstance(real[key], dict) and draw(st.booleans()):
        inner = draw(st.sampled_from(sorted(real[key])))
        value = put({**{k.encode(): json.dumps(v).encode() for k, v in real[key].items()}, inner.encode(): value})
    return put({**{k.encode(): json.dumps(v).encode() for k, v in real.items()}, key.encode(): value})


@few
@given(st.data(), st.booleans())
def test_a_snapshot_with_any_manifest_opens_or_is_a_bundle_error(
    snapshot: Path, small_roster: kx.Roster, data: st.DataObject, verify: bool
) -> None:
    file = snapshot / "manifest.json"
    real = file.read_bytes()
    try:
        file.write_bytes(data.draw(manifests(json.loads(real))))
        opened = open_roster(snapshot, verify=verify)
        assert len(opened.persons) == len(small_roster.persons)
        repr(opened)
    except kx.BundleError:
        pass
    finally:
        file.write_bytes(real)


@few
@given(ANY_BYTES)
def test_pages_with_any_manifest_are_read_again_or_refused(
    tmp_path_factory: pytest.TempPathFactory, text: bytes
) -> None:
    folder = tmp_path_factory.mktemp("pages") / "p"
    with saved_pages(folder, "http://here", 5) as saved:
        saved.put("rostering/orgs", 1, b'{"data": []}')
    real = (folder / "pages.json").read_bytes()
    (folder / "pages.json").write_bytes(text)
    try:
        with saved_pages(folder, "http://here", 5) as saved:
            assert saved.get("rostering/orgs", 1) is None
        assert (folder / "pages.json").read_bytes() == real
    except kx.ConfigurationError as error:
        assert "holds pages of" in str(error)


# Bundles.

CELLS = st.sampled_from(["", "a", "b", "p1", "sch1", "s1", "student", "teacher", "parent", "true", "maybe", "2026-08-17", "17/08/2026",
                         "0000-01-01", "tobedeleted", "é", "\ufeff", '"', "a,b", "\n", "\x00", "1" * 30])  # fmt: skip


@st.composite
def csv_bytes(draw: st.DrawFn, name: str) -> bytes:
    """A file of a bundle: any bytes, or its own with cells replaced, in any coding."""
    kind = draw(st.integers(0, 4))
    if kind == 0:
        return draw(st.binary(max_size=60))
    if kind == 1:
        rows = draw(st.lists(st.lists(CELLS, max_size=6), max_size=4))
        return "\n".join(",".join(row) for row in rows).encode()
    lines = [line.split(",") for line in FILES[name].splitlines()]
    for _ in range(draw(st.integers(1, 4))):
        line = draw(st.sampled_from(lines))
        line[draw(st.integers(0, len(line) - 1))] = draw(CELLS)
    if kind == 2:
        lines += draw(st.lists(st.sampled_from(lines), max_size=2))
    text = "\n".join(",".join(line) for line in lines)
    return text.encode(draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"])), errors="replace")


@st.composite
def bundles(draw: st.DrawFn) -> dict[str, bytes]:
    files = {f"{name}.csv": text.encode() for name, text in FILES.items() if text is not None}
    for name in draw(st.lists(st.sampled_from(sorted(FILES)), min_size=1, max_size=2, unique=True)):
        files[f"{name}.csv"] = draw(csv_bytes(name))
    return files


@settings(few, max_examples=60)
@given(bundles(), st.booleans(), st.integers(1, 20))
def test_a_bundle_of_anything_is_a_roster_or_a_bundle_error(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes], zipped: bool, checked: int
) -> None:
    folder = tmp_path_factory.mktemp("bundle")
    path = folder / "b.zip" if zipped else folder
    if zipped:
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in files.items():
                archive.writestr(name, text)
    else:
        for name, text in files.items():
            (folder / name).write_bytes(text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            roster = kx.read_oneroster(path)
        except kx.BundleError:
            return
        if checked == 20:  # a check takes seconds
            report = kx.check(roster)
            assert "could not run" not in set(report.summary["status"])


def real_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in FILES.items():
            archive.writestr(f"{name}.csv", text)
    return buffer.getvalue()


@settings(few, max_examples=150)
@given(
    st.binary(max_size=60) | st.none(),
    st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), max_size=6),
    st.integers(0, 400),
)
def test_a_zip_of_any_bytes_is_a_roster_or_a_bundle_error(
    tmp_path_factory: pytest.TempPathFactory, text: bytes | None, changes: list[tuple[int, int]], cut: int
) -> None:
    path = tmp_path_factory.mktemp("zip") / "b.zip"
    whole = bytearray(real_zip())
    for place, byte in changes:
        whole[-1 - place % len(whole)] = byte
    path.write_bytes(bytes(whole[: len(whole) - cut * (cut > 300)]) if text is None else text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(kx.BundleError):
            kx.read_oneroster(path)
