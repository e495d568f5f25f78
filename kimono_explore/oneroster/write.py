"""A Roster written as a OneRoster CSV bundle; what it cannot carry is returned."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kimono_explore.errors import BundleError
from kimono_explore.oneroster.layout import DEMOGRAPHICS, ENROLLMENTS, FILES, KNOWN_EXTRAS, ORG_TYPES, File
from kimono_explore.tables import OBJECT_TYPES, TABLES, Problem, frame, to_arrow

if TYPE_CHECKING:
    import os

    from kimono_explore.roster import Roster


def write_oneroster(roster: Roster, path: str | os.PathLike[str]) -> pd.DataFrame:
    """Write a bundle; see `Roster.to_oneroster`."""
    path = Path(path)
    problems: list[Problem] = []
    files = {
        file.name: _rows_of(file, roster, problems)
        for file in FILES
        if file.required
        or len(roster.tables[file.table].columns) > len(TABLES[file.table])
        or len(roster.tables[file.table])
    }
    files["demographics"] = _split_demographics(files["users"])
    files["enrollments"] = _enrollment_rows(roster, problems)
    files["manifest"] = pd.DataFrame(
        [("manifest.version", "1.0"), ("oneroster.version", "1.1"), *((f"file.{name}", "bulk") for name in files)],
        columns=["propertyName", "value"],
    )
    _save(path, {name: df.to_csv(index=False, lineterminator="\r\n") for name, df in files.items()})
    columns = {name: [problem[n] for problem in problems] for n, name in enumerate(Problem._fields)}
    return frame("problems", columns)


def _save(path: Path, texts: dict[str, str]) -> None:
    is_zip = path.suffix.lower() == ".zip"
    taken = path.is_file() and not (is_zip and zipfile.is_zipfile(path))
    if taken or (path.is_dir() and (is_zip or any(p.suffix.lower() != ".csv" for p in path.iterdir()))):
        raise BundleError(f"{path} holds something that is no bundle; nothing was written. Name a new folder or zip.")
    if is_zip:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in texts.items():
                archive.writestr(f"{name}.csv", text)
        return
    path.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (path / f"{name}.csv").write_text(text, encoding="utf-8", newline="")


def _rows_of(file: File, roster: Roster, problems: list[Problem]) -> pd.DataFrame:
    """A table as the rows of its file; what OneRoster has no column for goes into ``metadata.`` columns."""
    df = roster.tables[file.table]
    table = to_arrow(file.table, df).to_pandas(strings_to_categorical=False, date_as_object=True)
    rows: dict[str, pd.Series] = {}
    written = set()
    for name, ours in file.columns:
        if ">" in ours:
            rows[name] = _linked_ids(file, name, ours, roster, problems)
        elif ours in df.columns:
            rows[name] = table[ours]
            written.add(ours)
    if file.table == "orgs":
        rows["type"] = rows["type"].replace({ours: name for name, ours in ORG_TYPES.items()})
    if file.table == "persons":
        roles = df["person_type"].str.lower().replace("staff", "administrator")
        rows["role"] = rows["role"].where(rows["role"].notna(), roles) if "role" in rows else roles
    for name in df.columns:
        bare = name.removeprefix("ext_")
        if name in written or name == "person_type" or (name == "label" and _label_is_derived(df)):
            continue
        known = name != bare and bare in KNOWN_EXTRAS[file.table]
        if known or df[name].notna().any() or name.startswith("ext_"):
            rows[bare if known else f"metadata.{bare}"] = table[name]
    return pd.DataFrame({name: column.map(_cell) for name, column in rows.items()}, dtype="object")


def _label_is_derived(df: pd.DataFrame) -> bool:
    """Whether the reader would make the same labels again."""
    if "name_last" in df.columns:
        made = (df["name_first"].fillna("") + " " + df["name_last"].fillna("")).str.strip()
    else:
        made = (df["name"] if "name" in df.columns else df["title"]).fillna("")
    return bool((df["label"].fillna("") == made).all())


def _cell(value: object) -> str | None:
    if value is None or value is pd.NA or value != value:
        return None
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _linked_ids(file: File, name: str, ours: str, roster: Roster, problems: list[Problem]) -> pd.Series:
    relation, target_type = ours.split(">")
    near = OBJECT_TYPES[file.table]
    links = roster.links
    mine = links[(links["relation"] == relation) & (links["source_type"] == near)]
    fitting = mine["target_type"] == target_type
    for source, kind, target in mine.loc[~fitting, ["source_id", "target_type", "target_id"]].to_numpy().tolist():
        text = f"a {relation} link to a {kind}: OneRoster has no place for it"
        problems.append(Problem(file.table, source, name, target, text))
    targets = mine[fitting].groupby("source_id", sort=False)["target_id"].agg(list)
    if not name.endswith("s"):
        for id, several in targets[targets.map(len) > 1].items():
            text = f"OneRoster has place for one {relation} link only; the first is written"
            problems.append(Problem(file.table, str(id), name, ",".join(several[1:]), text))
        targets = targets.map(lambda several: several[:1])
    return roster.tables[file.table]["id"].map(targets.map(",".join).to_dict()).astype("object")


def _split_demographics(users: pd.DataFrame) -> pd.DataFrame:
    """Take date of birth and sex out of the users' rows: OneRoster keeps them in a file of their own."""
    columns = {"sourcedId": users["sourcedId"]}
    for name, ours in DEMOGRAPHICS[1:]:
        given = users.pop(f"metadata.{ours}") if f"metadata.{ours}" in users.columns else None
        columns[name] = pd.Series([None] * len(users), dtype="object") if given is None else given
    df = pd.DataFrame(columns)
    return df[df["birthDate"].notna() | df["sex"].notna()]


def _enrollment_rows(roster: Roster, problems: list[Problem]) -> pd.DataFrame:
    links = roster.links
    unfit = ~links["relation"].isin(
        ["child_of", "offered_by", "of_course", "held_at", "in_term", "member_of", "student_in", "teacher_in"]
    )
    for relation, count in links.loc[unfit, "relation"].value_counts().items():
        if count:
            problems.append(
                Problem("links", None, "relation", str(count), f"OneRoster has no place for {relation} links")
            )
    members = links[links["relation"] == "member_of"]
    dated = int((members["start_date"].notna() | members["end_date"].notna() | members["membership_id"].notna()).sum())
    if dated:
        text = "memberships of orgs lose their id, status and dates; value counts them"
        problems.append(Problem("links", None, "member_of", str(dated), text))
    rows = links[links["relation"].isin(["student_in", "teacher_in"])].reset_index(drop=True)
    held = links[links["relation"] == "held_at"].drop_duplicates("source_id").set_index("source_id")["target_id"]
    table = to_arrow("links", rows).to_pandas(date_as_object=True)
    made = {name: table[ours].map(_cell) for name, ours in ENROLLMENTS}
    unnamed = made["sourcedId"].isna()
    numbered = pd.Series([f"enrollment-{n}" for n in range(len(rows))], dtype="object")
    made["sourcedId"] = made["sourcedId"].astype("object").where(~unnamed, numbered)
    made["schoolSourcedId"] = rows["target_id"].map(held).astype("object")
    return pd.DataFrame(made, dtype="object")
