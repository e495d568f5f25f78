"""Countries, states and provinces as rosters write them, in lower case."""

from __future__ import annotations

_STATE_CODES = """
al ak az ar ca co ct de fl ga hi id il in ia ks ky la me md ma mi mn ms mo mt ne nv nh nj nm ny nc nd oh ok or pa ri
sc sd tn tx ut vt va wa wv wi wy dc as gu mp pr vi um fm mh pw aa ae ap
"""
_STATE_NAMES = """
alabama, alaska, arizona, arkansas, california, colorado, connecticut, delaware, florida, georgia, hawaii, idaho,
illinois, indiana, iowa, kansas, kentucky, louisiana, maine, maryland, massachusetts, michigan, minnesota, mississippi,
missouri, montana, nebraska, nevada, new hampshire, new jersey, new mexico, new york, north carolina, north dakota,
ohio, oklahoma, oregon, pennsylvania, rhode island, south carolina, south dakota, tennessee, texas, utah, vermont,
virginia, washington, west virginia, wisconsin, wyoming, district of columbia, american samoa, guam,
northern mariana islands, puerto rico, virgin islands
"""
_PROVINCE_NAMES = """
alberta, british columbia, manitoba, new brunswick, newfoundland and labrador, northwest territories, nova scotia,
nunavut, ontario, prince edward island, quebec, québec, saskatchewan, yukon
"""


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(","))


STATES: tuple[str, ...] = (*_STATE_CODES.split(), *_names(_STATE_NAMES))
"""The states, districts and territories of the United States and its postal codes for armed forces: codes and names."""

PROVINCES: tuple[str, ...] = (
    *("ab", "bc", "mb", "nb", "nl", "ns", "nt", "nu", "on", "pe", "qc", "sk", "yt"),
    *_names(_PROVINCE_NAMES),
)
"""The provinces and territories of Canada: codes and names."""

UNITED_STATES = ("us", "usa", "u.s.", "u.s.a.", "united states", "united states of america", "840")
CANADA = ("ca", "can", "canada", "124")
