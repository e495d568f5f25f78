"""Boxes in layers: where they stand, and the ways of the lines between them."""

import pytest

from kimono_explore.plots.layers import Layout, Mark, _cells, _routes, _Size, _stack, arrange, shown


def mark(name: str, label: str | None = None, kind: str = "school", missing: bool = False) -> Mark:
    return Mark(name, kind, label or name, missing)


def layout(layers: list[list[str]], *lines: tuple[str, str]) -> Layout:
    boxes = [[mark(name)] for layer in layers for name in layer]
    return arrange(boxes, layers, [(one, other, "r") for one, other in lines], None)


def test_nothing_is_an_empty_picture() -> None:
    found = layout([])
    assert (found.places, found.curves) == ({}, [])
    assert found.rows == 8.5


def test_layers_stand_from_left_to_right_with_a_gap_between() -> None:
    places = layout([["a"], ["b", "c"]], ("a", "b"), ("a", "c")).places
    assert places["a"].left == 0.1
    assert places["b"].left == places["c"].left == pytest.approx(0.1 + places["a"].width + 0.8)
    assert places["a"].height == 1.0
    assert places["a"].cells == [(pytest.approx(0.2), pytest.approx(places["a"].bottom + 0.5))]


def test_nothing_in_a_layer_overlaps_and_the_first_stands_on_top() -> None:
    found = layout([["a", "b", "c"]])
    bottoms = [found.places[name].bottom for name in "abc"]
    assert bottoms == [pytest.approx(bottoms[0] - 1.25 * n) for n in range(3)]
    # The top of the topmost box is a quarter of a row below zero.
    assert bottoms[0] + 1.0 == pytest.approx(-0.25)
    assert found.rows == pytest.approx(3 * 1.0 + 2 * 0.25 + 0.5)


def test_boxes_are_ordered_as_what_they_are_linked_with() -> None:
    places = layout([["a", "b"], ["x", "y"]], ("a", "y"), ("b", "x")).places
    assert abs(places["a"].bottom - places["b"].bottom) == pytest.approx(1.25)
    assert places["y"].bottom == pytest.approx(places["a"].bottom)
    assert places["x"].bottom == pytest.approx(places["b"].bottom)


def test_a_line_goes_straight_to_the_next_layer() -> None:
    found = layout([["a"], ["b"]], ("a", "b"))
    a, b = found.places["a"], found.places["b"]
    middle = a.bottom + 0.5
    ((relation, points),) = found.curves
    assert relation == "r"
    assert points == [
        (pytest.approx(a.left + a.width), pytest.approx(middle)),
        (pytest.approx(a.left + a.width), pytest.approx(middle)),
        (pytest.approx(b.left + 0.02), pytest.approx(middle)),
    ]


def test_a_line_within_a_layer_bows_to_the_left() -> None:
    found = layout([["a", "b"]], ("a", "b"))
    ((_, points),) = found.curves
    ends = sorted(found.places[name].bottom + 0.5 for name in "ab")
    assert [x for x, _ in points] == [0.1, pytest.approx(-0.3), 0.1]
    assert sorted(y for _, y in points) == [
        pytest.approx(ends[0]),
        pytest.approx(sum(ends) / 2),
        pytest.approx(ends[1]),
    ]


def test_a_line_that_passes_a_layer_gets_a_lane_in_it_and_lines_of_one_end_share_it() -> None:
    order = [["a"], ["m"], ["x", "y"]]
    level = {"a": 0, "m": 1, "x": 2, "y": 2}
    ways = _routes([("a", "x", "r"), ("y", "a", "r"), ("a", "x", "q"), ("a", "m", "r")], level, order)
    assert ways == [
        ("r", ["a", "1|r|a", "x"]),
        ("r", ["a", "1|r|a", "y"]),
        ("q", ["a", "1|q|a", "x"]),
        ("r", ["a", "m"]),
    ]
    assert order == [["a"], ["m", "1|r|a", "1|q|a"], ["x", "y"]]


def test_each_takes_the_place_nearest_to_what_it_wants() -> None:
    centers: dict[str, float] = {}
    _stack(["a", "b"], {"a": 1.0, "b": 1.0}, centers, {"a": 10.0, "b": -10.0})
    assert centers == {"a": pytest.approx(10.0), "b": pytest.approx(-10.0)}
    _stack(["a", "b"], {"a": 1.0, "b": 1.0}, centers, {"a": 0.0, "b": 0.0})
    assert centers == {"a": pytest.approx(0.625), "b": pytest.approx(-0.625)}
    _stack(["lane", "b"], {"b": 1.0}, centers, {"lane": 0.0, "b": 0.0})
    assert centers["lane"] - centers["b"] == pytest.approx((0.95 + 1.25) / 2)
    _stack([], {}, centers, {})
    assert len(centers) == 3


def test_the_dots_of_a_box_go_down_one_column_and_then_the_next() -> None:
    size = _Size(columns=2, rows=2, cell=1.5, width=3.1, height=3.5)
    assert _cells(3, size, 1.0, 0.0) == [
        (1.15, pytest.approx(0.15)),
        (1.15, pytest.approx(-0.85)),
        (2.65, pytest.approx(0.15)),
    ]
    assert _cells(1, size, 1.0, 0.0) == [(1.1, 0.0)]


@pytest.mark.parametrize(("count", "columns", "rows"), [(2, 1, 2), (14, 1, 14), (15, 2, 8), (28, 2, 14), (29, 3, 10)])
def test_a_box_of_many_takes_another_column_after_fourteen_rows(count: int, columns: int, rows: int) -> None:
    box = [mark(f"n{n}") for n in range(count)]
    place = arrange([box], [["n0"]], [], None).places["n0"]
    assert place.height == rows + 1.5
    assert len({x for x, _ in place.cells}) == columns
    assert len(place.cells) == count


def test_the_focus_is_wider_as_it_is_bold() -> None:
    plain = arrange([[mark("a")]], [["a"]], [], None).places["a"].width
    assert arrange([[mark("a")]], [["a"]], [], "a").places["a"].width == pytest.approx(plain * 1.15)


def test_long_labels_are_cut_and_what_is_missing_says_so() -> None:
    assert shown(mark("a", "x" * 34)) == "x" * 34
    assert shown(mark("a", "x" * 35)) == "x" * 33 + "…"
    assert shown(mark("a", "x" * 35, missing=True)) == "x" * 23 + "… (missing)"
    assert shown(mark("a", "abcdef"), 4) == "abc…"
