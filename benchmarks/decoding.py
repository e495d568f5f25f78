"""Pages of students into table and links, beside `json`, `json_normalize` and a loop over the references."""

from __future__ import annotations

import io
import json
import random
from typing import TYPE_CHECKING

import duckdb
import msgspec
import pandas as pd
import polars as pl

from kimono_explore.api.pages import open_page
from kimono_explore.decode.decoder import Decoder
from kimono_explore.frames import to_pandas
from kimono_explore.sandbox.dialect import Dialect
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.sandbox.speaker import Speaker

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_PAGE = 1000


def prepare(folder: Path, size: float) -> None:
    """50,000 students, each with a school and six or seven sections, in pages of 1,000."""
    _write(folder, int(50_000 * size), odd=False)


def prepare_odd(folder: Path, size: float) -> None:
    """The same; each row has other keys in ``$ext``, and one row of a hundred is odd."""
    _write(folder, int(50_000 * size), odd=True)


def _write(folder: Path, students: int, *, odd: bool) -> None:
    speaker = Speaker(make_district(students), Dialect())
    chance = random.Random(1)
    for page, start in enumerate(range(0, students, _PAGE)):
        objects = speaker.objects("persons", range(start, min(start + _PAGE, students)))
        rows = msgspec.json.decode(msgspec.json.encode(objects))
        for row in rows if odd else ():
            row["$ext"] = {f"key{chance.randrange(40)}": chance.choice(["x", "yes", "12"]) for _ in range(3)}
            if chance.random() < 0.01:
                row |= chance.choice(
                    [{"grad_year": 2031}, {"dob": "soon"}, {"nickname": "Bo"}, {"phone": ["1", "2"]}, {"aup": "true"}]
                )
        (folder / f"{page:04}.json").write_bytes(msgspec.json.encode({"data": rows, "paging": {"next": "/more"}}))


def _bodies(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("*.json"))]


def ours(folder: Path) -> Callable[[], object]:
    """`Decoder`: the table, the links and the problems."""
    bodies = _bodies(folder)

    def run() -> object:
        decoder = Decoder("persons")
        for number, body in enumerate(bodies):
            decoder.add(open_page(body, "page").rows, f"page {number}")
        decoded = decoder.finish()
        persons, links = to_pandas("persons", decoded.columns), to_pandas("links", decoded.links.table)
        extra = persons.filter(regex="^ext_key")
        return [len(persons), len(links), int(extra.notna().to_numpy().sum())]

    return run


def normalize(folder: Path) -> Callable[[], object]:
    """`json.loads`, `json_normalize`, and a loop over ``$schools`` and ``$sections``."""
    bodies = _bodies(folder)

    def run() -> object:
        rows = []
        for body in bodies:
            rows += json.loads(body)["data"]
        links = []
        for row in rows:
            for key, relation in (("$schools", "member_of"), ("$sections", "student_in")):
                for item in row[key]:
                    membership = item.get("$membership") or {}
                    links.append(
                        {
                            "source_id": row["$sys"]["id"],
                            "relation": relation,
                            "target_id": item["id"],
                            "role": row["$sys"]["person_type"],
                            **{name: membership.get(name) for name in ("id", "status", "primary", "grade")},
                            **{name: membership.get(name) for name in ("start_date", "end_date")},
                        }
                    )
        persons = pd.json_normalize(rows).drop(columns=["$schools", "$sections"])
        for name in ("dob", "$sys.created_at", "$sys.updated_at"):
            persons[name] = pd.to_datetime(persons[name], errors="coerce")
        frame = pd.DataFrame(links)
        for name in ("start_date", "end_date"):
            frame[name] = pd.to_datetime(frame[name])
        extra = persons.filter(regex=r"^\$ext\.key")
        return [len(persons), len(frame), int(extra.notna().to_numpy().sum())]

    return run


def polars(folder: Path) -> Callable[[], object]:
    """`polars.read_ndjson`, and the references taken apart: no dates, no common names, and nothing odd may come."""
    bodies = _bodies(folder)

    def run() -> object:
        persons = pl.read_ndjson(io.BytesIO(b"\n".join(bodies))).select("data").explode("data").unnest("data")
        links = [persons.select(key).explode(key).drop_nulls().unnest(key) for key in ("$schools", "$sections")]
        return [len(persons), sum(map(len, links)), 0]

    return run


def duckdb_json(folder: Path) -> Callable[[], object]:
    """`read_json` of DuckDB on the files, in the same way."""

    def run() -> object:
        with duckdb.connect() as connection:
            pages = f"read_json('{folder}/*.json', maximum_object_size=100000000)"
            connection.execute(f"CREATE TABLE persons AS SELECT unnest(data, max_depth := 2) FROM {pages}")
            persons = connection.sql("FROM persons").to_arrow_table()
            links = [
                connection.sql(f'SELECT unnest("{key}", max_depth := 2) FROM persons').to_arrow_table()
                for key in ("$schools", "$sections")
            ]
        return [len(persons), sum(map(len, links)), 0]

    return run
