"""``python -m benchmarks.growth``: time and memory for each student, as rosters grow; each size in fresh processes.

Medians of three runs. ``--record`` keeps them in ``docs/benchmarks.json``, and draws ``docs/images/growth.svg``. What a state of
five million costs, which is not opened but read from its files, is measured by ``benchmarks.state``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import kimono_explore as kx
from benchmarks.waits import RECORD, Wait, apart, check, compare, graph, load, opening, serving, understood
from kimono_explore.sandbox.district.build import make_district

if TYPE_CHECKING:
    from benchmarks.waits import Run

_RUNS = 3
_SIZES = (20_000, 100_000, 600_000)
_MOST_SERVED = 100_000
"""The sandbox, whose pages are kept to be served, would take minutes to make more."""
PICTURE = RECORD.parent / "images" / "growth.svg"


def _search(folder: Path) -> Run:
    roster = kx.open_roster(folder / "roster")
    return lambda: roster.search("smith")


CASES = {
    "load": Wait("load over HTTP", "", load),
    "open": Wait("open a snapshot", "", opening("roster")),
    "check": Wait("check", "", check("roster")),
    "compare": Wait("compare", "", compare("roster")),
    "search": Wait("first search", "", _search),
    "graph": Wait("graph", "", graph("roster")),
}


def grown(sizes: list[int], names: list[str]) -> dict[str, dict[str, dict[str, float]]]:
    """For each case and size: microseconds and kilobytes a student."""
    found: dict[str, dict[str, dict[str, float]]] = {name: {} for name in names}
    for students in sizes:
        with tempfile.TemporaryDirectory() as text:
            folder = Path(text)
            make_district(students, seed=7).save(folder / "roster")
            for name in names:
                if name == "load" and students > _MOST_SERVED:
                    continue
                found[name][str(students)] = _each(name, folder, students)
                print(f"{CASES[name].what:16} {students:9,} {found[name][str(students)]}", flush=True)
    return found


def _each(name: str, folder: Path, students: int) -> dict[str, float]:
    if name == "load":
        with serving(folder, "stored", "benchmarks.stored", str(students)):
            runs = [apart("benchmarks.growth", name, folder) for _ in range(_RUNS)]
    else:
        runs = [apart("benchmarks.growth", name, folder) for _ in range(_RUNS)]
    seconds, megabytes = (statistics.median(float(run[key]) for run in runs) for key in ("seconds", "megabytes"))
    return {"microseconds": round(seconds / students * 1e6, 2), "kilobytes": round(megabytes / students * 1e3, 3)}


def draw(growth: dict[str, dict[str, dict[str, float]]], path: Path) -> None:
    """Microseconds and kilobytes a student by size, one line for each case."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt
    from matplotlib.ticker import FuncFormatter, NullFormatter

    columns = {"microseconds": "µs a student", "kilobytes": "kB a student"}
    with mpl.rc_context({"svg.hashsalt": "growth", "svg.fonttype": "none"}):
        figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
        for one, (key, words) in zip(axes, columns.items(), strict=True):
            for name, sizes in growth.items():
                figures = [found[key] for found in sizes.values()]
                one.plot([int(size) for size in sizes], figures, "o-", label=CASES[name].what)
            one.set(xscale="log", yscale="log", title=words, xlabel="students")
            one.set_xticks(sorted({int(size) for sizes in growth.values() for size in sizes}))
            for axis in (one.xaxis, one.yaxis):
                axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
                axis.set_minor_formatter(NullFormatter())
            one.grid(alpha=0.3)
        axes[1].legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)


def main() -> int:
    """Measure, print and, where asked, record and draw."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="CASE", help=f"some of {', '.join(CASES)} (default: all)")
    parser.add_argument("--students", type=int, nargs="+", default=list(_SIZES), help="default: %(default)s")
    parser.add_argument("--record", action="store_true", help="keep the figures, and draw them")
    options = understood(parser, CASES)
    if options is None:
        return 0
    growth = grown(options.students, options.names or list(CASES))
    if options.record:
        record = json.loads(RECORD.read_text(encoding="utf-8"))
        record["growth"] = {**record.get("growth", {}), **growth}
        RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        draw(record["growth"], PICTURE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
