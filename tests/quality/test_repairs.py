"""Repairs: what is proposed is what was planted, taken back; and each is tried before it is proposed."""

import csv
from collections import Counter

import pandas as pd
import pytest
from builders import course, lea, link, make, school, section, student, teacher, term

import kimono_explore as kx
from kimono_explore.__main__ import main
from kimono_explore.quality.repairs.evidence import Edit
from kimono_explore.quality.repairs.trial import _tried
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.sandbox.flaws.catalogue import inject_flaws
from kimono_explore.schema import TABLES

DAY = "2026-10-05"


def texts(roster: kx.Roster, *checks: str) -> list[str]:
    return kx.check(roster, checks or None, as_of=DAY).repairs()["repair"].tolist()


def seats(*people: str, relation: str = "student_in", section: str = "algebra-1", **more: object) -> tuple:
    return tuple(link(f"{person} {relation} {section}", **more) for person in people)


# Against what was planted


def wrong(edits: list[Edit], original: kx.Roster, flawed: kx.Roster, repaired: kx.Roster) -> list[object]:
    """What is not as it was before anything was planted: cells, links that were taken away, and links that were put there."""
    before, after = ({name: df.set_index("id") for name, df in r.tables.items()} for r in (original, repaired))
    cells = [
        edit.text
        for edit in edits
        if edit.place != "links"
        and any(before[edit.place].at[edit.id, c] != after[edit.place].at[edit.id, c] for c in edit.cells)
    ]
    # A membership's own id says nothing of it.
    columns = [name for name in original.links if name != "membership_id"]
    was, planted, now = (
        Counter(roster.links[columns].astype("str").itertuples(index=False, name=None))
        for roster in (original, flawed, repaired)
    )
    return [*cells, *((now - planted) - was), *((was - now) & planted)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_is_proposed_takes_back_what_was_planted(seed: int) -> None:
    original = make_district(300, seed=seed)
    flawed, _ = inject_flaws(original, seed)
    report = kx.check(flawed)
    known = {id for name in TABLES for id in original.tables[name]["id"]}
    # What was planted as a new object cannot be as it was, nor can what was never delivered.
    judged = [n for n, edit in enumerate(report._repairs.edits) if edit.id in known]
    assert len(judged) >= 45
    found = wrong([report._repairs.edits[n] for n in judged], original, flawed, report.repaired(judged))
    assert len(found) <= 0.05 * len(judged), found
    assert report.repairs()["findings"].min() >= 1
    assert report.repairs()["findings"].sum() >= 60


def test_after_all_repairs_exactly_their_findings_are_gone() -> None:
    flawed, planted = inject_flaws(make_district(300, seed=4), 4)
    report = kx.check(flawed)
    after = kx.check(report.repaired(), as_of=report.as_of)
    keys = ["check", "table", "id"]
    before_counts, after_counts = (r.findings[keys].fillna("").value_counts() for r in (report, after))
    delivered = report.repairs().query("kind == 'add'")["id"]
    after_counts = after_counts[~after_counts.index.get_level_values("id").isin(delivered)]
    fewer = before_counts.sub(after_counts, fill_value=0)
    assert fewer.min() == 0
    assert fewer.sum() >= report.repairs()["findings"].sum() >= 55
    left = planted[keys].fillna("").value_counts()
    assert not len(after_counts.index.difference(left.index))
    assert after.score > report.score


def test_a_clean_district_needs_no_repair() -> None:
    report = kx.check(make_district(100, seed=1))
    assert report.repairs().to_dict("list") == {
        name: [] for name in ("repair", "why", "kind", "table", "id", "findings", "checks")
    }
    assert str(report.repairs()["findings"].dtype) == "int64"


# The smallest rosters


def test_text_is_trimmed_and_its_label_follows() -> None:
    report = kx.check(make(student(name_last="Silva ", label="Ana Silva ")), ["untrimmed_text"], as_of=DAY)
    assert report.repairs()["repair"].tolist() == [
        "Write the last name of Ana Silva without the spaces around it and unseen characters"
    ]
    fixed = report.repaired().persons.iloc[0]
    assert (fixed["name_last"], fixed["label"]) == ("Silva", "Ana Silva")


def test_a_broken_encoding_is_decoded_unless_letters_are_lost() -> None:
    report = kx.check(
        make(student(name_first="JosÃ©"), student("mu", name_last="Mu\ufffdoz")), ["broken_encoding"], as_of=DAY
    )
    assert report.repairs()["why"].tolist() == ["first name: José"]
    assert report.repaired().persons["name_first"].tolist() == ["José", "Mu"]


def test_an_id_that_is_there_but_for_case_and_zeros_is_named() -> None:
    people = [student(id) for id in ("ana", "ben", "cyd")]
    roster = make(section("A-1"), *people, *seats("ana", "ben", section="A-1"), link("cyd student_in a_01"))
    assert texts(roster, "orphan_student_in") == ["Deliver section a_01"]  # zeros in the middle do count
    roster = make(section("A-1"), *people, *seats("ana", "ben", section="A-1"), link("cyd student_in a_1"))
    report = kx.check(roster, ["orphan_student_in"], as_of=DAY)
    assert report.repairs()["repair"].tolist() == ["Refer to A-1 as 'A-1', not as 'a_1'"]
    assert set(report.repaired().links["target_id"]) == {"A-1"}


def test_what_several_refer_to_is_to_be_delivered() -> None:
    roster = make(section(), student(), student("cyd"), *seats("ana", "cyd", section="gone"), *seats("ana"))
    report = kx.check(roster, ["orphan_student_in"], as_of=DAY)
    row = report.repairs().iloc[0]
    assert (row["repair"], row["kind"], row["table"], row["id"], row["findings"]) == (
        "Deliver section gone", "add", "sections", "gone", 2,
    )  # fmt: skip
    assert row["why"] == "2 links of 2 objects lead to it."
    assert report.repaired().sections["id"].tolist() == ["algebra-1", "gone"]


def test_a_single_link_to_nothing_is_taken_off_where_there_is_another() -> None:
    roster = make(section(), student(), *seats("ana"), link("ana student_in gone"))
    report = kx.check(roster, ["orphan_student_in"], as_of=DAY)
    assert report.repairs()["repair"].tolist() == ["Take the section gone off Ana Silva"]
    assert report.repaired().links["target_id"].tolist() == ["algebra-1"]
    alone = make(section(), student(), link("ana student_in gone"))
    assert texts(alone, "orphan_student_in") == ["Deliver section gone"]


def sections(*ids: str, without: str = "") -> list:
    items = [school(), course(), term(), link("algebra offered_by school")]
    for id in ids:
        items += [section(id), link(f"{id} held_at school")]
        items += [] if id == without else [link(f"{id} of_course algebra"), link(f"{id} in_term year")]
    return items


def test_a_section_gets_the_term_of_all_others_of_its_course_and_the_course_of_its_title() -> None:
    items = sections("algebra-1", "algebra-2", "algebra-3", "algebra-4", without="algebra-1")
    assert texts(make(*items), "section_without_course") == ["Set the course of algebra-1 to algebra"]
    items.append(link("algebra-1 of_course algebra"))
    report = kx.check(make(*items), ["section_without_term"], as_of=DAY)
    assert report.repairs()["why"].tolist() == ["All 3 other sections of its course are in it."]
    added = report.repaired().links.iloc[-1]
    assert (added["source_id"], added["relation"], added["target_id"]) == ("algebra-1", "in_term", "year")
    # Where they are not of one mind, nobody knows.
    items += [term("half"), link("algebra-4 in_term half")]
    assert texts(make(*items), "section_without_term") == []


def test_a_section_gets_the_school_of_all_its_people() -> None:
    people = [student(id) for id in ("ana", "cyd", "dee")]
    at_school = [link(f"{id} member_of school") for id in ("ana", "cyd", "dee")]
    roster = make(school(), section(), section("other"), link("other held_at school"), *people, *at_school,
                  *seats("ana", "cyd", "dee"))  # fmt: skip
    assert texts(roster, "section_without_org") == ["Set the school of algebra-1 to school"]


def test_a_school_gets_the_parent_of_all_others() -> None:
    schools = [school(f"s{n}") for n in range(4)]
    roster = make(lea(), *schools, *(link(f"s{n} child_of district") for n in range(3)))
    assert texts(roster, "school_without_parent") == ["Put s3 under district"]


def test_one_sided_links_are_listed_on_the_other_side() -> None:
    roster = make(section(), student(), link("ana student_in algebra-1", stated_by="source"))
    report = kx.check(roster, ["one_sided_membership"], as_of=DAY)
    assert report.repairs()["repair"].tolist() == ["List Ana Silva on the record of algebra-1, too"]
    assert report.repaired().links["stated_by"].tolist() == ["both"]


def test_of_equal_memberships_the_longest_stays() -> None:
    days = [("2026-08-17", "2026-12-20"), ("2026-08-17", None), ("2026-08-17", "2027-06-04")]
    links = [link("ana student_in algebra-1", start_date=start, end_date=end) for start, end in days]
    report = kx.check(make(section(), student(), *links), ["duplicate_membership"], as_of=DAY)
    assert report.repairs()["repair"].tolist() == ["Keep one of the 3 memberships of Ana Silva in algebra-1"]
    assert report.repaired().links["end_date"].isna().tolist() == [True]


def test_a_student_is_no_teacher_of_the_section() -> None:
    roster = make(section(), student(), teacher(), *seats("ana", "ben"), *seats("ana", "ben", relation="teacher_in"))
    report = kx.check(roster, ["student_and_teacher_of_section"], as_of=DAY)
    assert sorted(report.repairs()["repair"]) == [
        "Take Ana Silva off the teachers of algebra-1",
        "Take Ben Berg off the students of algebra-1",
    ]
    links = report.repaired().links
    assert list(zip(links["source_id"], links["relation"], strict=True)) == [
        ("ana", "student_in"),
        ("ben", "teacher_in"),
    ]


def test_what_cannot_be_there_is_taken_off_where_the_right_thing_is_there_too() -> None:
    wrong_one = link("algebra-1 in_term algebra", types=("section", "course"))
    roster = make(section(), term(), course(), link("algebra-1 in_term year"), wrong_one)
    assert texts(roster, "wrong_target_type") == ["Take the course algebra off the term of algebra-1"]
    assert texts(make(section(), course(), wrong_one), "wrong_target_type") == []


def days(*ends: str | None) -> kx.Roster:
    people = [student(f"p{n}") for n in range(len(ends))]
    links = [link(f"p{n} student_in algebra-1", start_date="2026-08-17", end_date=end) for n, end in enumerate(ends)]
    return make(section(), term(), link("algebra-1 in_term year"), *people, *links)


def test_days_are_those_of_all_others_of_the_section() -> None:
    report = kx.check(days("2027-06-04", "2027-06-04", "2027-06-04", None), ["enrollment_without_end"], as_of=DAY)
    assert report.repairs()["repair"].tolist() == ["Set the end date to 2027-06-04 for P3 Silva in algebra-1"]
    assert report.repaired().links["end_date"].tolist()[1:] == [pd.Timestamp(2027, 6, 4)] * 4
    assert texts(days("2027-06-04", "2027-06-04", "2027-06-01", None), "enrollment_without_end") == []


def test_the_only_teacher_becomes_the_primary_one() -> None:
    rows = [section(f"s{n}") for n in range(3)]
    links = [link(f"ben teacher_in s{n}", primary=n > 0) for n in range(3)]
    report = kx.check(make(teacher(), *rows, *links), ["section_without_one_primary_teacher"], as_of=DAY)
    assert report.repairs()["repair"].tolist() == ["Make the only teacher of s0 the primary one"]
    assert report.repaired().links["primary"].tolist() == [True, True, True]


# What is left out


def test_an_edit_that_brings_a_finding_is_left_out() -> None:
    # With the days of all others, the enrollment would begin before the student was born.
    people = [student(f"p{n}", dob="2026-09-01" if n == 3 else "2012-01-01") for n in range(4)]
    links = [
        link(f"p{n} student_in algebra-1", start_date=None if n == 3 else "2026-08-17", end_date="2027-06-04")
        for n in range(4)
    ]
    roster = make(section(), term(), link("algebra-1 in_term year"), *people, *links)
    assert len(texts(roster, "enrollment_without_start")) == 1
    assert texts(roster, "enrollment_without_start", "membership_before_birth") == []


def always_broken(*checks: str) -> tuple[list[Edit], list[int]]:
    """What is left of fifty edits, of which the first that these checks led to brings a finding; and the edits of each round."""
    edits = [
        Edit("change", "persons", f"p{n}", "", "", "persons", (n,), {}, ("one" if n % 2 else "other",), frozenset({f"p{n}"}))
        for n in range(50)
    ]  # fmt: skip
    rounds: list[int] = []

    def after(some: list[Edit]) -> Counter:
        rounds.append(len(some))
        return Counter([("new", "persons", edit.id) for edit in some if edit.checks[0] in checks][:1])

    left, _ = _tried(edits, Counter(), after)
    return left, rounds


def test_the_roster_is_checked_again_a_bounded_number_of_times() -> None:
    left, rounds = always_broken("one")
    assert rounds == [50, 49, 48, 47, 46, 45, 44, 25]
    assert [edit.id for edit in left] == [
        f"p{n}" for n in range(0, 50, 2)
    ]  # what the other check led to is still proposed
    left, rounds = always_broken("one", "other")
    assert (left, len(rounds)) == ([], 8)  # what was not tried without a finding is not proposed


def test_rows_with_one_id_are_left_to_people() -> None:
    assert texts(make(student(name_last="Silva "), student(name_last="Silva ")), "untrimmed_text") == []


def test_a_repair_that_does_not_exist_is_an_error() -> None:
    report = kx.check(make(student(name_last="Silva ")), ["untrimmed_text"], as_of=DAY)
    with pytest.raises(KeyError, match=r"no repair 1; report.repairs\(\) has 1"):
        report.repaired([1])


def test_of_a_snapshot_there_is_one_clear_line(tmp_path) -> None:
    make(student(name_last="Silva ")).save(tmp_path / "s")
    report = kx.check(tmp_path / "s", ["untrimmed_text"])
    with pytest.raises(kx.KimonoError, match="Repairs need the roster in memory"):
        report.repairs()


def test_the_command_line_writes_them_as_csv(tmp_path, capsys) -> None:
    make(student(name_last="Silva "), student("cyd", name_last="=1+1 ")).save(tmp_path / "monday")
    out = tmp_path / "edits.csv"
    only = ["--only", "untrimmed_text", "--as-of", DAY]
    assert main(["check", str(tmp_path / "monday"), *only, "--repairs", str(out)]) == 0
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert [(row["id"], row["kind"], row["findings"]) for row in rows] == [
        ("ana", "change", "1"),
        ("cyd", "change", "1"),
    ]
    assert out.stat().st_mode & 0o777 == 0o600
    assert "1 failed" in capsys.readouterr().out


def test_where_no_section_has_a_course_there_is_no_link_to_make_another_like() -> None:
    roster = make(school(), course(), section(), link("algebra offered_by school"), link("algebra-1 held_at school"))
    assert texts(roster, "section_without_course") == []
