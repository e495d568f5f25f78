"""The declaration of the tables: complete, without contradiction, and as the API's reference says."""

from kimono_explore.schema import (
    ENDS,
    IN_SECTION,
    LINK_COLUMNS,
    OBJECT_TYPES,
    PROBLEM_COLUMNS,
    REFERENCES,
    RELATIONS,
    TABLES,
    Problem,
    declared,
    keys_of,
)


def test_every_table_begins_with_its_id_and_ends_with_its_times() -> None:
    assert list(TABLES) == ["orgs", "persons", "courses", "sections", "terms", "grading_categories"]
    for columns in TABLES.values():
        names = [column.name for column in columns]
        assert names[:2] == ["id", "label"]
        assert names[-3:] == ["school_year", "created_at", "updated_at"]
        assert len(set(names)) == len(names)
        assert len({column.path for column in columns}) == len(columns)


def test_kinds_and_paths_that_others_rely_on() -> None:
    persons = {column.name: column for column in TABLES["persons"]}
    assert persons["name_last"].path == ("name", "last")
    assert persons["person_type"].path == ("$sys", "person_type")
    assert (persons["dob"].kind, persons["aup"].kind, persons["updated_at"].kind) == ("date", "flag", "time")
    assert [column.name for column in TABLES["persons"] if column.integer] == ["school_year"]
    assert [column.name for column in TABLES["terms"] if column.kind == "date"] == ["start_date", "end_date"]


def test_every_object_has_one_type() -> None:
    assert list(OBJECT_TYPES) == list(TABLES)
    assert list(OBJECT_TYPES.values()) == ["org", "person", "course", "section", "term", "grading_category"]


def test_references_are_between_known_objects_and_unique() -> None:
    assert len({(r.table, r.key) for r in REFERENCES}) == len(REFERENCES) == 18
    for reference in REFERENCES:
        assert reference.table in TABLES
        assert reference.far_type in OBJECT_TYPES.values()
        assert reference.relation in (*RELATIONS, None)
    assert [f"{r.table}.{r.key}" for r in REFERENCES if r.relation is None] == ["persons.$sections"]
    assert [f"{r.table}.{r.key}" for r in REFERENCES if r.role == "student"] == ["orgs.$students", "sections.$students"]
    assert [f"{r.table}.{r.key}" for r in REFERENCES if not r.many] == [
        "orgs.$parent",
        "sections.$course",
        "sections.$org",
        "terms.$parent",
        "grading_categories.$term",
        "grading_categories.$section",
    ]
    backward = {f"{r.table}.{r.key}" for r in REFERENCES if not r.forward}
    assert backward == {
        "orgs.$children",
        "orgs.$students",
        "orgs.$teachers",
        "courses.$sections",
        "sections.$teachers",
        "sections.$students",
        "terms.$children",
    }


def test_the_columns_of_a_table_by_its_name() -> None:
    assert declared("orgs") is TABLES["orgs"]
    assert declared("links") is LINK_COLUMNS
    assert declared("problems") is PROBLEM_COLUMNS
    assert declared("nothing") == ()
    assert tuple(column.name for column in PROBLEM_COLUMNS) == Problem._fields


def test_every_column_says_what_a_pseudonymized_copy_has_in_its_place() -> None:
    columns = [*LINK_COLUMNS, *PROBLEM_COLUMNS, *(column for table in TABLES.values() for column in table)]
    assert [column.name for column in columns if column.privacy is None] == []


def test_the_relations_of_a_person_to_a_section() -> None:
    assert tuple(name for name, ends in ENDS.items() if ("person", "section") in ends) == IN_SECTION


def test_a_relation_knows_the_keys_that_state_it() -> None:
    assert keys_of("of_course") == ("courses.$sections", "sections.$course")
    assert keys_of("student_in") == ("persons.$sections", "sections.$students")
    assert keys_of("teacher_in") == ("persons.$sections", "sections.$teachers")
    assert keys_of("member_of") == ("orgs.$students", "orgs.$teachers", "persons.$schools")
    assert keys_of("member_of", "student") == ("orgs.$students", "persons.$schools")
    assert keys_of("no_relation") == ()
    assert [relation for relation in RELATIONS if not keys_of(relation)] == []
