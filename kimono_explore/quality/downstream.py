"""What systems downstream say in public of ids and names: the facts that a check and the rehearsal of an upload share."""

from __future__ import annotations

SDS_FILES = "https://learn.microsoft.com/en-us/schooldatasync/sds-v2.1-csv-file-format"
"""Where Microsoft describes the files of School Data Sync: among others, that no value may have a line break."""

LINE_BREAK = "[\r\n]"

SDS_TEXTS: dict[str, tuple[str, ...]] = {
    "orgs": ("id", "name"),
    "terms": ("id", "name"),
    "courses": ("id", "title"),
    "sections": ("id", "title"),
    "persons": ("id", "name_first", "name_last"),
}
"""The ids and names that go into these files, by table."""
