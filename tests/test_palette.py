"""Colours that stand together can be told apart, by colour-blind people too."""

from itertools import combinations

import numpy as np
import pytest

from kimono_explore.palette import (
    CHANGE_COLORS,
    HEAT,
    INK,
    MISSING,
    QUIET,
    RELATION_COLORS,
    SEVERITY_COLORS,
    TASK_COLORS,
    TYPE_COLORS,
)

# Machado, Oliveira and Fernandes (2009), severity 1.0, for linear RGB.
SIGHT = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
# About 2.3 is the least difference that is seen of two large patches side by side (Mahy and others, 1994). A dot or a thin bar
# that is compared with a legend needs several times that: five just noticeable differences.
FAR = 5 * 2.3
TOGETHER = {
    # A person is drawn as a student is: in one picture, whoever's role is known is a student or a teacher.
    "types": {**{name: color for name, color in TYPE_COLORS.items() if name != "person"}, "missing": MISSING},
    "tasks": TASK_COLORS,
    "severities": SEVERITY_COLORS,
    "changes": CHANGE_COLORS,
    "text": {"ink": INK, "missing": MISSING},
}


def linear(color: str) -> np.ndarray:
    parts = np.array([int(color[n : n + 2], 16) / 255 for n in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def lab(light: np.ndarray) -> np.ndarray:
    """CIE Lab of linear sRGB, with the white of D65."""
    to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
    )
    xyz = to_xyz @ np.clip(light, 0, 1) / np.array([0.95047, 1.0, 1.08883])
    x, y, z = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def difference(one: str, other: str, sight: str) -> float:
    return float(np.linalg.norm(lab(SIGHT[sight] @ linear(one)) - lab(SIGHT[sight] @ linear(other))))


def contrast(color: str) -> float:
    """With white, as WCAG 2 counts it."""
    return 1.05 / (float(np.array([0.2126, 0.7152, 0.0722]) @ linear(color)) + 0.05)


def test_lab_is_right() -> None:
    assert lab(linear("#FFFFFF")) == pytest.approx([100, 0, 0], abs=0.01)
    assert lab(linear("#FF0000")) == pytest.approx([53.24, 80.09, 67.20], abs=0.02)


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("group", TOGETHER)
def test_colours_that_stand_together_differ(group: str, sight: str) -> None:
    close = {
        (one, other): round(difference(TOGETHER[group][one], TOGETHER[group][other], sight), 1)
        for one, other in combinations(TOGETHER[group], 2)
        if difference(TOGETHER[group][one], TOGETHER[group][other], sight) < FAR
    }
    assert close == {}


def test_two_relations_of_one_colour_have_two_line_styles() -> None:
    assert len(set(RELATION_COLORS.values())) == len(RELATION_COLORS)


def test_text_can_be_read_on_white() -> None:
    assert [color for color in (INK, QUIET, MISSING) if contrast(color) < 4.5] == []


def test_heat_grows_darker_in_even_steps() -> None:
    steps = -np.diff([lab(linear(color))[0] for color in HEAT])
    assert (steps > 0).all()
    assert steps.max() < 1.5 * steps.min()
