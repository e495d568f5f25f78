"""A process that used the library ends without a word."""

import subprocess
import sys

import pytest

LOAD = """
import kimono_explore as kx
box = kx.sandbox(students=60, flaws=False)
roster = kx.load_roster(box.client, progress=False)
"""
ENDS = {
    "all done": "kx.check(roster); roster.search('a'); kx.browse(roster); kx.build_graph(roster)",
    "a search within a reference cycle": "roster.search('a'); roster.itself = roster",
    "pages still under way": """
import time
from kimono_explore.threads import in_thread
roster.search('a')
in_thread(lambda: (roster, time.sleep(0.3)))
""",
    "a stored roster and an unfinished load": """
import tempfile
with tempfile.TemporaryDirectory() as folder:
    roster.save(folder + "/monday")
    stored = kx.browse(folder + "/monday")
    pages = kx.load(box.client, "persons", page_size=5, progress=False)
""",
    "a thread that nobody waits for": """
import tempfile, threading, time
roster.search('a')
with tempfile.TemporaryDirectory() as folder:
    roster.save(folder + "/monday")
    stored = kx.browse(folder + "/monday").roster
    stored.search('a')
threading.Thread(target=lambda *held: time.sleep(60), args=(roster, stored), daemon=True).start()
""",
}


@pytest.mark.parametrize("end", list(ENDS))
def test_nothing_is_printed_at_the_end(end: str) -> None:
    done = subprocess.run([sys.executable, "-c", LOAD + ENDS[end]], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
