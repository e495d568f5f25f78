"""What `import kimono_explore` brings: the public names, each loaded when it is first used, and nothing heavy."""

import ast
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import kimono_explore as kx

STUB = Path(kx.__file__).with_suffix(".pyi")
HEAVY = (
    "duckdb",
    "httpx",
    "ipywidgets",
    "jinja2",
    "matplotlib",
    "networkx",
    "pandas",
    "polars",
    "pyarrow",
    "starlette",
    "uvicorn",
)


def test_tab_and_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(STUB.read_text(encoding="utf-8"))
    imported = [alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    declared = next(ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.Assign))
    assert declared == sorted(declared)
    assert sorted(imported) == declared == dir(kx)
    assert not [name for name in dir(kx) if isinstance(getattr(kx, name), ModuleType)]


def test_a_function_named_like_its_module_stays_a_function() -> None:
    code = (
        "import kimono_explore as kx\n"
        "from kimono_explore.load import load_roster\n"
        "from kimono_explore.sandbox.district.build import make_district\n"
        "import kimono_explore.compare, kimono_explore.api.openapi, kimono_explore.history\n"
        "print(*(callable(f) for f in (kx.load, kx.sandbox, kx.compare, kx.openapi, kx.history)))"
    )
    assert run(code) == "True True True True True"


def test_the_import_loads_nothing_heavy() -> None:
    code = f"import sys, kimono_explore\nprint(*(name for name in {HEAVY!r} if name in sys.modules))"
    assert run(code) == ""
    code = "import sys; before = len(sys.modules); import kimono_explore; print(len(sys.modules) - before < 40)"
    assert run(code) == "True"


def test_loading_needs_neither_pictures_nor_widgets_nor_a_server() -> None:
    code = (
        "import sys, kimono_explore as kx; kx.load_roster; kx.connect; kx.Roster\n"
        "print(*(name in sys.modules for name in ('matplotlib', 'ipywidgets', 'uvicorn')))"
    )
    assert run(code) == "False False False"


def test_help_waits_for_none_of_them() -> None:
    code = (
        "import contextlib, io, sys\nfrom kimono_explore.__main__ import main\n"
        "with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.suppress(SystemExit): main(['--help'])\n"
        f"print('exit codes' in said.getvalue(), [name for name in {HEAVY!r} if name in sys.modules])"
    )
    assert run(code) == "True []"


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()
