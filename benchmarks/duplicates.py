"""``python -m benchmarks.duplicates``: how many persons who are there twice are found, and how many pairs are none.

A made-up district in which 2 % of the persons are added again with new ids, damaged at random, and 1 % get a twin, who is
somebody else. Beside ``kx.probable_duplicates``, Splink with the comparisons of its own library and its usual training.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
import time
import unicodedata

import numpy as np
import pandas as pd

import kimono_explore as kx
from benchmarks.__main__ import machine, memory
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.sandbox.district.names import GIVEN_NAMES

_TWICE, _TWINS = 0.02, 0.01
_SHORT = {
    "Abigail": "Abby",
    "Alejandro": "Alex",
    "Benjamin": "Ben",
    "Charlotte": "Charlie",
    "Guadalupe": "Lupita",
    "Henry": "Hank",
    "Isaiah": "Ike",
    "José": "Pepe",
    "Madison": "Maddie",
    "Marcus": "Marc",
    "Mateo": "Teo",
    "Olivia": "Liv",
    "Samuel": "Sam",
    "Santiago": "Santi",
    "Sebastián": "Sebas",
    "Sofía": "Sofi",
    "Theodore": "Ted",
    "Valentina": "Vale",
}
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ADDRESS = ["address_line1", "address_line2", "address_city", "address_postal_code", "phone"]
Rng = np.random.Generator


def damaged_district(students: int, seed: int = 1) -> tuple[kx.Roster, set[tuple[str, str]]]:
    """The district and the pairs of ids that are one person."""
    district = make_district(students)
    rng = np.random.default_rng([seed, students])
    persons = district.persons
    chosen = rng.permutation(len(persons))
    again, siblings = np.split(chosen[: int(len(persons) * (_TWICE + _TWINS))], [int(len(persons) * _TWICE)])
    rows = [_copy(rng, row, n, persons) for n, row in enumerate(persons.iloc[again].to_dict("records"))]
    twins = [_twin(rng, row, n) for n, row in enumerate(persons.iloc[siblings].to_dict("records"))]
    added = pd.DataFrame(rows + twins, columns=persons.columns)
    added["label"] = added["name_first"] + " " + added["name_last"]
    added = added.astype(persons.dtypes.to_dict())
    links = district.links[district.links["relation"] == "member_of"]
    home = links.drop_duplicates("source_id").set_index("source_id")["target_id"]
    schools = home.reindex(persons["id"].iloc[np.concatenate([again, siblings])]).to_numpy(dtype=object)
    # Half of those who moved, and a tenth of the others, were entered again by another school.
    moved = np.array(
        [
            a["phone"] != b["phone"] or a["address_line1"] != b["address_line1"]
            for a, b in zip(rows, persons.iloc[again].to_dict("records"), strict=True)
        ]
    )
    elsewhere = np.flatnonzero(rng.random(len(rows)) < np.where(moved, 0.5, 0.1))
    schools[elsewhere] = home.to_numpy(dtype=object)[rng.integers(0, len(home), len(elsewhere))]
    new = links.head(1).loc[[links.index[0]] * len(added)].assign(source_id=added["id"].to_numpy(), target_id=schools)
    roster = kx.Roster(
        persons=pd.concat([persons, added], ignore_index=True).sample(frac=1, random_state=seed, ignore_index=True),
        orgs=district.orgs,
        links=pd.concat([links, new.astype(links.dtypes.to_dict())], ignore_index=True),
    )
    pairs = zip(persons["id"].iloc[again], (row["id"] for row in rows), strict=True)
    return roster, {(min(a, b), max(a, b)) for a, b in pairs}


def _twin(rng: Rng, row: dict[str, object], number: int) -> dict[str, object]:
    """Last name, birth, address and phone are the same; the first name is another, and ids are the next ones."""
    first = next(n for n in rng.permutation(GIVEN_NAMES) if n[0] != str(row["name_first"])[0])
    numbers = {c: str(int(str(row[c])) + 1).zfill(len(str(row[c]))) for c in ("state_id", "local_id")}
    return {**row, **numbers, "id": f"twin-{number}", "name_first": first, "email": f"twin{number}@example.org"}


def _copy(rng: Rng, row: dict[str, object], number: int, persons: pd.DataFrame) -> dict[str, object]:
    """A person entered again: ids and mail gone or changed, and one to three fields damaged."""
    row = {**row, "id": f"again-{number}"}
    for column in ("state_id", "local_id"):
        luck, text = rng.random(), str(row[column])
        row[column] = None if luck < 0.4 else _typo(rng, text, "0123456789") if luck < 0.6 else text.lstrip("0") + "9"
        if luck >= 0.9:
            row[column] = str(rng.integers(10**6, 10**7))
    luck = rng.random()
    mail = str(row["email"]).replace(".org", ".net")
    row["email"] = None if luck < 0.5 else f"person{number}@example.com" if luck < 0.8 else mail
    count = rng.choice([1, 2, 3], p=[0.5, 0.35, 0.15])
    for damage in sorted(rng.choice(len(_DAMAGES), count, replace=False)):
        _DAMAGES[damage](rng, row, persons)
    return row


def _typo(rng: Rng, text: str, signs: str = _LETTERS) -> str:
    """One sign left out, added, exchanged, or two swapped."""
    at, kind, sign = int(rng.integers(len(text))), int(rng.integers(4)), signs[rng.integers(len(signs))]
    if kind == 0 and len(text) > 3:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[:at] + sign + text[at:]
    if kind == 2 and at + 1 < len(text):
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + sign + text[at + 1 :]


def _misspell(rng: Rng, row: dict[str, object], persons: pd.DataFrame) -> None:
    """A name that is not damaged otherwise: each field is damaged once."""
    column = "name_last" if row.get("damaged") else ("name_first", "name_last")[rng.integers(2)]
    row[column] = _typo(rng, str(row[column]))


def _plain(rng: Rng, row: dict[str, object], persons: pd.DataFrame) -> None:
    for column in ("name_first", "name_last"):
        text = unicodedata.normalize("NFKD", str(row[column]))
        row[column] = "".join(c for c in text if not unicodedata.combining(c)).upper()


def _swap(rng: Rng, row: dict[str, object], persons: pd.DataFrame) -> None:
    """Day and month swapped, where that is a date; else one digit off."""
    born = pd.Timestamp(row["dob"])
    if born.day <= 12:
        row["dob"] = born.replace(day=born.month, month=born.day)
    else:
        row["dob"] = born.replace(day=born.day - 1 if born.day % 10 else born.day - 9)


def _nickname(rng: Rng, row: dict[str, object], persons: pd.DataFrame) -> None:
    first = str(row["name_first"])
    row["name_first"] = _SHORT.get(first, first[:4] if len(first) > 5 else first)
    row["damaged"] = row["name_first"] != first


def _no_birth(rng: Rng, row: dict[str, object], persons: pd.DataFrame) -> None:
    row["dob"] = None


def _move(rng: Rng, row: dict[str, object], persons: pd.DataFrame) -> None:
    """The address of somebody else; half keep the phone."""
    other = persons.iloc[int(rng.integers(len(persons)))]
    row.update({column: other[column] for column in _ADDRESS[: 5 if rng.random() < 0.5 else 4]})


def _last_name(rng: Rng, row: dict[str, object], persons: pd.DataFrame) -> None:
    """Another last name, or another one added with a hyphen."""
    other = str(persons["name_last"].iloc[int(rng.integers(len(persons)))])
    row["name_last"] = other if rng.random() < 0.5 else f"{row['name_last']}-{other}"


_DAMAGES = (_nickname, _misspell, _plain, _swap, _no_birth, _move, _last_name)


def splink_defaults(roster: kx.Roster, threshold: float) -> set[tuple[str, str]]:
    """Splink as its documentation has it: the comparisons of its library, its training, blocking on what is usual."""
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    logging.getLogger("splink").setLevel(logging.CRITICAL)
    columns = ["id", "person_type", "name_first", "name_last", "email", "phone", "state_id", "local_id", "sex"]
    persons = roster.persons[columns].astype(object)
    persons = persons.where(persons.notna(), None)
    persons["dob"] = roster.persons["dob"].dt.strftime("%Y-%m-%d")
    persons["address"] = roster.persons["address_line1"].astype(object)
    persons["postcode"] = roster.persons["address_postal_code"].astype(object)
    rules = [
        block_on("name_first", "name_last", "postcode"),
        block_on("name_first", "dob"),
        block_on("name_last", "dob"),
        block_on("address", "substr(name_first, 1, 1)"),
        block_on("phone", "dob"),
        block_on("email"),
        block_on("state_id"),
        block_on("local_id"),
    ]
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="id",
        comparisons=[
            cl.NameComparison("name_first"),
            cl.NameComparison("name_last"),
            cl.DateOfBirthComparison("dob", input_is_string=True),
            cl.EmailComparison("email"),
            cl.LevenshteinAtThresholds("state_id", [1]),
            cl.LevenshteinAtThresholds("local_id", [1]),
            cl.LevenshteinAtThresholds("phone", [1]),
            cl.JaroWinklerAtThresholds("address"),
            cl.ExactMatch("sex"),
        ],
        blocking_rules_to_generate_predictions=rules,
    )
    linker = Linker(persons, settings, db_api=DuckDBAPI(), set_up_basic_logging=False)
    sure = [block_on("name_first", "name_last", "dob"), block_on("email"), block_on("address", "phone")]
    linker.training.estimate_probability_two_random_records_match(sure, recall=0.6)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6 + 1, seed=1)
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("name_last", "dob"))
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("name_first", "address"))
    found = linker.inference.predict(threshold_match_probability=threshold).as_pandas_dataframe()
    return {(min(a, b), max(a, b)) for a, b in zip(found["id_l"], found["id_r"], strict=True)}


def ours(roster: kx.Roster, threshold: float) -> set[tuple[str, str]]:
    found = kx.probable_duplicates(roster, threshold)
    return {(min(a, b), max(a, b)) for a, b in zip(found["id_1"], found["id_2"], strict=True)}


WAYS = {"ours": ours, "Splink's own comparisons": splink_defaults}


def measure(way: str, students: int, threshold: float, seed: int) -> dict[str, float]:
    """One way once, in this process."""
    roster, twice = damaged_district(students, seed)
    before = memory("VmRSS")
    load = os.getloadavg()[0]
    began = time.perf_counter()
    found = WAYS[way](roster, threshold)
    seconds = time.perf_counter() - began
    right = len(found & twice)
    return {
        "persons": len(roster.persons),
        "pairs": len(found),
        "precision": right / max(1, len(found)),
        "recall": right / len(twice),
        "seconds": seconds,
        "megabytes": max(0.0, memory("VmHWM") - before),
        "load": load,
    }


def main() -> int:
    """A row for each size and way, each in a fresh process."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.duplicates", description=__doc__)
    parser.add_argument("students", nargs="*", type=int, default=[2_000, 20_000, 100_000])
    parser.add_argument("--threshold", type=float, default=0.9)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ours", action="store_true", help="without Splink's own comparisons")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.students[0], options.threshold, options.seed)))
        return 0
    print(machine(), "\n", flush=True)
    print(
        "| persons | way | pairs | precision | recall | seconds | memory | load before |\n|---|---|---|---|---|---|---|---|"
    )
    for students in options.students:
        for way in ("ours",) if options.ours else WAYS:
            command = [sys.executable, "-m", "benchmarks.duplicates", str(students), "--one", way]
            command += ["--threshold", str(options.threshold), "--seed", str(options.seed)]
            outcome = subprocess.run(command, capture_output=True, text=True, check=True)
            row = json.loads(outcome.stdout.splitlines()[-1])
            print(
                f"| {row['persons']:,} | {way} | {row['pairs']:,} | {row['precision']:.4f} | {row['recall']:.4f} "
                f"| {row['seconds']:.1f} | {row['megabytes']:,.0f} MB | {row['load']:.1f} |",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
