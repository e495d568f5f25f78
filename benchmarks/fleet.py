"""``python -m benchmarks.fleet``: the mornings of many tenants, some of them in trouble, beside their loads alone.

Each tenant is a sandbox with a district of its own. After a first day, most have an ordinary night, and some one of the incidents
that the tests of the gate know. Those that need somebody must be exactly the ones in trouble.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import kimono_explore as kx
from benchmarks.__main__ import machine
from kimono_explore.morning import read_tenants, run_fleet
from kimono_explore.sandbox.district.build import make_district

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import nights

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kimono_explore.morning.fleet import Tenant

_FIRST = dt.datetime(2026, 10, 5, 6, tzinfo=dt.UTC)
_AT_A_TIME = 4


@contextmanager
def served(rosters: Sequence[kx.Roster], folder: Path) -> Iterator[list[Tenant]]:
    """A sandbox for each roster, as the tenants of one file."""
    with ExitStack() as stack:
        rows = []
        for number, roster in enumerate(rosters):
            box = stack.enter_context(kx.sandbox(roster))
            os.environ[f"FLEET_{number}"] = box.credentials.token
            keys = {"name": f"District {number}", "base_url": box.base_url, "token_env": f"FLEET_{number}"}
            rows.append("[[tenant]]\n" + "\n".join(f'{key} = "{value}"' for key, value in keys.items()))
        (folder / "tenants.toml").write_text("\n".join(rows))
        yield read_tenants(folder / "tenants.toml", folder / "fleet")


def load(tenant: Tenant) -> int:
    """What a tenant's load alone takes."""
    with tenant.connect() as client:
        return len(kx.load_roster(client, progress=False).persons)


def main() -> int:
    """Run both, and print who was named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet", description=__doc__)
    parser.add_argument("--tenants", type=int, default=200)
    parser.add_argument("--troubles", type=int, default=30)
    parser.add_argument("--students", type=int, default=300)
    asked = parser.parse_args()
    chance = np.random.default_rng(1)
    districts = [make_district(asked.students, seed=seed) for seed in range(asked.tenants)]
    troubled = sorted(chance.choice(asked.tenants, asked.troubles, replace=False).tolist())
    incidents = {tenant: nights.INCIDENTS[n % len(nights.INCIDENTS)] for n, tenant in enumerate(troubled)}
    changed = [incidents.get(n, nights.ordinary)(district, chance).roster for n, district in enumerate(districts)]
    with tempfile.TemporaryDirectory() as folder:
        with served(districts, Path(folder)) as tenants:
            first = run_fleet(tenants, at_a_time=_AT_A_TIME, now=_FIRST, late=10**7)
        with served(changed, Path(folder)) as tenants:
            began = time.perf_counter()
            with ThreadPoolExecutor(_AT_A_TIME) as pool:
                persons = sum(pool.map(load, tenants))
            loads = time.perf_counter() - began
            began = time.perf_counter()
            fleet = run_fleet(tenants, at_a_time=_AT_A_TIME, now=_FIRST + dt.timedelta(days=1), late=10**7)
            mornings = time.perf_counter() - began
    named = sorted(int(morning.name.split()[1]) for morning in fleet.troubles)
    print(machine(), "\n")
    print("| tenants | persons | in trouble | named | wrongly | missed | their loads alone | their mornings |")
    print("|---|---|---|---|---|---|---|---|")
    print(
        f"| {asked.tenants} | {persons:,} | {len(troubled)} | {len(named)} | {len(set(named) - set(troubled))} "
        f"| {len(set(troubled) - set(named))} | {loads:.0f} s | {mornings:.0f} s |"
    )
    for n in sorted(set(named) ^ set(troubled)):
        morning = next(m for m in fleet.mornings if m.name == f"District {n}")
        print(n, getattr(incidents.get(n), "__name__", "ordinary"), morning.word, morning.headline)
    return int(named != troubled or first.exit_code != 0)


if __name__ == "__main__":
    sys.exit(main())
