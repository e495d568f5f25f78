"""Mutation testing: the own tests of each room against small faults in its modules; writes docs/mutation.md.

    python tests/mutants.py [module ...]

Without a module all are tried; ``--page`` only writes the page again. Results are kept in mutants.json, so that modules can
be tried one at a time.

The faults are those of cosmic-ray's operators. Each is tried in a fork of an interpreter that has pandas, Arrow and DuckDB
loaded: to import them takes longer than the tests. mutants.toml says which tests a module has, and which survivors are
equal to the original.
"""

import ast
import collections
import importlib.machinery
import itertools
import json
import os
import pickle
import random
import re
import signal
import sys
import time
import tomllib
from pathlib import Path

import hypothesis  # noqa: F401  for the forks
import pytest
import pytest_httpserver.pytest_plugin
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import MutationVisitor
from cosmic_ray.plugins import get_operator, operator_names

import kimono_explore.quality.engines
import kimono_explore.widgets.browser  # noqa: F401  with all that they import

ROOT = Path(__file__).parents[1]
SETTINGS = tomllib.loads((ROOT / "tests" / "mutants.toml").read_text(encoding="utf-8"))
FOUND = ROOT / "tests" / "mutants.json"  # what each module gave when it was last tried
os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # they take longer than the tests
_PLUGIN = pytest_httpserver.pytest_plugin.__name__
_AGAIN = "ignore::pytest.PytestAssertRewriteWarning"  # plugins are loaded before pytest is


class _Plain(ast.NodeTransformer):
    """What a test can see: no annotations, which nothing evaluates here, and no imports for the type checker."""

    def visit_If(self, node):
        return None if "TYPE_CHECKING" in ast.unparse(node.test) else self.generic_visit(node)

    def generic_visit(self, node):
        for name in ("annotation", "returns"):
            if hasattr(node, name):
                setattr(node, name, None if name == "returns" or isinstance(node, ast.arg) else ast.Constant(None))
        return super().generic_visit(node)


def mutants_of(source):
    """The mutants of a module in random order: one for each place in the text and kind of operator."""
    places, plain = collections.defaultdict(list), ast.dump(_Plain().visit(ast.parse(source)))
    tree = get_ast(source)
    nodes, kept = list(ast_nodes(tree)), pickle.dumps(tree)
    for name in sorted(operator_names()):
        if not get_operator(name).arguments():
            sites = [site for node in nodes for site in get_operator(name)().mutation_positions(node)]
            for n, (start, _) in enumerate(sites):
                places[name.split("_")[0], start].append((get_operator(name)(), n))
    chance = random.Random(SETTINGS["seed"])
    drawn = [chance.choice(places[place]) for place in sorted(places)]
    for operator, n in chance.sample(drawn, len(drawn)):
        try:
            mutant = MutationVisitor(n, operator).walk(pickle.loads(kept)).get_code()  # quicker than to parse again
            if ast.dump(_Plain().visit(ast.parse(mutant))) != plain:
                yield mutant
        except (AttributeError, SyntaxError):  # an operator at its limits
            continue


def start(path, mutant, tests):
    """Run tests with a mutant in place of a module, in a fork; the process id."""
    if pid := os.fork():
        return pid
    os.setpgid(0, 0)
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    for name in [name for name in sys.modules if name.partition(".")[0] == "kimono_explore"]:
        del sys.modules[name]
    target, loader = str(ROOT / path), importlib.machinery.SourceFileLoader
    read, result = loader.get_code, 1
    loader.get_code = lambda self, name: compile(mutant, target, "exec") if self.path == target else read(self, name)
    try:
        result = pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", _PLUGIN, "-W", _AGAIN, *tests])
    finally:
        os._exit(int(result))


def survivors(path, mutants, tests):
    """The mutants with which every test passes; a mutant that takes too long is killed."""
    waiting, running, left = list(mutants), {}, []
    while waiting or running:
        while waiting and len(running) < SETTINGS["at_a_time"]:
            mutant = waiting.pop()
            running[start(path, mutant, tests)] = mutant, time.monotonic() + SETTINGS["seconds"]
        for pid, (mutant, until) in list(running.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if not ended and time.monotonic() > until:
                os.killpg(pid, signal.SIGKILL)
                ended, status = os.waitpid(pid, 0)
            if ended:
                del running[pid]
                left += [mutant] if status == 0 else []
        time.sleep(0.01)
    return left


def changed(source, mutant):
    """The lines in which a mutant differs, before and after."""
    pairs = zip(source.splitlines(), mutant.splitlines(), strict=False)
    return next((a.strip(), b.strip()) for a, b in pairs if a != b)


def _why(path, was, now):
    """Why a survivor is equal to the original; None where it is not known to be."""
    return next((e["why"] for e in SETTINGS["equal"] if re.search(e["lines"], f"{path}: {was} => {now}")), None)


def page(found):
    """The results as docs/mutation.md."""
    lines = ["| module | mutants | equal | killed | share |", "| --- | --: | --: | --: | --: |"]
    told = []
    for room, modules in SETTINGS["rooms"].items():
        sums = collections.Counter()
        for path in modules:
            tried, left = found.get(path, (0, []))
            if tried:
                whys = [_why(path, was, now) for was, now in left]
                told += [
                    f"- {path}: `{was}` as `{now}`: {why or '**no test tells it apart**'}"
                    for (was, now), why in zip(left, whys, strict=True)
                ]
                figures = {"tried": tried, "equal": sum(why is not None for why in whys), "killed": tried - len(left)}
                lines.append(_row(path, figures))
                sums.update(figures)
        if sums:
            lines.append(_row(f"**{room}**", sums))
    return "\n".join([SETTINGS["text"], *lines, "", "## Survivors", "", *told, ""])


def _row(name, figures):
    tried, equal, killed = (figures[key] for key in ("tried", "equal", "killed"))
    return f"| {name} | {tried} | {equal} | {killed} | {killed / max(tried - equal, 1):.0%} |"


def main(names):
    again = "--again" in names  # only the mutants that survived the last time: tests were added
    names = [name for name in names if name != "--again"]
    for path, tests in {p: t for modules in SETTINGS["rooms"].values() for p, t in modules.items()}.items():
        if names and not any(name in path for name in names):
            continue
        source, before = (ROOT / path).read_text(encoding="utf-8"), _found().get(path, (0, None))[1]
        if survivors(path, [source], tests) != [source]:
            sys.exit(f"{path}: its tests fail, or take too long, without a mutant: {tests}")
        drawn = list(itertools.islice(mutants_of(source), SETTINGS["most"]))
        tried = [mutant for mutant in drawn if not again or before is None or list(changed(source, mutant)) in before]
        left = sorted(changed(source, mutant) for mutant in survivors(path, tried, tests))
        FOUND.write_text(json.dumps({**_found(), path: (len(drawn), left)}, indent=1) + "\n")
        print(f"{path}: {len(drawn) - len(left)} of {len(drawn)} killed", flush=True)
        print(*(f"    {was}\n    {now}" for was, now in left), sep="\n", flush=True)
    (ROOT / "docs" / "mutation.md").write_text(page(_found()), encoding="utf-8")


def _found():
    """The results so far: of each module how many mutants were tried, and the lines of those that survived."""
    return json.loads(FOUND.read_text(encoding="utf-8")) if FOUND.exists() else {}


if __name__ == "__main__":
    main(sys.argv[1:])
