"""Persons as they are compared: one spelling of names, dates, ids, phones and addresses, in DuckDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from kimono_explore.duplicates.model import MACROS
from kimono_explore.duplicates.nicknames import nicknames
from kimono_explore.roster.text import fold_all

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

_FOLDED = (
    "name_first",
    "name_middle",
    "name_last",
    "local_id",
    "state_id",
    "email",
    "address_line1",
    "address_city",
    "address_postal_code",
    "phone",
    "sex",
    "grad_year",
)
_STREET = (
    "street st,avenue ave,av ave,drive dr,lane ln,court ct,boulevard blvd,road rd,place pl,terrace ter,circle cir,"
    "parkway pkwy,highway hwy,north n,south s,east e,west w,apartment apt"
)
_SHARED = 10
"""An id or address of mail that more persons share stands for none of them."""
_CROWD = 50
"""An address that more persons share is not a household."""


def prepare(connection: duckdb.DuckDBPyConnection, persons: pd.DataFrame, schools: pd.Series) -> None:
    """Make the table ``ready``, a row for each person with a name, under its row number ``row``, and the model's macros."""
    columns = {name: fold_all(persons[name]) for name in _FOLDED}
    columns["row"] = pa.array(range(len(persons)), pa.int32())
    columns["kind"] = pa.array(persons["person_type"].astype("str"), pa.string(), from_pandas=True).fill_null("")
    columns["dob"] = pa.array(persons["dob"].dt.strftime("%Y%m%d"), pa.string(), from_pandas=True)
    columns["school"] = pa.array(schools, pa.string(), from_pandas=True)
    for macro in MACROS:
        connection.execute(f"CREATE OR REPLACE TEMP MACRO {macro}")
    forms = nicknames()
    connection.register("given", pa.table(columns))
    connection.register("forms_of", pa.table({"short": list(forms), "names": list(forms.values())}))
    connection.execute(_PLAIN)
    connection.execute(_READY, {"rare": max(2, len(persons) // 2_000), "shared": _SHARED, "crowd": _CROWD})
    connection.execute("DROP TABLE plain")
    for name in ("given", "forms_of"):
        connection.unregister(name)


def _words(column: str) -> str:
    """Letters and digits, words parted by a space; what is left of an O'Brien is obrien."""
    bare = f"regexp_replace({column}, '[''`´ʻʼ]', '', 'g')"
    return rf"nullif(trim(regexp_replace({bare}, '[^\p{{L}}\p{{M}}\p{{N}}]+', ' ', 'g')), '')"


def _number(column: str) -> str:
    return rf"nullif(ltrim(regexp_replace({column}, '[^\p{{L}}\p{{N}}]', '', 'g'), '0'), '')"


def _street() -> str:
    """The words of an address, the usual ones abbreviated."""
    short = ", ".join(f"'{pair.split()[0]}': '{pair.split()[1]}'" for pair in _STREET.split(","))
    words = f"string_split({_words('address_line1')}, ' ')"
    return f"array_to_string(list_transform({words}, lambda w: coalesce(MAP {{{short}}}[w], w)), ' ')"


def _own(column: str) -> str:
    return f"CASE WHEN {column} IS NOT NULL AND count(*) OVER (PARTITION BY {column}) <= $shared THEN {column} END"


_PLAIN = rf"""
CREATE TABLE plain AS SELECT
    row, kind, dob, school,
    {_words("name_first")} AS first, {_words("name_middle")} AS middle, {_words("name_last")} AS last,
    {_number("state_id")} AS state_id, {_number("local_id")} AS local_id,
    CASE WHEN contains(email, '@') THEN trim(email) END AS email,
    CASE WHEN contains(email, '@') THEN regexp_extract(trim(email), '^[^@+]+') END AS mailbox,
    CASE WHEN length(regexp_replace(phone, '\D', '', 'g')) >= 7
         THEN right(regexp_replace(phone, '\D', '', 'g'), 10) END AS phone,
    {_street()} AS street,
    coalesce(nullif(address_postal_code[:5], ''), nullif(address_city, '')) AS town,
    nullif(sex, '') AS sex, nullif(grad_year, '') AS grad_year
FROM given
"""

_READY = rf"""
CREATE TABLE ready AS SELECT
    row, kind, school, first, middle, last, dob, sex, grad_year, phone, street, town,
    first || '|' || last AS name,
    -- How many of the others bear the name: whoever bears it alone is not counted for it.
    greatest(count(*) OVER (PARTITION BY first, last) - 1, 0.5) / count(*) OVER () AS name_share,
    string_split(first, ' ') AS first_words,
    -- Of a compound last name, the words that are not mere particles.
    list_filter(string_split(last, ' '), lambda w: length(w) >= 4) AS last_words,
    array_to_string(list_sort(list_concat(string_split(first, ' '), string_split(last, ' '))), ' ') AS words,
    list_append(coalesce(names, []), first) AS forms,
    count(*) OVER (PARTITION BY first) <= $rare AS rare,
    count(*) OVER (PARTITION BY last) <= $rare AS last_rare,
    CASE WHEN count(*) OVER (PARTITION BY street, town) <= $crowd THEN street || '|' || coalesce(town, '') END AS home,
    dob[:4] AS born_year,
    dob[:6] AS born_month,
    dob[5:] AS born_day,
    dob[7:8] AS born_on,
    dob[:4] || least(dob[5:6], dob[7:8]) || greatest(dob[5:6], dob[7:8]) AS born,
    regexp_extract(street, '^\d+') AS house,
    {_own("state_id")} AS state_id,
    {_own("local_id")} AS local_id,
    {_own("email")} AS email,
    {_own("mailbox")} AS mailbox,
    regexp_replace(mailbox, '\D', '', 'g') AS mail_digits,
    last[:4] AS stem
FROM plain LEFT JOIN forms_of ON first = short
WHERE first IS NOT NULL AND last IS NOT NULL
"""
