"""A roster as checks see it: lazy tables, the same on every engine.

Null never equals null here: missing ids are left out before anything is joined on them, and a test of a text says how it
treats a missing one.
"""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING, cast

import narwhals as nw

from kimono_explore.problems import REFUSED
from kimono_explore.quality.current import day, is_current, plain_status, true
from kimono_explore.quality.definition import Frame, NotApplicable
from kimono_explore.quality.grades import vocabulary
from kimono_explore.schema import ENDS, REFERENCES, TABLE_OF, TABLES, keys_of, label_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from kimono_explore.quality.engines import Engine


# Signs of ASCII that are neither letters nor digits, and spaces, of which some take no room.
_BETWEEN = "[\x01-/:-@\\[-`{-\x7f\u00a0\u2000-\u200b\u202f\u3000\ufeff]+"


class CheckContext:
    """The tables, ``links`` and ``problems`` of one roster, and what most checks derive from them.

    Attributes
    ----------
    as_of : datetime.date
        The day that counts as today.
    today : datetime.date
        The same; but if no day was given, the day of loading, even if no term includes it.
    rollups : frozenset of str
        The reference keys that were sent.
    """

    def __init__(self, engine: Engine, frames: Mapping[str, Frame], rollups: frozenset[str], as_of: date) -> None:
        self.engine, self._frames, self.rollups = engine, frames, rollups
        self.as_of = self.today = as_of
        self.objects = cache(self._objects)
        self.links = cache(self._links)
        self.valid_links = cache(self._valid_links)
        self.first_target = cache(self._first_target)
        self.link_counts = cache(self._link_counts)
        self.memberships = cache(self._memberships)
        self.dated_memberships = cache(self._dated_memberships)
        self.grades = cache(self._grades)
        self.parents = cache(self._parents)
        self.ancestors = cache(self._ancestors)

    def raw(self, table: str) -> Frame:
        """A table exactly as sent, with nothing filled in."""
        return self._frames[table]

    def _objects(self, table: str, *kinds: str) -> Frame:
        """A table, with ``label`` filled from name or title; of ``persons``, only those of the kinds that are named."""
        frame = self._frames[table]
        if kinds:
            frame = frame.filter(nw.col("person_type").is_in(kinds))
        return frame.with_columns(label=_label(table))

    @cached_property
    def schools(self) -> Frame:
        """The ids of the schools."""
        schools = self.objects("orgs").filter(nw.col("org_type") == "school", ~nw.col("id").is_null())
        return schools.select("id")

    def everything(self) -> Frame:
        """Every object: table, id, label."""
        return nw.concat([self.objects(t).select(nw.lit(t).alias("table"), "id", "label") for t in TABLES])

    def _links(self, *relations: str) -> Frame:
        """The links of these relations; of all, where none is named."""
        links = self._frames["links"]
        return links.filter(nw.col("relation").is_in(relations)) if relations else links

    @cached_property
    def problems(self) -> Frame:
        """Everything that did not fit when the roster was loaded."""
        return self._frames["problems"]

    @cached_property
    def missing(self) -> Frame:
        """The link ends that were not delivered: type, id."""
        ends = []
        for t, table in TABLE_OF.items():
            known = self._frames[table].select("id").filter(~nw.col("id").is_null())
            for end in ("source", "target"):
                named = self.links().filter(nw.col(f"{end}_type") == t, ~nw.col(f"{end}_id").is_null())
                unknown = named.select(id=nw.col(f"{end}_id")).join(known, on="id", how="anti")
                ends.append(unknown.select(nw.lit(t).alias("type"), "id").unique())
        return self.engine.keep(nw.concat(ends).unique())

    @cached_property
    def near_misses(self) -> Frame:
        """For ids that no object has, the existing id that was probably meant: type, id, near_id."""
        pairs = []
        lost = self.missing.with_columns(key=plain_id("id")).filter(nw.col("key") != "")
        for t, table in TABLE_OF.items():
            there = self._frames[table].filter(~nw.col("id").is_null()).select(near_id="id", key=plain_id("id"))
            pairs.append(lost.filter(nw.col("type") == t).join(there, on="key", how="inner"))
        found = stack(pairs).group_by("type", "id").agg(near_id=nw.col("near_id").min(), last=nw.col("near_id").max())
        found = found.filter(nw.col("near_id") == nw.col("last")).drop("last")
        return self.engine.keep(found)

    @cached_property
    def orphans(self) -> Frame:
        """The links with one undelivered end, by the end that was delivered, with the id that was probably meant."""
        links = self.links().filter(~nw.col("source_id").is_null(), ~nw.col("target_id").is_null())
        held = []
        for near, far in (("source", "target"), ("target", "source")):
            gone, there = (self.missing.rename({"type": f"{end}_type", "id": f"{end}_id"}) for end in (far, near))
            found = links.join(gone, on=[f"{far}_type", f"{far}_id"], how="semi")
            found = found.join(there, on=[f"{near}_type", f"{near}_id"], how="anti")
            named = {"id": f"{near}_id", "missing_type": f"{far}_type", "missing_id": f"{far}_id"}
            held.append(found.select("relation", "role", "stated_by", table=table_of(f"{near}_type"), **named))
        nearly = self.near_misses.rename({"type": "missing_type", "id": "missing_id"})
        found = stack(held).join(nearly, on=["missing_type", "missing_id"], how="left")
        return self.engine.keep(
            found.select("table", "id", "relation", "missing_type", "missing_id", "role", "stated_by", "near_id")
        )

    def _valid_links(self, relation: str) -> Frame:
        """The links of a relation whose ends were both delivered and are of the right types."""
        right = nw.any_horizontal(
            *[(nw.col("source_type") == s) & (nw.col("target_type") == t) for s, t in ENDS[relation]], ignore_nulls=True
        )
        links = self.links(relation).filter(right, ~nw.col("source_id").is_null(), ~nw.col("target_id").is_null())
        for end in ("source", "target"):
            on = [f"{end}_type", f"{end}_id"]
            links = links.join(self.missing.rename({"type": on[0], "id": on[1]}), on=on, how="anti")
        return links

    def pairs(self, relation: str, source: str, target: str) -> Frame:
        """The two ends of a relation's valid links, under column names of your choice."""
        return self.valid_links(relation).select(nw.col("source_id").alias(source), nw.col("target_id").alias(target))

    def _first_target(self, relation: str) -> Frame:
        """For each source of a relation that should have one target: id, target (the first in sort order)."""
        valid = self.valid_links(relation).group_by("source_id").agg(target=nw.col("target_id").min())
        return self.engine.keep(valid.rename({"source_id": "id"}))

    def _link_counts(self, relation: str, end: str, *, current_only: bool = False) -> Frame:
        """How many objects each one is linked with: id, size. Repeated links count once."""
        near, far = (f"{end}_id", "target_id" if end == "source" else "source_id")
        links = self.people_of(relation) if current_only else self.valid_links(relation)
        sizes = links.group_by(near).agg(size=nw.col(far).n_unique())
        return self.engine.keep(sizes.rename({near: "id"}))

    @cached_property
    def section_days(self) -> Frame:
        """The first and last day of each section's terms, as far as known: id, first_day, last_day."""
        terms = self.objects("terms").select("id", "start_date", "end_date").filter(~nw.col("id").is_null())
        terms = terms.filter(~true(nw.col("end_date") < nw.col("start_date"))).rename({"id": "term_id"})
        used = self.pairs("in_term", "id", "term_id").unique().join(terms, on="term_id", how="inner")
        days = used.group_by("id").agg(first_day=nw.col("start_date").min(), last_day=nw.col("end_date").max())
        return self.engine.keep(days)

    @cached_property
    def in_session(self) -> bool:
        """Whether a section is current or upcoming. Also true if no section has dates, so that this is unknown."""
        days = self.section_days.filter(~nw.col("last_day").is_null())
        return not self.count(days) or bool(self.count(days.filter(nw.col("last_day") >= day(self.as_of))))

    def _memberships(self, relation: str) -> Frame:
        """The valid links of a relation with what is known of their time.

        ``status`` is in small letters and empty where there is none. ``first_day`` and ``last_day`` are those of the
        section's terms, and null for a membership of an org. ``current`` and ``over`` (the section is) are flags.
        """
        columns = ("source_id", "target_id", "role", "primary", "start_date", "end_date")
        grade = nw.col("grade").cast(nw.String)
        links = self.valid_links(relation).select(*columns, grade=grade, status=plain_status())
        if relation == "member_of":
            # None, of the type that days have here: a snapshot's are dates, those in memory have a time.
            unknown = nw.col("start_date").is_null() & ~nw.col("start_date").is_null()
            no_day = nw.when(unknown).then(nw.col("start_date"))
            links = links.with_columns(first_day=no_day, last_day=no_day)
        else:
            links = links.join(self.section_days.rename({"id": "target_id"}), on="target_id", how="left")
        over = true(nw.col("last_day") < day(self.as_of))
        return self.engine.keep(links.with_columns(current=is_current(relation, self.as_of), over=over))

    def _dated_memberships(self, *relations: str) -> Frame:
        """`memberships` of several relations, with the name of each, by the person: id, relation, and all else."""
        named = [
            self.memberships(relation).with_columns(relation=nw.lit(relation)).rename({"source_id": "id"})
            for relation in relations
        ]
        return stack(named)

    def current(self, relation: str) -> Frame:
        """The current memberships, or all of them if every section is over."""
        found = self.memberships(relation)
        return found.filter(nw.col("current")) if self.in_session else found

    def people_of(self, relation: str) -> Frame:
        """The memberships that count for a section or org: the current ones, or all of them if a section is over."""
        found = self.memberships(relation)
        return found.filter(nw.col("current") | nw.col("over")) if self.in_session else found

    def _grades(self, columns: tuple[str, ...], *, everyone: bool = False) -> Frame:
        """The students, or all persons, and their grades: id, said, grade (its code), number (years of school before it).

        The grade is that of the memberships of schools that are current, else that of the first of the columns that is
        filled. Where several are said, it is the first in sort order. What is unknown is null.
        """
        column = next((name for name in columns if self.filled["persons"].get(name)), None)
        own = nw.lit(None, nw.String) if column is None else nw.col(column).cast(nw.String)
        known = (self.objects("persons") if everyone else self.objects("persons", "student")).filter(
            ~nw.col("id").is_null()
        )
        people = known.select("id", own=own).group_by("id").agg(own=nw.col("own").min())
        members = self.memberships("member_of").filter(nw.col("current"), ~nw.col("grade").is_null())
        placed = members.group_by("source_id").agg(placed=nw.col("grade").min()).rename({"source_id": "id"})
        said = nw.coalesce("placed", "own").str.strip_chars()
        people = people.join(placed, on="id", how="left").with_columns(said=said)
        people = people.select("id", said=nw.when(nw.col("said") != "").then(nw.col("said")))
        words = self.collect_texts(people, "said")
        if not words:
            raise NotApplicable("the tenant sends no grade of students")
        codes = self.engine.small(vocabulary(words)).with_columns(nw.col("number").cast(nw.Int64))
        return self.engine.keep(people.join(codes, on="said", how="left"))

    def collect_texts(self, frame: Frame, column: str) -> list[str]:
        """The distinct texts in a column."""
        texts = frame.filter(~nw.col(column).is_null()).select(column).unique()
        return sorted(map(str, self.engine.collect(texts)[column]))

    def _parents(self, type: str) -> dict[str, list[str]]:
        """The valid parents of each org or term that has one: a small dictionary, whatever the roster's size."""
        links = self.valid_links("child_of").filter(nw.col("source_type") == type, nw.col("target_type") == type)
        df = self.engine.collect(links.select("source_id", "target_id")).sort_values(["source_id", "target_id"])
        return cast("dict[str, list[str]]", df.groupby("source_id")["target_id"].agg(list).to_dict())

    def _ancestors(self, type: str) -> Frame:
        """Each org or term with itself and everything above it: id, ancestor."""
        parents = self.parents(type)
        ids = self.engine.collect(self.objects(TABLE_OF[type]).select("id"))["id"].dropna().unique()
        rows = [(id, ancestor) for id in ids for ancestor in _above(id, parents)]
        return self.engine.small({"id": [id for id, _ in rows], "ancestor": [above for _, above in rows]})

    def require(self, need: str) -> None:
        """Raise `NotApplicable` unless everything that a check needs was sent."""
        if "." in need:
            table, column = need.split(".")
            if not self.filled[table].get(column):
                raise NotApplicable(self._unread(table, column) or f"the tenant sends no {column} in {table}")
            return
        keys = keys_of(*need.split(":"))
        if not self.rollups.intersection(keys):
            raise NotApplicable(f"roll-ups not sent: {' or '.join(keys)}")

    def _unread(self, table: str, column: str) -> str | None:
        """What became of a column's values, where some were sent and none could be read."""
        count = self._unread_values.get((table, column))
        return f"none of the {count:,} values of {column} in {table} could be read" if count else None

    @cached_property
    def _unread_values(self) -> dict[tuple[str, str], int]:
        """How many values of each column could not be read."""
        sent = self.problems.filter(~nw.col("value").is_null()).group_by("table", "column").agg(n=nw.len())
        df = self.engine.collect(sent)
        return dict(zip(zip(df["table"], df["column"], strict=True), df["n"].tolist(), strict=True))

    def both_sides(self, relation: str, role: str | None = None) -> bool:
        """Whether a relation is stated by both of its ends."""
        forward = {f"{r.table}.{r.key}" for r in REFERENCES if r.forward}
        keys = set(keys_of(relation, role))
        return bool(self.rollups & keys & forward) and bool(self.rollups & keys - forward)

    @cached_property
    def rows(self) -> dict[str, int]:
        """The number of rows in each table."""
        return {table: self.count(self._frames[table]) for table in (*TABLES, "links", "problems")}

    @cached_property
    def filled(self) -> dict[str, dict[str, int]]:
        """The number of rows in each table that have a value in a column."""
        counts = {}
        for table in TABLES:
            row = self.engine.collect(self._frames[table].select(nw.all().count()))
            counts[table] = {str(column): int(row[column].iloc[0]) for column in row.columns}
        return counts

    def text_columns(self, table: str, *without: str) -> list[str]:
        """The text columns of a table."""
        schema = self._frames[table].collect_schema()
        return sorted(name for name, dtype in schema.items() if dtype == nw.String and name not in without)

    def refused(self, table: str) -> str | None:
        """The reason why a table was not delivered, if loading it failed."""
        reason = self._refusals.get(table)
        return None if self.rows[table] or reason is None else f"{table} were not delivered: {reason}"

    @cached_property
    def _refusals(self) -> dict[str, str]:
        """What was said of each table whose loading failed."""
        whole = self.problems.filter(nw.col("id").is_null(), nw.col("column").is_null())
        found = whole.filter(nw.col("problem").str.starts_with(REFUSED)).select("table", "problem")
        df = self.engine.collect(found).dropna().drop_duplicates("table")
        return dict(zip(df["table"], df["problem"], strict=True))

    def count(self, frame: Frame) -> int:
        """The number of rows in a frame."""
        return self.engine.count(frame)


def plain_id(column: str) -> nw.Expr:
    """An id without case, leading zeros, and which spaces or punctuation stand between its parts."""
    parts = nw.col(column).str.to_lowercase().str.replace_all(_BETWEEN, "-")
    return parts.str.replace_all("^-+|-+$", "").str.replace_all("^0+", "")


def table_of(column: str) -> nw.Expr:
    """The table of the objects of a type."""
    table = nw.lit(None, nw.String)
    for type, name in TABLE_OF.items():
        table = nw.when(nw.col(column) == type).then(nw.lit(name)).otherwise(table)
    return table


def _label(table: str) -> nw.Expr:
    parts = [nw.col(name) for name in label_columns(table)]
    named = nw.concat_str(*parts, separator=" ", ignore_nulls=True)
    other: nw.Expr = nw.when(named.str.len_chars() > 0).then(named) if len(parts) > 1 else parts[0]
    return nw.coalesce(nw.col("label"), other)


def _above(id: str, parents: Mapping[str, Sequence[str]]) -> list[str]:
    """An object and everything above it, each once, cycles or not."""
    found, todo = [id], [id]
    while todo:
        for parent in parents.get(todo.pop(), ()):
            if parent not in found:
                found.append(parent)
                todo.append(parent)
    return found


def once(frame: Frame, *keys: str) -> Frame:
    """Rows with one id count once for each value of the keys; each row without an id counts as an object.

    For the other columns, the first value in sort order is kept.
    """
    others = [name for name in frame.columns if name not in ("id", *keys)]
    known = frame.filter(~nw.col("id").is_null()).group_by("id", *keys)
    grouped = known.agg(*[nw.col(name).min() for name in others]).select(*frame.columns)
    return stack([grouped, frame.filter(nw.col("id").is_null())])


def stack(frames: Sequence[Frame]) -> Frame:
    """Frames with the same columns, one under the other."""
    return nw.concat(list(frames), how="vertical")
