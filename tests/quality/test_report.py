"""A report's own tables."""

from builders import make, section

import kimono_explore as kx


def test_findings_without_values_have_no_detail() -> None:
    roster = make(section("s1"), section("s2"))
    findings = kx.check(roster, checks=["section_without_term"]).findings
    assert findings["id"].tolist() == ["s1", "s2"]
    assert findings["detail"].tolist() == ["", ""]
