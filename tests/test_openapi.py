"""The sandbox keeps what its OpenAPI document promises: schemathesis tries, from examples to hostile input."""

import subprocess
import sys
from pathlib import Path

import kimono_explore as kx
from kimono_explore.api import OPERATIONS


def ids(box: kx.Sandbox) -> dict[str, str]:
    """An id that exists, for each operation that takes one: without them schemathesis sees nothing but 404."""
    roster = box.roster
    school = roster.orgs.loc[roster.orgs["org_type"] == "school", "id"].iloc[0]
    lea = roster.orgs.loc[roster.orgs["org_type"] == "lea", "id"].iloc[0]
    tasks = [str(task["id"]) for task in box.queue.all()]
    found = {
        "findLea": lea,
        "findTaskAdmin": tasks[-1],
        "ackTask": tasks[0],
        "ackTaskAdmin": tasks[1],
        "deleteTaskAdmin": tasks[2],
    }
    for row in OPERATIONS:
        if row.needs_id and row.name not in found:
            found[row.name] = school if row.kind == "list" else roster.tables[row.table]["id"].iloc[0]
    return found


def test_schemathesis_finds_no_violation(tmp_path: Path) -> None:
    with kx.sandbox(students=30, flaws=False) as box:
        known = ids(box)
        config = "\n".join(
            f'[[operations]]\ninclude-operation-id = "{name}"\nparameters = {{ "path.id" = "{id}" }}\n'
            for name, id in known.items()
        )
        (tmp_path / "schemathesis.toml").write_text(config)
        host = box.base_url.removesuffix("/v2/interop/data")
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"{host}/openapi.json"]
        options = [
            "--header",
            f"Authorization: Bearer {box.credentials.token}",
            "--max-examples",
            "15",
            "--seed",
            "1",
            "--no-color",
        ]
        outcome = subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, text=True, check=False)
        shown = outcome.stdout.replace(box.credentials.token, "...")[-6000:]
    assert outcome.returncode == 0, shown
    assert "Tested: 29" in shown
