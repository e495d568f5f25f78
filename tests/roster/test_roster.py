"""A roster: search, describe, look, keep and open again."""

import json
from pathlib import Path

import pandas as pd
import pytest
from rosters import assert_equal

import kimono_explore as kx
from kimono_explore.frames import frame
from kimono_explore.roster.text import fold, fold_all

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def roster() -> kx.Roster:
    """A school, two sections and a handful of people with names that trip software."""
    names = [("Þórr", "O'Neil"), ("ليلى", "حداد"), ("José", "Núñez"), ("Ana", HOSTILE), ("Zoë", "Łukasik")]
    return kx.Roster(
        orgs=frame("orgs", {"id": ["o1"], "name": ["Nord Škola"], "org_type": ["school"]}),
        persons=frame(
            "persons",
            {
                "id": [f"p{n}" for n in range(5)],
                "person_type": ["teacher", *["student"] * 4],
                "name_first": [first for first, _ in names],
                "name_last": [last for _, last in names],
                "local_id": [f"0000{n}" for n in range(5)],
                "email": ["thor@example.org", None, None, None, None],
            },
        ),
        sections=frame("sections", {"id": ["s1", "p0"], "title": ["Art", "Band"]}),
        links=frame(
            "links",
            {
                "source_type": ["person", "person", "section", "section"],
                "source_id": ["p0", "p1", "s1", "s1"],
                "relation": ["teacher_in", "student_in", "held_at", "in_term"],
                "target_type": ["section", "section", "org", "term"],
                "target_id": ["s1", "s1", "o1", "gone"],
                "role": ["teacher", "student", None, None],
                "stated_by": ["both", "both", "source", "source"],
            },
        ),
        source="a test",
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("thorr", ["p0"]),
        ("O’NEIL", ["p0"]),
        ("nunez jose", ["p2"]),
        ("JOSÉ", ["p2"]),
        ("حداد", ["p1"]),
        ("lukasik", ["p4"]),
        ("00003", ["p3"]),
        ("thor@", ["p0"]),
        ("skola", ["o1"]),
        ("<img", ["p3"]),
        ("nobody", []),
        ("  ", []),
        (".*", []),
    ],
)
def test_search_ignores_case_and_accents(roster: kx.Roster, text: str, found: list[str]) -> None:
    result = roster.search(text)
    assert result["id"].tolist() == found
    assert result.attrs["found"] == len(found)
    assert list(result.columns) == ["type", "id", "label", "local_id", "detail"]


def test_search_is_limited_and_says_how_many_there_are(small_roster: kx.Roster) -> None:
    result = small_roster.search("e", type="person", limit=3)
    assert len(result) == 3
    assert result.attrs["found"] > 3
    assert set(result["type"]) == {"person"}


def test_labels_that_begin_with_the_text_come_first(small_roster: kx.Roster) -> None:
    labels = small_roster.search("ma", limit=1000)["label"].map(fold)
    starts = labels.str.startswith("ma").tolist()
    assert starts == sorted(starts, reverse=True)
    assert any(starts)


def test_describe_shows_both_directions(roster: kx.Roster) -> None:
    section = roster.describe("s1")
    assert (section.type, section.label) == ("section", "Art")
    assert section.fields.to_dict() == {"id": "s1", "title": "Art"}
    shown = section.relations[["relation", "direction", "type", "id", "label", "missing"]].values.tolist()
    assert shown == [
        ["held_at", "to", "org", "o1", "Nord Škola", False],
        ["in_term", "to", "term", "gone", "gone", True],
        ["teacher_in", "from", "person", "p0", "Þórr O'Neil", False],
        ["student_in", "from", "person", "p1", "ليلى حداد", False],
    ]


def test_describe_a_missing_object_and_a_shared_id(roster: kx.Roster) -> None:
    gone = roster.describe("gone")
    assert (gone.type, len(gone.fields), gone.relations["id"].tolist()) == ("term", 0, ["s1"])
    with pytest.raises(ValueError, match="objects of several types: person, section"):
        roster.describe("p0")
    assert roster.describe("p0", type="section").label == "Band"
    assert roster.describe("person:p0").label == "Þórr O'Neil"
    with pytest.raises(KeyError, match=r"No object has the id 'p99'; roster\.search"):
        roster.describe("p99")


def test_html_is_escaped_and_tells_what_matters(roster: kx.Roster) -> None:
    html = roster.describe("p3")._repr_html_()
    assert HOSTILE not in html
    assert "&lt;img" in html
    roster.source = HOSTILE
    assert HOSTILE not in roster._repr_html_()
    assert "4 links" in roster._repr_html_()


def test_repr_is_one_line(small_roster: kx.Roster) -> None:
    assert "\n" not in repr(small_roster)
    assert f"{len(small_roster.persons)} persons" in repr(small_roster)
    assert small_roster.school_year == "2027"


def test_overview_counts(roster: kx.Roster) -> None:
    overview = roster.overview()
    assert overview["rows"].to_dict() == {
        "orgs": 1,
        "persons": 5,
        "courses": 0,
        "sections": 2,
        "terms": 0,
        "grading_categories": 0,
    }
    assert overview.loc["sections", "links"] == 4
    assert overview.loc["persons", "complete"] == pytest.approx(26 / 30)


def test_a_snapshot_opens_equal(small_roster: kx.Roster, tmp_path: Path) -> None:
    small_roster.save(tmp_path / "monday")
    opened = kx.open_roster(tmp_path / "monday")
    assert_equal(small_roster, opened)
    pd.testing.assert_frame_equal(small_roster.links, opened.links)
    pd.testing.assert_frame_equal(small_roster.problems, opened.problems)
    assert (opened.source, opened.loaded_at, opened.rollups) == (
        small_roster.source,
        small_roster.loaded_at,
        small_roster.rollups,
    )
    assert sorted(path.name for path in (tmp_path / "monday").iterdir()) == sorted(
        [*(f"{name}.parquet" for name in [*small_roster.tables, "links", "problems"]), "manifest.json"]
    )


def test_a_snapshot_of_an_empty_roster_opens(tmp_path: Path) -> None:
    kx.Roster().save(tmp_path / "empty")
    assert_equal(kx.Roster(), kx.open_roster(tmp_path / "empty"))


def test_a_snapshot_can_be_replaced_but_nothing_else_is_overwritten(roster: kx.Roster, tmp_path: Path) -> None:
    roster.save(tmp_path / "a")
    roster.save(tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "thesis.txt").write_text("mine")
    with pytest.raises(kx.BundleError, match="is not a snapshot; nothing was written"):
        roster.save(tmp_path / "b")
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["thesis.txt"]


def test_a_broken_snapshot_says_so(roster: kx.Roster, tmp_path: Path) -> None:
    with pytest.raises(kx.BundleError, match="not a complete snapshot"):
        kx.open_roster(tmp_path / "nowhere")
    roster.save(tmp_path / "a")
    manifest = json.loads((tmp_path / "a" / "manifest.json").read_text())
    (tmp_path / "a" / "manifest.json").write_text(json.dumps({**manifest, "format": 99}))
    with pytest.raises(kx.BundleError, match="later version"):
        kx.open_roster(tmp_path / "a")
    roster.save(tmp_path / "a")
    (tmp_path / "a" / "links.parquet").write_bytes(b"PAR1")
    with pytest.raises(kx.BundleError, match="not a complete snapshot"):
        kx.open_roster(tmp_path / "a")


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ÉCOLE", "ecole"),
        ("Straße", "strasse"),
        ("Øre Þór Ægir", "ore thor aegir"),
        ("  a \t b ", "a b"),
        ("ﬁn", "fin"),
    ],
)
def test_fold(text: str, folded: str) -> None:
    assert fold(text) == folded
    assert fold_all(pd.Series([text, None, "Plain"], dtype="str")).to_pylist() == [folded, "", "plain"] or "\t" in text


def test_fold_text_in_pieces() -> None:
    pieces = pd.concat([pd.Series([text], dtype="str") for text in ("Þórr", None, "Plain")])
    assert fold_all(pieces).to_pylist() == ["thorr", "", "plain"]
