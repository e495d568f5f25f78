"""A roster as a DuckDB database: its tables, and views that answer what people ask first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from kimono_explore.atomic import atomic_file
from kimono_explore.errors import BundleError
from kimono_explore.frames import to_arrow
from kimono_explore.schema import OBJECT_TYPES, TABLES

if TYPE_CHECKING:
    import os

    from kimono_explore.tables import Tables

VIEWS = {
    "enrollments": """
        SELECT p.id AS person_id, p.label AS student, s.id AS section_id, s.label AS section, l.role, l.status,
               l.start_date, l.end_date
        FROM links l JOIN persons p ON p.id = l.source_id JOIN sections s ON s.id = l.target_id
        WHERE l.relation = 'student_in'""",
    "teaching": """
        SELECT p.id AS person_id, p.label AS teacher, s.id AS section_id, s.label AS section, l."primary", l.status
        FROM links l JOIN persons p ON p.id = l.source_id JOIN sections s ON s.id = l.target_id
        WHERE l.relation = 'teacher_in'""",
    "school_members": """
        SELECT o.id AS org_id, o.label AS school, p.id AS person_id, p.label AS person, p.person_type, l.role
        FROM links l JOIN persons p ON p.id = l.source_id JOIN orgs o ON o.id = l.target_id
        WHERE l.relation = 'member_of'""",
    "section_sizes": """
        SELECT s.id AS section_id, s.label AS section, o.label AS school, count(DISTINCT e.source_id) AS students,
               count(DISTINCT t.source_id) AS teachers
        FROM sections s
        LEFT JOIN links h ON h.relation = 'held_at' AND h.source_id = s.id LEFT JOIN orgs o ON o.id = h.target_id
        LEFT JOIN links e ON e.relation = 'student_in' AND e.target_id = s.id
        LEFT JOIN links t ON t.relation = 'teacher_in' AND t.target_id = s.id
        GROUP BY ALL""",
    "orphans": """
        SELECT l.* FROM links l
        WHERE NOT EXISTS (SELECT 1 FROM objects o WHERE o.type = l.source_type AND o.id = l.source_id)
           OR NOT EXISTS (SELECT 1 FROM objects o WHERE o.type = l.target_type AND o.id = l.target_id)""",
}
"""What each view of the database is, in SQL."""
_OBJECTS = " UNION ALL ".join(
    f"SELECT '{type}' AS type, id, label FROM {table}" for table, type in OBJECT_TYPES.items()
)


def write_duckdb(tables: Tables, path: str | os.PathLike[str], *, private: bool = True) -> None:
    """Write the database, as `Roster.to_duckdb` describes it."""
    path = Path(path)
    if path.is_dir() or (path.exists() and not _is_duckdb(path)):
        raise BundleError(f"{path} exists and is not a DuckDB database; nothing was written. Name a new file.")
    with atomic_file(path, private=private) as new:
        new.unlink()  # DuckDB makes the file itself
        with duckdb.connect(str(new)) as connection:
            for name in (*TABLES, "links", "problems"):
                connection.register("rows", to_arrow(name, getattr(tables, name)))
                connection.execute(f"CREATE TABLE {name} AS FROM rows")
                connection.unregister("rows")
            connection.execute(f"CREATE VIEW objects AS {_OBJECTS}")
            for name, query in VIEWS.items():
                connection.execute(f"CREATE VIEW {name} AS {query}")
        if private:
            new.chmod(0o600)


def _is_duckdb(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(12)[8:] == b"DUCK"
