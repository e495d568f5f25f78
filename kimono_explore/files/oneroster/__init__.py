"""OneRoster CSV bundles: `read` one as a roster, `write` a roster as one, by the tables of `layout`."""

from kimono_explore.files.oneroster.read import read_oneroster
from kimono_explore.files.oneroster.write import write_oneroster

__all__ = ["read_oneroster", "write_oneroster"]
