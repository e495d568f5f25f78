"""The quick way and the patient way to decode give the same: columns, links, problems and what was sent."""

import copy
import random
from collections import Counter
from collections.abc import Sequence

import msgspec
import pytest

from kimono_explore.decode.arrow_rows import ArrowRows
from kimono_explore.decode.decoder import Decoded, Decoder
from kimono_explore.json_text import encode
from kimono_explore.sandbox.dialect import Dialect
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.sandbox.flaws.catalogue import inject_flaws
from kimono_explore.sandbox.speaker import Speaker
from kimono_explore.schema import JSON, TABLES

ODD: list[JSON] = [None, "", " ", 0, 7, 1.5, True, [], {}, "x", "2026-02-30", "2026-08-17", "2026-08-17T06:00", "0000-01-01",
       "20260817", "2026-08-17T06:00:00+05:30", "2026-08-17T06:00:00.1234567Z", "2026-08-17T24:00:00Z", "RDM:Student",
       "teacher", {"id": "a"}, [{"id": "a"}], [None], "true", {"$sys": {"id": "b", "type": "nobody"}},
       {"$membership": {"role": "Teacher"}}, "é\u202e", 2**70]  # fmt: skip
KEYS = [
    "id",
    "type",
    "$sys",
    "$ext",
    "name",
    "role",
    "$membership",
    "$section",
    "$org",
    "ext_id",
    "label",
    "dob",
    "new",
]


@pytest.fixture(scope="module", params=["mixed", "wrapped", "membership"])
def pages(request: pytest.FixtureRequest) -> dict[str, list[dict[str, JSON]]]:
    roster, _ = inject_flaws(make_district(40))
    speaker = Speaker(roster, Dialect(references=request.param))
    return {
        table: msgspec.json.decode(msgspec.json.encode(speaker.objects(table, range(len(df)))))
        for table, df in roster.tables.items()
    }


def spoil(value: JSON, chance: random.Random) -> JSON:
    """The value with one thing in it changed, at random."""
    if isinstance(value, dict) and value and chance.random() < 0.85:
        key = chance.choice(list(value))
        what = chance.random()
        if what < 0.1:
            return {name: held for name, held in value.items() if name != key}
        if what < 0.2:
            return {**value, chance.choice(KEYS): chance.choice(ODD)}
        return {**value, key: spoil(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.8:
        place = chance.randrange(len(value))
        return [*value[:place], spoil(value[place], chance), *value[place + 1 :]]
    return chance.choice(ODD)


def decoded(table: str, rows: Sequence["JSON | bytes"], monkeypatch: pytest.MonkeyPatch, *, quick: bool) -> Decoded:
    with monkeypatch.context() as patch:
        if not quick:
            patch.setattr(ArrowRows, "_sift", lambda self, rows: (self.parse([]), []))
        decoder = Decoder(table)
        encoded = [row if isinstance(row, bytes) else encode(row).encode() for row in rows]
        for start in range(0, len(rows), 50):
            decoder.add(encoded[start : start + 50])
        return decoder.finish()


def same(table: str, rows: Sequence["JSON | bytes"], monkeypatch: pytest.MonkeyPatch) -> Decoded:
    quick, patient = (decoded(table, rows, monkeypatch, quick=way) for way in (True, False))
    assert quick.columns.to_pylist() == patient.columns.to_pylist()
    assert quick.columns.schema == patient.columns.schema
    assert Counter(quick.problems) == Counter(patient.problems)
    assert quick.sent == patient.sent
    assert rows_of(quick) == rows_of(patient)
    return quick


def rows_of(found: Decoded) -> Counter[str]:
    """The links of a list, in whatever order."""
    stated = zip(found.links.near.tolist(), found.links.reference.tolist(), found.links.table.to_pylist(), strict=True)
    return Counter(repr(link) for link in stated)


@pytest.mark.parametrize("table", list(TABLES))
def test_the_quick_way_gives_what_the_patient_way_gives(
    table: str, pages: dict[str, list[dict[str, JSON]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert same(table, [*pages[table]], monkeypatch).columns.num_rows >= len(pages[table]) - 2


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("table", ["persons", "sections", "orgs", "terms"])
def test_also_where_rows_are_odd(
    table: str, seed: int, pages: dict[str, list[dict[str, JSON]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)
    rows = [spoil(row, chance) if chance.random() < 0.4 else row for row in copy.deepcopy(pages[table])]
    found = same(table, rows, monkeypatch)
    assert len(found.problems) > 0 or len(rows) < 10


def test_the_usual_rows_take_the_quick_way(pages: dict[str, list[dict[str, JSON]]]) -> None:
    rows = [encode(row).encode() for row in pages["persons"]]
    quick = len(ArrowRows("persons").read_page(rows).positions)
    member_shaped = '"$section":' in encode(pages["persons"][0])
    assert (quick < 0.2 * len(rows)) if member_shaped else quick > 0.9 * len(rows)


USUAL = [b'{"$sys": {"id": "%d"}, "name": "Oak", "$ext": {"a": "b"}}' % n for n in range(20)]


@pytest.mark.parametrize(
    ("rows", "quick"),
    [
        ([b'{"$sys": {"id": "x"}, "$ext": {"since": "2026-01-01", "n": 1, "b": true}, "opened": "2026-01-01T06:00:00Z"}'], 1),
        ([b'{"$sys": null, "id": "x", "label": "A", "updated_at": "2026-01-01T06:00:00Z", "org_type": "school"}'], 1),
        ([b'{"$sys": {"id": "x", "label": null}, "id": "x", "label": "A"}'], 0),
        ([b'{"$sys": {"id": "x"},\n "$ext": {\r\n"c":\n null}}', b'{"id":\n 3}'], 2),
        ([b'{"id": "x", "$ext": {"gpa": 3.5}}', b'{"id": "y", "$ext": {"gpa": 4.0}}', b'{"id": "z", "$ext": {"gpa": 4}}'], 1),
        ([b'{"id": "x", "$ext": {"n": 1180591620717411303424}}', b'{"id": "y", "$ext": {"n": -0}}'], 0),
        ([b'{"id": "x", "$ext": {"n": NaN}}', b'{"id": "y", "$ext": {"n": -0.0}}', b'{"id": "z", "$ext": {"n": 1e400}}'], 0),
        ([b'{"id": "x", "$ext": {"n": 1}}', b'{"id": "y", "$ext": {"n": "1"}}', b'{"id": "z", "$ext": {"n": false}}'], 3),
        ([b"null", b"true", b"{}", b'"x"', b"[null, 1]", b'{"id": "x", "$parent": null}'], 1),
        ([b'{"id": "x", "$ext": {"a": [null, 1]}}', b'{"id": "y", "$ext": {"a": {"b": null}}}'], 0),
        ([b'{"id": "x", "ext_c": "1", "$ext": {"c": "2"}}', b'{"id": "y", "ext_c": "3"}', b'{"id": "z", "sys_new": 1}'], 1),
        ([b'{"id": "x", "name": "\xff"}', b'{"id": "y", "name": "\\ud800"}'], 0),
        ([b'{"id": "x", "id": "y"}', b'{"id": "", "$sys": {"id": "z"}}', b'{"id": "1", "$sys": {"id": ""}}'], 2),
        ([b'{"id": "x", "$children": [null]}', b'{"id": "y", "$children": [{"id": "1", "$org": null, "$membership": {}}]}'], 1),
    ],
)  # fmt: skip
def test_rows_that_are_easily_misread(rows: list[bytes], quick: int, monkeypatch: pytest.MonkeyPatch) -> None:
    found = same("orgs", [*USUAL, *rows, *USUAL[:3]], monkeypatch)
    assert found.columns.column("id").to_pylist()[:20] == [str(n) for n in range(20)]
    alone = ArrowRows("orgs").read_page([*USUAL, *rows])
    assert len(alone.positions) == (0 if b"\xff" in b"".join(rows) else 20 + quick)


@pytest.mark.parametrize(
    ("table", "row", "told"),
    [
        ("persons", '{"$sys": {"id": "%d", "school_year": 2026}, "local_id": 12, "grad_year": 2030, "phone": 5551234}',
         {"local_id", "grad_year", "phone"}),
        ("persons", '{"$sys": {"id": %d}, "address": {"postal_code": 1234}, "name": {"last": true}, "aup": false}',
         {"id", "address_postal_code", "name_last"}),
        ("persons", '{"$sys": null, "id": %d, "school_year": 2026, "$sections": [{"id": 3, "$membership": {"id": 4, "grade": 7}}],'
         ' "person_type": "student"}', {"id", "$sections", "$sections.id", "$sections.grade"}),
        ("orgs", '{"$sys": {"id": "%d"}, "$parent": {"$sys": {"id": 8, "type": "lea"}}, "name": 5, "$ext": {"seats": 1, "b": false}}',
         {"$parent", "name"}),
        ("sections", '{"$sys": {"id": %d}, "title": "\\"id\\": 1, \\"title\\": 2", "$course": {"id": "5", "local_id": 7}}', {"id"}),
    ],
)  # fmt: skip
def test_numbers_where_text_is_declared_stay_on_the_quick_way(
    table: str, row: str, told: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [(row % n).encode() for n in range(40)]
    texts = [b'{"$sys": {"id": "t%d", "school_year": "2026"}, "$ext": {"seats": "x", "b": 2}}' % n for n in range(9)]
    for rows in (numbers, [*numbers[:20], *texts, *numbers[20:]]):
        found = same(table, rows, monkeypatch)
        assert {problem.column: problem.value for problem in found.problems} == dict.fromkeys(told, "40")
        assert len(ArrowRows(table).read_page(rows).odd) == 0
        ids = found.columns.column("id").to_pylist()
        assert len(set(ids)) == len(rows)
        assert {str(n) for n in range(40)} <= set(ids)


def test_a_school_year_is_a_number_or_a_text_and_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    number = [b'{"$sys": {"id": "n%d", "school_year": %d}, "local_id": "007"}' % (n, 2020 + n % 9) for n in range(50)]
    text = [b'{"$sys": {"id": "t%d", "school_year": "%d"}, "local_id": "007"}' % (n, 2020 + n % 9) for n in range(50)]
    for rows in (number, text, [*text, *number], [*number, *text]):
        found = same("persons", rows, monkeypatch)
        assert found.problems == []
        assert found.columns.column("school_year").to_pylist()[:2] == ["2020", "2021"]
        assert len(ArrowRows("persons").read_page(rows).odd) == 0


def test_a_number_in_an_undeclared_column_named_like_a_declared_one_is_still_a_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [b'{"id": "%d", "local_id": %d, "$ext": {"local_id": %d, "flag": true}}' % (n, n, n) for n in range(9)]
    found = same("courses", rows, monkeypatch)
    assert found.columns.column("ext_local_id").to_pylist() == list(range(9))
    assert found.columns.column("local_id").to_pylist() == [str(n) for n in range(9)]
