"""Every notebook runs from top to bottom, without credentials, and is committed without outputs."""

import json
import re
from pathlib import Path

import nbformat
import pytest
from nbconvert.preprocessors import ExecutePreprocessor

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_clean(path: Path) -> None:
    cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    assert [cell["outputs"] for cell in cells] == [[]] * len(cells)
    assert not any(line.startswith("def ") for cell in cells for line in "".join(cell["source"]).splitlines())


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("default")  # of the Jupyter client, not ours
def test_a_notebook_runs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TOKEN", "CLIENT_ID", "CLIENT_SECRET", "USERNAME", "PASSWORD", "BASE_URL"):
        monkeypatch.delenv(f"KIMONO_{name}", raising=False)
    notebook = nbformat.read(path, as_version=4)
    ExecutePreprocessor(timeout=120, kernel_name="python3").preprocess(notebook, {"metadata": {"path": str(FOLDER)}})
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not any(output.output_type == "error" for output in outputs)
    warned = [output.text for output in outputs if output.get("name") == "stderr" and "Warning" in output.text]
    assert warned == []
    words_only = [output for output in outputs if "<Figure" in output.get("data", {}).get("text/plain", "")]
    assert [output for output in words_only if "image/png" not in output.data] == []
    kinds = {kind for output in outputs for kind in output.get("data", {})}
    assert kinds & {"text/html", "application/vnd.jupyter.widget-view+json"}
    assert "image/png" in kinds or path.stem[:2] in ("02", "04", "05", "06")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_tables_lead_with_names_and_not_with_ids(path: Path) -> None:
    cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    first = re.findall(r'\[\["(\w+)"', "\n".join("".join(cell["source"]) for cell in cells))
    assert not [name for name in first if name == "id" or name.endswith("_id")]
    assert not any("".join(cell["source"]).splitlines()[-1].startswith("client.find") for cell in cells)
