"""The operations: rows that do not contradict each other, and the ways to find one."""

from __future__ import annotations

import pytest

from kimono_explore.api.operations import FINDS, LISTS, OPERATIONS, operation
from kimono_explore.schema import RELATIONS, TABLES


def test_no_operation_is_there_twice() -> None:
    assert len({row.name for row in OPERATIONS}) == len(OPERATIONS)
    assert len({(row.method, row.path) for row in OPERATIONS}) == len(OPERATIONS)


def test_every_list_of_the_roster_says_which_rows_it_holds() -> None:
    lists = [row for row in OPERATIONS if row.kind == "list" and row.table != "tasks"]
    assert [row.name for row in lists if row.where is None] == []
    assert [row.name for row in lists if row.needs_id != bool(row.via)] == []
    assert [row.name for row in OPERATIONS if not {*row.via} <= {*RELATIONS}] == []
    columns = {table: {column.name for column in own} for table, own in TABLES.items()}
    named = [(row.table, where.column) for row in OPERATIONS for where in row.where or ()]
    assert [column for table, column in named if column not in columns[table]] == []


def test_a_method_fits_what_an_operation_does() -> None:
    methods = {"list": "GET", "find": "GET", "ack": "PUT", "ack_many": "PUT", "delete": "DELETE"}
    assert [row.name for row in OPERATIONS if row.method != methods[row.kind]] == []


def test_a_list_is_known_by_the_end_of_its_path() -> None:
    assert LISTS["students", False] is operation("listStudents")
    assert LISTS["sections", True] is operation("listOrgSections")
    assert LISTS["grading_categories", False].path.endswith("gradingCategories")
    assert {table for table in TABLES if (table, False) not in LISTS} == set()


def test_what_can_be_found_is_known_by_its_path() -> None:
    assert FINDS["persons"] is operation("findPerson")
    assert FINDS["tasks/admin"] is operation("findTaskAdmin")
    assert [name for name, row in FINDS.items() if not row.path.endswith(f"{name}/{{id}}")] == []


def test_an_unknown_operation_has_no_row() -> None:
    with pytest.raises(KeyError, match="listPets"):
        operation("listPets")
