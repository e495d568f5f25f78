"""How a search understands more than words, beside what a loop over people says; in memory and on disk alike."""

from collections.abc import Callable

import pytest
from builders import course, lea, link, make, school, student, teacher

import kimono_explore as kx
from kimono_explore.roster.lazy import LazyRoster
from kimono_explore.roster.query import Name, Place, parse_search, typos_allowed
from kimono_explore.sandbox.district.build import make_district


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Smith, J", Name("smith", "j")),
        ("  O’Neil ,", Name("o'neil", "")),
        ("grade 9 Lincoln", Place(("9", "09"), ("lincoln",))),
        ("Lincoln High GRADE 09", Place(("9", "09"), ("lincoln", "high"))),
        ("10th grade", Place(("10", "10"), ())),
        ("grade k", Place(("K", "KG", "0", "00"), ())),
        ("grade ug", Place(("UG",), ())),
        ("grade", None),
        ("upgrade 9", None),
        (", j", None),
        ("smith j", None),
        ("", None),
    ],
)
def test_a_text_is_understood(text: str, meant: object) -> None:
    assert parse_search(text) == meant


def test_short_words_are_no_typing_errors() -> None:
    assert [typos_allowed("a" * length) for length in (1, 3, 4, 5, 6, 20)] == [0, 0, 1, 1, 2, 2]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[kx.Roster, LazyRoster]:
    roster = make(
        lea(),
        school("lincoln", name="Lincoln High"),
        school("pine", name="Pine"),
        student("jo", name_first="Jörg", name_last="Smith", ext_grade="9"),
        student("jane", name_first="Jane", name_last="Smith-Berg", ext_grade="09"),
        student("jim", name_first="Jim", name_last="Smithson", ext_grade="9"),
        student("eva", name_first="Eva", name_last="Smith", ext_grade="KG"),
        teacher("ben", name_first="Ben", name_last=None),
        course("maths", title="Mathematics"),
        course("art", title="Art' or 1=1 --"),
        link("jo member_of lincoln"),
        link("jane member_of pine"),
        link("jim member_of lincoln"),
        link("eva member_of lincoln", grade="09"),
        link("ben member_of lincoln"),
    )
    folder = tmp_path_factory.mktemp("query") / "monday"
    roster.save(folder)
    return roster, LazyRoster(folder)


def each(both: tuple[kx.Roster, LazyRoster], ask: Callable[[kx.Roster | LazyRoster], object]) -> list[object]:
    return [ask(roster) for roster in both]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("smith, j", ["jane", "jo"]),
        ("SMITH,JÖ", ["jo"]),
        ("smith, x", []),
        ("smith,", ["eva", "jane", "jo"]),
        (".*, j", []),
        ("grade 9 lincoln", ["eva", "jim", "jo"]),
        ("grade 9 pine", ["jane"]),
        ("9th grade high lincoln", ["eva", "jim", "jo"]),
        ("grade 9", ["eva", "jane", "jim", "jo"]),
        ("grade k", ["eva"]),
        ("grade 9 nowhere", []),
        ("grade 11", []),
        ("' or 1=1, x", []),
    ],
)
def test_people_are_found_by_name_and_place(both: tuple[kx.Roster, LazyRoster], text: str, found: list[str]) -> None:
    for roster in both:
        result = roster.search(text)
        assert (sorted(result["id"]), result.attrs["found"]) == (found, len(found))
        assert roster.search(text, "course")["id"].tolist() == []


@pytest.mark.parametrize(
    ("text", "type", "meant"),
    [
        ("mathmatics", None, "mathematics"),
        ("MATHMATICS", "course", "mathematics"),
        ("mathmatics", "person", None),
        ("linclon hihg", None, "lincoln high"),
        ("lincoln smith", None, None),
        ("zzzzzzzz", None, None),
        ("pin", "org", None),
        ("xyz", None, None),
        ("mathmatics zzzzzzzz", None, None),
        ("", None, None),
        ("smith, j", None, None),
        ("'; drop table texts --", None, None),
    ],
)
def test_a_typing_error_is_told(
    both: tuple[kx.Roster, LazyRoster], text: str, type: str | None, meant: str | None
) -> None:
    assert each(both, lambda roster: roster.search(text, type).attrs["did_you_mean"]) == [meant, meant]
    if meant is not None:
        assert each(both, lambda roster: roster.search(meant, type).attrs["found"] > 0) == [True, True]


def test_a_district_is_asked_as_a_loop_over_its_people() -> None:
    roster = make_district(300)
    people = roster.persons
    schools = roster.orgs[roster.orgs["org_type"] == "school"]
    for name, id in zip(schools["name"], schools["id"], strict=True):
        for grade in ("01", "07", "10"):
            at = roster.links[(roster.links["relation"] == "member_of") & (roster.links["target_id"] == id)]
            expected = [
                person for person, own in zip(people["id"], people["ext_grade"], strict=True)
                if own == grade and person in set(at["source_id"])
            ]  # fmt: skip
            found = roster.search(f"grade {int(grade)} {name}", limit=1000)
            assert sorted(found["id"]) == sorted(expected)
