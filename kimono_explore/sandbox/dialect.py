"""How the sandbox speaks: the ways in which real servers differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Dialect:
    """The ways in which servers differ. The defaults are what vendors' clients see in production.

    Attributes
    ----------
    paging : bool, default True
        Lists include ``paging`` with ``next``.
    finds : {"mixed", "bare", "wrapped"}, default "mixed"
        Single objects are returned bare or wrapped in ``data``. Mixed: orgs wrapped, all others bare.
    references : {"mixed", "flat", "wrapped", "rolled_up", "membership"}, default "mixed"
        The shape of references. Mixed: flat, with a section's course, org and terms rolled up.
    rollups : {"as_stated", "source", "target", "both", "none"}, default "as_stated"
        Which side states a membership (a person's sections and schools, or a section's and an org's people). As stated:
        the side or sides named in ``links.stated_by``. None: neither side.
    tasks : {"1.0.0", "2.0.0", "3.0.0"}, default "2.0.0"
        The wire version of tasks if the request does not name one.
    ids : {"sys", "top"}, default "sys"
        Ids are in ``$sys``, or at the top level with ``$sys: null``.
    school_years : {"integer", "text"}, default "integer"
        ``$sys.school_year`` is a whole number, as in Kimono's own OpenAPI document, or text.
    max_page_size : int, default 1000
        Larger pages are limited to this size.
    """

    paging: bool = True
    finds: Literal["mixed", "bare", "wrapped"] = "mixed"
    references: Literal["mixed", "flat", "wrapped", "rolled_up", "membership"] = "mixed"
    rollups: Literal["as_stated", "source", "target", "both", "none"] = "as_stated"
    tasks: Literal["1.0.0", "2.0.0", "3.0.0"] = "2.0.0"
    ids: Literal["sys", "top"] = "sys"
    max_page_size: int = 1000
    school_years: Literal["integer", "text"] = "integer"
