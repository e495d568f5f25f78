"""The report: planted flaws found to the object, one cause for many findings, three engines, real rosters, files."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import narwhals as nw
import pandas as pd
import pyarrow.parquet as pq
import pytest
from builders import course, lea, link, make, problem, school, section, student, teacher, term

import kimono_explore as kx
from kimono_explore.__main__ import main
from kimono_explore.files.snapshot import PARTS, write_manifest
from kimono_explore.frames import to_arrow
from kimono_explore.quality import CheckContext, CheckResult, catalogue
from kimono_explore.quality.causes import STAGES
from kimono_explore.quality.definition import SEVERITIES
from kimono_explore.quality.engines import Spark
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.sandbox.flaws.catalogue import WHOLE, inject_flaws
from kimono_explore.tasks import TASK_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

OCTOBER = "2026-10-05"
DATA = Path(__file__).parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not there")
# The made-up district says of nobody whether they are active, and not which grades schools and sections have; only the
# flaws do.
NOT_SAID = (
    *("enrolled_inactive_student", "enrollment_in_inactive_section", "inactive_teacher_of_section"),
    *("grade_not_of_school", "grade_not_of_section"),
)
HOSTILE = ("<img src=x onerror=alert(1)>", "O'Neil", "Þórr", "محمد", "👩‍🎓")


@lru_cache
def flawed(students: int) -> tuple[kx.Roster, pd.DataFrame]:
    """A district with flaws, and what was planted; no test changes it."""
    return inject_flaws(make_district(students))


@lru_cache
def found_by_polars(students: int) -> kx.Report:
    """What is found in it, for several tests; none changes it."""
    return kx.check(flawed(students)[0], as_of=OCTOBER)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[kx.Sandbox]:
    with kx.sandbox(students=500) as box:
        yield box


@pytest.fixture(scope="module")
def report(sandbox: kx.Sandbox) -> kx.Report:
    return kx.check(kx.load_roster(sandbox.client, progress=False), as_of=OCTOBER)


def objects(df: pd.DataFrame) -> Counter[tuple[str, str | None]]:
    return Counter((t, None if pd.isna(id) else id) for t, id in zip(df["table"], df["id"], strict=True))


# What was planted.


@pytest.mark.parametrize("check", [check.id for check in catalogue.ROSTER_CHECKS])
def test_what_was_planted_is_found_and_nothing_else(check: str, sandbox: kx.Sandbox, report: kx.Report) -> None:
    planted = sandbox.planted[sandbox.planted["check"] == check]
    assert objects(report.failures(check)) == objects(planted)
    status = report.summary.set_index("id").loc[check, "status"]
    assert status == ("failed" if len(planted) else "passed")


@pytest.mark.parametrize("students", [60, 100, 3000])
def test_districts_of_every_size(students: int) -> None:
    planted, found = flawed(students)[1], found_by_polars(students)
    for check in found.summary["id"]:
        # One object may hold two orphans; what was planted lists objects.
        assert set(objects(found.failures(check))) == set(objects(planted[planted["check"] == check])), check
    clean = kx.check(make_district(students), as_of=OCTOBER).summary
    assert set(clean.loc[~clean["id"].isin(NOT_SAID), "status"]) == {"passed"}
    assert set(clean.loc[clean["id"].isin(NOT_SAID), "status"]) == {"not applicable"}


@pytest.mark.parametrize("also", [flaw.check for flaw in WHOLE])
def test_a_mistake_of_the_whole_roster_is_found_beside_all_others(also: str) -> None:
    roster, planted = inject_flaws(make_district(60), also=also)
    found = kx.check(roster, as_of=OCTOBER)
    assert also in set(planted["check"])
    for check in found.summary["id"]:
        assert set(objects(found.failures(check))) == set(objects(planted[planted["check"] == check])), check


# Engines.


def assert_equal(one: kx.Report, other: kx.Report) -> None:
    pd.testing.assert_frame_equal(one.summary, other.summary)
    for check in one.summary["id"]:
        pd.testing.assert_frame_equal(one.failures(check), other.failures(check), obj=check)
    pd.testing.assert_frame_equal(one.causes, other.causes)


def test_polars_and_duckdb_agree_row_for_row() -> None:
    assert_equal(found_by_polars(500), kx.check(flawed(500)[0], as_of=OCTOBER, engine="duckdb"))


def test_a_snapshot_is_checked_where_it_lies(tmp_path: Path) -> None:
    flawed(60)[0].save(tmp_path / "monday")
    found = found_by_polars(60)
    for engine in ("duckdb", "polars"):
        assert_equal(found, kx.check(tmp_path / "monday", as_of=OCTOBER, engine=engine))


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    from pyspark.sql import SparkSession

    # Hundreds of small plans, each run once: nothing is gained by compiling them, by collecting garbage in parallel, or by
    # telling Java of the line that each column was written in.
    settings = {
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "1",
        "spark.default.parallelism": "1",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.constraintPropagation.enabled": "false",
        "spark.sql.optimizer.maxIterations": "3",
        "spark.sql.analyzer.maxIterations": "30",
        "spark.python.sql.dataFrameDebugging.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("warehouse")),
    }
    session = SparkSession.builder.master("local[1]").config(map=settings).getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java, and there is none on this machine")
@pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_spark_agrees_row_for_row(spark: SparkSession) -> None:
    found = kx.check(flawed(60)[0], as_of=OCTOBER, engine=spark)
    assert found.engine == "spark"
    assert_equal(found_by_polars(60), found)


@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java, and there is none on this machine")
@pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_spark_agrees_on_a_folder_of_districts(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Spark(spark).in_one_process
    monkeypatch.setattr(Spark, "in_one_process", False)  # keeps frames as on a cluster, which may lose an executor
    for number, roster in enumerate([flawed(60)[0], make_district(80, seed=9)]):
        for name in PARTS:
            folder = tmp_path / "state" / f"{name}.parquet" / f"district={number}"
            folder.mkdir(parents=True)
            pq.write_table(to_arrow(name, getattr(roster, name)), folder / "part.parquet")
    write_manifest(tmp_path / "state", kx.Roster(source="two districts"), {})
    checks = ["duplicate_id", "orphan_student_in", "one_sided_membership", "student_outside_school", "invalid_email"]
    found = kx.check(tmp_path / "state", checks, as_of=OCTOBER, engine=spark)
    assert found.summary["failed"].sum() >= 10
    assert_equal(kx.check(tmp_path / "state", checks, as_of=OCTOBER), found)


def test_an_engine_that_nobody_knows_is_refused() -> None:
    with pytest.raises(kx.ConfigurationError, match="Unknown engine 'oracle'"):
        kx.check(kx.Roster(), engine="oracle")


# Causes.


def test_a_school_that_was_not_delivered_is_one_cause() -> None:
    pupils = [student(f"p{n}") for n in range(5)]
    links = [item for n in range(5) for item in (link(f"p{n} member_of gone"), link(f"p{n} student_in s{n}"))]
    sections = [item for n in range(5) for item in (section(f"s{n}"), link(f"s{n} held_at gone"))]
    found = kx.check(
        make(lea(), *pupils, *sections, *links),
        ["orphan_member_of", "orphan_held_at", "student_without_school", "section_without_org", "student_without_dob"],
    )
    causes = found.causes
    assert len(causes) == 1
    assert causes.loc[0, ["stage", "cause", "severity", "type", "id"]].tolist() == [
        "orgs",
        "Org gone was not delivered",
        "error",
        "org",
        "gone",
    ]
    assert causes.loc[0, "findings"] == 20 == len(found.findings)


def test_a_school_without_teachers_explains_its_sections() -> None:
    roster = make(
        school("a"),
        section("x"),
        link("x held_at a"),
        school("b"),
        section("y"),
        link("y held_at b"),
        teacher(),
        link("ben member_of b"),
    )
    causes = kx.check(roster, ["school_without_teachers", "section_without_teacher"]).causes
    assert causes[["stage", "cause", "findings"]].to_numpy().tolist() == [
        ["orgs", "a: school without teachers", 2],
        ["sections", "Section without a teacher", 1],
    ]
    assert causes["where"].tolist() == ["a", "b"]


def test_errors_come_first_and_of_these_what_reaches_most_people(report: kx.Report) -> None:
    causes = report.causes
    people = causes["students"] + causes["teachers"]
    order = list(zip(causes["severity"].map(SEVERITIES.index), -people, -causes["findings"], strict=True))
    assert order == sorted(order)
    assert set(causes["stage"]) == set(STAGES) - {"tasks"}
    assert causes["findings"].sum() == len(report.findings) == report.summary["failed"].sum()


# What a report gives.


def test_the_summary_counts(report: kx.Report, sandbox: kx.Sandbox) -> None:
    summary = report.summary.set_index("id")
    row = summary.loc["student_without_dob"]
    assert (row["checked"], row["severity"], row["group"]) == (500, "information", "Completeness")
    assert row["percent"] == pytest.approx(100 * row["failed"] / 500)
    planted = sandbox.planted["check"].nunique()
    assert summary["status"].value_counts().to_dict() == {"failed": planted, "passed": len(summary) - planted}
    with pytest.raises(KeyError, match="'nonsense' was not run"):
        report.failures("nonsense")


def test_failures_say_who_where_and_what() -> None:
    roster = make(
        school("s", name="Lakeside"), student("00x", name_first="Þórr", email="nope"), link("00x member_of s")
    )
    failures = kx.check(roster, ["invalid_email"]).failures("invalid_email")
    assert failures.to_dict("records") == [
        {
            "table": "persons",
            "id": "00x",
            "label": "Þórr Silva",
            "org_id": "s",
            "org": "Lakeside",
            "person_type": "student",
            "email": "nope",
        }
    ]


def test_the_primary_school_is_the_one_that_counts() -> None:
    roster = make(
        school("a"),
        school("b"),
        student(email="x"),
        link("ana member_of a", primary=False),
        link("ana member_of b", primary=True),
    )
    assert kx.check(roster, ["invalid_email"]).failures("invalid_email")["org_id"].tolist() == ["b"]


def test_by_org_and_worst() -> None:
    roster = make(
        *(school("s"), student("a", email="x", phone="x"), student("b", email="y"), link("a member_of s")),
    )
    found = kx.check(roster, ["invalid_email", "invalid_phone"])
    counts = found.by_org()
    assert counts.loc[("s", "s")].to_dict() == {"total": 2, "invalid_email": 1, "invalid_phone": 1}
    assert counts["total"].sum() == 3
    worst = found.worst(1)
    assert worst.loc[0, ["id", "findings", "errors", "checks"]].tolist() == ["a", 2, 0, "invalid_email, invalid_phone"]


def test_no_more_rows_than_asked_for_but_all_are_counted() -> None:
    roster = make(*(student(f"p{n}", email="x") for n in range(20)))
    found = kx.check(roster, ["invalid_email"], max_rows=5)
    assert (len(found.failures("invalid_email")), found.summary.loc[0, "failed"]) == (5, 20)


def test_assert_no_errors(report: kx.Report) -> None:
    with pytest.raises(
        kx.RosterFailedError, match=r"\d+ checks of severity error failed on .*orphan_held_at: 1 of \d+"
    ):
        report.assert_no_errors()
    report.assert_no_errors(threshold=100)
    nameless = make(*(student(f"p{n}") for n in range(9)), ("persons", {"id": "x", "person_type": "student"}))
    found = kx.check(nameless, ["person_without_name"])
    with pytest.raises(kx.RosterFailedError, match="person_without_name: 1 of 10"):
        found.assert_no_errors(threshold=9.9)
    found.assert_no_errors(threshold=10)


def test_warnings_are_no_errors() -> None:
    found = kx.check(make(student(email="x")), ["invalid_email"])
    found.assert_no_errors()
    assert found.failed("warning")["id"].tolist() == ["invalid_email"]


# Choices.


def test_only_and_without() -> None:
    assert kx.check(kx.Roster(), ["no_lea", "missing_id"]).summary["id"].tolist() == ["no_lea", "missing_id"]
    left = kx.check(kx.Roster(), exclude=["no_lea"]).summary["id"]
    assert len(left) == len(catalogue.ROSTER_CHECKS) - 1
    assert "no_lea" not in set(left)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"checks": ["nonsense"]}, "No check 'nonsense'"),
        ({"exclude": ["nonsense"]}, "No check 'nonsense'"),
        ({"params": {"no_lea": {"x": 1}}}, "no_lea has no parameter 'x'. It has: none"),
        ({"params": {"term_too_long": {"weeks": 1}}}, "It has: days"),
        ({"checks": ["no_lea"], "params": {"term_too_long": {"days": 1}}}, "not among the checks to run"),
        ({"as_of": "someday"}, "as_of='someday' is not a date"),
    ],
)
def test_a_wrong_choice_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(kx.ConfigurationError, match=message):
        kx.check(kx.Roster(), **arguments)


def test_parameters_change_the_rule() -> None:
    roster = make(term(start="2026-08-17", end="2026-12-18"))
    found = kx.check(roster, ["term_too_long"], params={"term_too_long": {"days": 100}})
    assert found.failures("term_too_long")["id"].tolist() == ["year"]
    assert found.outcomes[0].rule == "The term is longer than 100 days."


def test_as_of_is_the_day_of_loading_unless_it_is_given() -> None:
    roster = make(term())
    assert kx.check(roster, ["no_current_term"]).as_of == roster.loaded_at.date()
    assert kx.check(roster, ["no_current_term"], as_of="2030-01-01").summary["status"].tolist() == ["failed"]


# Own checks.


@pytest.mark.parametrize("engine", ["duckdb", "polars"])
def test_an_own_check_stands_beside_ours(engine: str) -> None:
    @kx.define_check(
        "short_title",
        title="Section with a short title",
        severity="error",
        tables=["sections"],
        rule="The title has fewer than {letters} letters.",
        why="Nobody knows what it is.",
        params={"letters": 4},
        needs=["student_in"],
    )
    def short_title(evidence: CheckContext, letters: int) -> CheckResult:
        sections = evidence.objects("sections")
        return CheckResult(sections, sections.filter(nw.col("title").str.len_chars() < letters))

    assert kx.checks().iloc[-1]["rule"] == "The title has fewer than 4 letters."
    found = kx.check(make(section("a", title="Art"), section("b", title="Music")), engine=engine)
    assert found.failures("short_title")["id"].tolist() == ["a"]


def test_a_check_that_breaks_is_told_and_fails_the_roster() -> None:
    @kx.define_check("broken", title="Broken", severity="error", tables=["orgs"], rule="-", why="-")
    def broken(evidence: CheckContext) -> CheckResult:
        raise ZeroDivisionError("on purpose")

    found = kx.check(make(lea(), school(), link("school child_of district")), ["no_lea", "broken"])
    assert found.summary["status"].tolist() == ["passed", "could not run"]
    assert found.summary["reason"].tolist()[1] == "ZeroDivisionError: on purpose"
    with pytest.raises(kx.RosterFailedError, match="broken: ZeroDivisionError: on purpose"):
        found.assert_no_errors(threshold=100)


def test_ours_cannot_be_replaced() -> None:
    with pytest.raises(kx.ConfigurationError, match="'no_lea' is a built-in check"):
        kx.define_check("no_lea", title="", severity="error", tables=[], rule="", why="")
    with pytest.raises(kx.ConfigurationError, match="Unknown severity 'fatal'"):
        kx.define_check("x", title="", severity="fatal", tables=[], rule="", why="")  # type: ignore[arg-type]


def test_the_catalogue_is_whole() -> None:
    table = kx.checks()
    assert table["id"].is_unique
    assert table["rule"].str.len().min() > 15
    assert table["why"].str.len().min() > 15
    assert set(table["severity"]) == {"error", "warning", "information"}
    assert not table["rule"].str.contains(r"\{").any()


# Files.


def hostile_report() -> kx.Report:
    items = [student(f"p{n}", name_first=name, name_last=name, email=f"{name} @") for n, name in enumerate(HOSTILE)]
    return kx.check(
        make(school(name=HOSTILE[0]), *items, *(link(f"p{n} member_of school") for n in range(len(items)))),
        as_of=OCTOBER,
    )


def test_the_page_escapes_everything_and_needs_nothing(tmp_path: Path) -> None:
    found = hostile_report()
    found.to_html(tmp_path / "q.html")
    page = (tmp_path / "q.html").read_text(encoding="utf-8")
    for text in (page, found._repr_html_()):
        assert "<img" not in text
        assert "<script" not in text
        assert "http" not in text.replace("http-equiv", "")
    for name in ("&lt;img src=x onerror=alert(1)&gt;", "O&#39;Neil", "Þórr", "محمد", "👩‍🎓"):
        assert name in page
    assert "default-src 'none'" in page


def test_the_page_shows_so_many_rows(tmp_path: Path) -> None:
    found = kx.check(make(*(student(f"p{n:02}", email="x") for n in range(20))), ["invalid_email"])
    found.to_html(tmp_path / "q.html", rows=3)
    page = (tmp_path / "q.html").read_text(encoding="utf-8")
    assert page.count('<td class=text data-l="id">p0') == 3
    assert "17 more" in page
    assert "20 of 20 (100.0 %)" in page


def test_unseen_characters_are_spelled_out(tmp_path: Path) -> None:
    kx.check(make(student(name_last="Silva \u200b ")), ["untrimmed_text"]).to_html(tmp_path / "q.html")
    assert "name_last: Silva \\u200b␣" in (tmp_path / "q.html").read_text(encoding="utf-8")


def test_json_holds_everything(tmp_path: Path, report: kx.Report) -> None:
    report.to_json(tmp_path / "q.json")
    content = json.loads((tmp_path / "q.json").read_text(encoding="utf-8"))
    assert len(content["summary"]) == len(report.summary)
    assert sum(len(rows) for rows in content["failures"].values()) == len(report.findings)
    assert content["as_of"] == OCTOBER
    ages = {row["dob"] for row in content["failures"]["implausible_age"]}
    assert "1919-05-05" in {age[:10] for age in ages}


def test_csv_is_safe_to_open_in_a_spreadsheet(tmp_path: Path) -> None:
    roster = make(student("=1+1", name_first="+cmd", name_last=None, email="@SUM(1)"), student("-2", email='a,b\n"c"'))
    kx.check(roster, ["invalid_email"]).to_csv(tmp_path / "q.csv")
    with (tmp_path / "q.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == ["'-2", "'=1+1"]
    assert rows[1]["label"] == "'+cmd"
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


def test_a_file_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(kx.KimonoError, match="could not be written"):
        kx.check(kx.Roster(), ["no_lea"]).to_html(tmp_path / "no" / "q.html")


def test_a_report_on_nothing_can_be_shown(tmp_path: Path) -> None:
    found = kx.check(kx.Roster())
    assert (len(found.causes), len(found.findings), len(found.by_org()), len(found.worst())) == (0, 0, 0, 0)
    assert "nothing was checked" in found._repr_html_()
    found.to_html(tmp_path / "q.html")
    assert "Nothing was checked" in (tmp_path / "q.html").read_text(encoding="utf-8")
    assert repr(found).endswith(f"{len(found.summary)} not applicable; 0 findings>")


# The command line.


def test_the_command_line_ends_as_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flawed(60)[0].save(tmp_path / "monday")
    make_district(60).save(tmp_path / "clean")
    files = [str(tmp_path / name) for name in ("q.html", "q.json", "q.csv")]
    arguments = ["check", str(tmp_path / "monday"), "--as-of", OCTOBER]
    assert main([*arguments, "--html", files[0], "--json", files[1], "--csv", files[2]]) == 1
    assert all(Path(file).stat().st_size > 1000 for file in files)
    assert "what to fix first" in capsys.readouterr().out
    some = [*arguments, "--only", "orphan_held_at", "--only", "invalid_email"]
    assert main(some) == 1
    assert main([*some, "--fail-on", "never"]) == 0
    assert main([*some, "--threshold", "100"]) == 0
    assert main([*arguments, "--only", "invalid_email"]) == 0
    assert main([*arguments, "--only", "invalid_email", "--fail-on", "warning"]) == 1
    assert main(["check", str(tmp_path / "clean"), "--as-of", OCTOBER, "--fail-on", "information"]) == 0
    assert main(["check", str(tmp_path / "nowhere")]) == 2
    assert main([*arguments, "--only", "nonsense"]) == 2
    assert "No check 'nonsense'" in capsys.readouterr().err


def test_the_command_line_checks_the_tenant_of_the_environment(
    small_sandbox: kx.Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIMONO_BASE_URL", small_sandbox.base_url)
    monkeypatch.setenv("KIMONO_TOKEN", small_sandbox.credentials.token)
    assert main(["check", "--as-of", OCTOBER, "--fail-on", "information"]) == 0


# Real rosters.


@needs_data
def test_grand_bend() -> None:
    found = kx.check(DATA / "grandbend-oneroster.zip", as_of="2011-03-01")
    failed = found.summary[found.summary["status"] == "failed"].set_index("id")["failed"].to_dict()
    assert failed == {
        "duplicate_local_id": 34,
        "course_without_sections": 2,
        "term_without_sections": 1,
        "grade_against_age": 1,
        "teacher_without_email": 56,
        "load_problem": 1,
        "same_name_terms": 6,
        "same_title_sections": 188,
    }
    assert found.failures("duplicate_local_id")["local_id"].nunique() == 16
    sizes = {"oversize_section": {"bound": 59}, "undersize_section": {"bound": 21}, "student_overload": {"most": 6}}
    bounds = kx.check(DATA / "grandbend-oneroster.zip", list(sizes), params=sizes)
    assert bounds.failures("oversize_section")["students"].max() == 60
    assert bounds.failures("undersize_section")["students"].min() == 20
    load = bounds.failures("student_overload")
    assert (len(load), set(load["sections"])) == (960, {7})


@needs_data
def test_open_university() -> None:
    found = kx.check(DATA / "oulad-oneroster.zip", as_of="2013-11-01")
    summary = found.summary.set_index("id")
    assert summary.loc["section_without_teacher", ["checked", "failed"]].tolist() == [22, 22]
    assert summary.loc["enrollment_without_start", ["checked", "failed"]].tolist() == [32593, 45]
    assert summary.loc["person_without_name", "failed"] == 28785
    assert summary.loc["invalid_email", "status"] == "not applicable"
    assert found.failures("oversize_section")["students"].max() == 2498
    with pytest.raises(kx.RosterFailedError):
        found.assert_no_errors()


# The task queue.


def queue(*rows: dict[str, Any]) -> pd.DataFrame:
    columns = TASK_COLUMNS[: TASK_COLUMNS.index("raw")]
    df = pd.DataFrame([{"tenant_id": "t", **row} for row in rows], columns=columns)
    return df.astype({"sequence": "Int64", "created_at": "datetime64[us, UTC]"})


def event(id: str, action: str, object_id: str, object_type: str = "RDM:STUDENT", **more: Any) -> dict[str, Any]:
    own = {"id": id, "type": "data_event", "action": action, "object_id": object_id, "object_type": object_type}
    return {**own, **more}


def sync(id: str, action: str, group: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "type": "sync_event", "action": f"SYNC_{action}", "group_id": group, **more}


MEMBERSHIP = {"$person": {"id": "new"}, "$section": {"id": "algebra-1"}}
TASKS: dict[str, tuple[list[dict[str, Any]], list[str], list[dict[str, Any]]]] = {
    "stale_task": (
        [{"id": "1", "created_at": "2026-10-04T11:00:00Z"}, {"id": "2", "created_at": "2026-10-05T11:00:00Z"}],
        ["1"],
        [{"id": "2", "created_at": "2026-10-04T12:00:00Z"}],
    ),
    "sync_without_end": (
        [
            {"id": "1", "type": "sync_event", "action": "SYNC_START", "group_id": "a"},
            {"id": "2", "type": "sync_event", "action": "SYNC_END", "group_id": "b"},
        ],
        ["1"],
        [
            {"id": "1", "type": "sync_event", "action": "SYNC_START", "group_id": "a"},
            {"id": "2", "type": "sync_event", "action": "SYNC_END", "group_id": "a"},
        ],
    ),
    "sequence_gap": (
        [{"id": "1", "sequence": 5}, {"id": "2", "sequence": 8}, {"id": "3", "sequence": 9}],
        ["2"],
        [{"id": "1", "sequence": 5}, {"id": "2", "sequence": 6}, {"id": "3", "sequence": 1, "tenant_id": "other"}],
    ),
    "repeated_task": (
        [{"id": "1", "sequence": 5}, {"id": "1", "sequence": 6}, {"id": "3", "sequence": 6}],
        ["1", "1", "3"],
        [{"id": "1", "sequence": 5}, {"id": "1", "sequence": 5, "tenant_id": "other"}, {"id": None}, {"id": None}],
    ),
    "delete_of_unknown_object": (
        [{"id": "1", "type": "data_event", "action": "DELETE", "object_id": "gone"}],
        ["1"],
        [{"id": "1", "type": "data_event", "action": "DELETE", "object_id": "ana"}],
    ),
    "update_of_unknown_object": (
        [event("1", "UPDATE", "gone"), event("2", "CHANGE", "ana")],
        ["1"],
        [event("1", "UPDATE", "new"), event("2", "ADD", "new"), event("3", "CHANGE", "ana")],
    ),
    "add_of_known_object": (
        [event("1", "ADD", "new", group_id="a"), event("2", "ADD", "new")],
        ["2"],
        [
            *(event("1", "ADD", "new"), event("2", "DELETE", "new"), event("3", "ADD", "new")),
            *(event("4", "ADD", "new", group_id="a"), event("5", "ADD", "new", tenant_id="other")),
        ],
    ),
    "enrollment_too_early": (
        [
            event("1", "ADD", "m", "STUDENT_COURSE_SECTION_ENROLLMENT", data=MEMBERSHIP, group_id="a"),
            event("2", "ADD", "new", "RDM:STUDENT", group_id="a"),
        ],
        ["1"],
        [
            event("1", "ADD", "new", "RDM:STUDENT"),
            event("2", "ADD", "m", "RDM:STUDENT_COURSE_SECTION_ENROLLMENT", data=MEMBERSHIP),
            event("3", "ADD", "new", "RDM:STUDENT", group_id="a"),
        ],
    ),
    "overlapping_syncs": (
        [sync("1", "START", "a"), sync("2", "START", "b"), sync("3", "END", "a"), sync("4", "END", "b")],
        ["2"],
        [
            *(sync("1", "START", "a"), sync("2", "END", "a"), sync("3", "START", "b")),
            sync("4", "START", "c", tenant_id="other"),
        ],
    ),
    "event_outside_sync": (
        [
            *(event("1", "ADD", "x", group_id="a"), sync("2", "START", "a"), sync("3", "END", "a")),
            event("4", "ADD", "y", group_id="a"),
        ],
        ["1", "4"],
        [
            *(sync("1", "START", "a"), event("2", "ADD", "x", group_id="a"), sync("3", "END", "a")),
            *(event("4", "ADD", "y"), event("5", "ADD", "y", group_id="lost")),
        ],
    ),
    "storm_of_deletes": (
        [event(str(n), "DELETE", str(n), created_at=f"2026-10-05T10:{n % 60:02}:00Z") for n in range(100)],
        ["0"],
        [event(str(n), "DELETE", str(n), created_at=f"2026-10-05T{10 + n % 2}:30:00Z") for n in range(100)],
    ),
    "delivered_again_and_again": (
        [event(str(n), "UPDATE", "ana", data={"sex": "F"}) for n in range(3)],
        ["0", "1", "2"],
        [event(str(n), "UPDATE", "ana", data={"sex": sex}) for n, sex in enumerate("FMFM")],
    ),
    "tenant_behind": (
        [
            *({"id": str(n), "created_at": f"2026-10-0{3 + n}T10:00:00Z"} for n in range(2)),
            {"id": "x", "created_at": "2026-10-05T10:00:00Z", "tenant_id": "other"},
        ],
        ["0"],
        [{"id": str(n), "created_at": f"2026-10-0{4 - n // 3}T13:00:00Z"} for n in range(4)],
    ),
    "tasks_after_uninstall": (
        [{"id": "1", "type": "lifecycle_event", "action": "TENANT_UNINSTALLED"}, {"id": "2", "type": "data_event"}],
        ["2"],
        [
            {"id": "1", "type": "lifecycle_event", "action": "TENANT_UNINSTALLED"},
            {"id": "2", "type": "lifecycle_event", "action": "TENANT_INSTALLED"},
            {"id": "3", "type": "data_event"},
        ],
    ),
}


@pytest.mark.parametrize("check", [check.id for check in catalogue.TASK_CHECKS])
def test_each_check_of_tasks(check: str) -> None:
    failing, wanted, passing = TASKS[check]
    roster, now = make(student()), "2026-10-05T12:00:00"
    found = kx.check_tasks(queue(*failing), roster, [check], now=now)
    assert found.failures(check)["id"].tolist() == wanted
    assert found.summary.loc[0, ["status", "failed"]].tolist() == ["failed", len(wanted)]
    assert kx.check_tasks(queue(*passing), roster, [check], now=now).summary["status"].tolist() == ["passed"]
    nothing = kx.check_tasks(queue(), roster, [check], now=now).summary
    assert nothing["status"].tolist() == ["not applicable"]
    assert nothing["reason"].notna().all()


def test_the_sandboxs_queue(sandbox: kx.Sandbox, tmp_path: Path) -> None:
    tasks = kx.load_tasks(sandbox.client)
    found = kx.check_tasks(tasks, sandbox.roster, now="2026-10-05T12:00:00Z")
    failed = found.summary[found.summary["status"] == "failed"]
    assert failed["id"].tolist() == ["sync_without_end"]
    assert found.failures("sync_without_end")["type"].tolist() == ["sync_event"]
    without = kx.check_tasks(tasks, now="2026-10-05T12:00:00Z").summary.set_index("id")
    assert without.loc["delete_of_unknown_object", "reason"] == "no roster was given"
    assert found.causes["stage"].tolist() == ["tasks"]
    found.to_html(tmp_path / "t.html")
    assert "Sync that does not end" in (tmp_path / "t.html").read_text(encoding="utf-8")


# Odd rosters.


def test_odd_rosters_cost_no_check() -> None:
    odd = make(
        *(
            student(None),
            student("x'; DROP TABLE persons;--", name_first="\u0000", ext_nested="{}"),
            course(None),
            term(None),
        ),
        *(
            link("a child_of a"),
            link("x student_in x", types=("section", "section")),
            problem("manifest", None, None, None, "?"),
        ),
    )
    for engine in ("duckdb", "polars"):
        assert "could not run" not in set(kx.check(odd, as_of=OCTOBER, engine=engine).summary["status"])


def test_memory_can_be_bounded_and_a_bad_bound_says_so(small_roster: kx.Roster) -> None:
    bounded = kx.check(small_roster, as_of="2026-10-05", memory="500MB").summary
    assert bounded["failed"].tolist() == kx.check(small_roster, as_of="2026-10-05").summary["failed"].tolist()
    with pytest.raises(kx.ConfigurationError, match="memory='plenty' is not an amount"):
        kx.check(small_roster, memory="plenty")


def test_a_membership_with_a_bad_value_where_no_school_is_known() -> None:
    odd = problem("links", "m1", "start_date", "2026-13-01", "not a date")
    roster = make(student(), section(), link("ana student_in algebra-1", membership_id="m1"), odd)
    failures = kx.check(roster, ["bad_value"]).failures("bad_value")
    assert failures["id"].tolist() == ["m1"]
    assert failures["org"].isna().all()
