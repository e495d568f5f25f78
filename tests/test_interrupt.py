"""A load that is interrupted ends at once: nothing is asked for any more, and no thread is left.

Times from the signal to the end of the process, on two busy cores: 0.3 to 0.7 s; ``-rP`` prints them.
"""

import _thread
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rosters import assert_equal
from stubborn_server import StubbornServer

import kimono_explore as kx
from kimono_explore.api.page_cache import saved_pages
from kimono_explore.decode.decoder import Decoder

BOUND = 1.5
WAYS = ["slow", "trickle", "busy", "head"]
SCRIPT = """
import sys, kimono_explore as kx
resume = sys.argv[2] if len(sys.argv) > 2 else None
kx.load_roster(kx.connect(sys.argv[1], token="t"), page_size=10, resume=resume)
"""
SECRETS = {"client_id": "me", "client_secret": "s3cret"}


def killed(server: StubbornServer, *arguments: str) -> tuple[float, float, str, int]:
    """When the signal was sent, seconds until the end, what the process wrote and its code."""
    environment = {**os.environ, "PYTHONPATH": str(Path(kx.__file__).parents[1])}
    command = [sys.executable, "-c", SCRIPT, server.url, *arguments]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, env=environment, text=True)
    try:
        assert server.caught.wait(30)
        time.sleep(0.1)
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, written = process.communicate(timeout=20)
        took = time.monotonic() - start
    finally:
        process.kill()
    print(f"{server.how}: {took:.2f} s")
    return start, took, written, process.returncode


@pytest.mark.parametrize("how", WAYS)
def test_a_process_ends_at_once(how: str) -> None:
    with StubbornServer(how) as server:
        start, took, written, code = killed(server)
        time.sleep(0.2)
        assert server.after(start) == 0
    assert took < BOUND
    assert code == -signal.SIGINT
    assert written.rstrip().splitlines()[-1].startswith("The load was interrupted.")
    assert "KeyboardInterrupt" in written
    assert "resume=" in written
    assert "stopped" in written
    assert "Exception ignored" not in written


@pytest.mark.parametrize("how", ["busy"])
def test_a_process_ends_at_once_while_it_looks_whether_rows_moved(how: str) -> None:
    with StubbornServer(how, healing=True) as server:
        start, took, written, code = killed(server)
        assert server.after(start) == 0
    assert took < BOUND
    assert code == -signal.SIGINT
    assert "resume=" in written


@pytest.mark.parametrize("how", ["trickle"])
def test_what_was_saved_can_be_gone_on_with(how: str, tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    with StubbornServer(how) as server:
        start, took, written, code = killed(server, str(folder))
        assert server.after(start) == 0
        assert took < BOUND
        assert code == -signal.SIGINT
        assert "the same call resumes" in written
        kept = list(folder.rglob("0*.json"))
        assert len(kept) > 60
        server.how, already = "", len(server.times)
        client = kx.connect(server.url, token="t")
        again = kx.load_roster(client, page_size=10, resume=folder, progress=False)
        assert len(server.times) - already < 220  # 20 pages a list, and as many looks
        whole = kx.load_roster(client, page_size=10, progress=False)
        client.close()
    assert_equal(whole, again)
    assert again.problems["problem"].str.contains("interrupted load").any()
    assert not folder.exists()


@contextmanager
def interrupting(when: Callable[[], object], interrupt: Callable[[], object]) -> Iterator[list[float]]:
    """Interrupts the main thread from another one; the list holds when."""
    moments: list[float] = []

    def run() -> None:
        when()
        moments.append(time.monotonic())
        interrupt()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield moments
    thread.join()


def no_thread_is_left(seconds: float = 1.0) -> None:
    until = time.monotonic() + seconds
    while left := [thread for thread in threading.enumerate() if thread.name == "kimono-page"]:
        assert time.monotonic() < until, left
        time.sleep(0.02)


INTERRUPTS = {
    "interrupt_main": _thread.interrupt_main,  # as Windows and some notebooks do: it wakes no lock
    "raise_signal": lambda: signal.raise_signal(signal.SIGINT),
    "kill": lambda: os.kill(os.getpid(), signal.SIGINT),
}


@pytest.mark.parametrize("interrupt", list(INTERRUPTS))
@pytest.mark.parametrize("how", ["slow", "busy", "trickle", "trickled head", "endless"])
def test_within_a_process_no_thread_is_left(how: str, interrupt: str, capsys: pytest.CaptureFixture[str]) -> None:
    with (
        StubbornServer(how) as server,
        kx.connect(server.url, token="t") as client,
        interrupting(lambda: server.caught.wait(10), INTERRUPTS[interrupt]) as moments,
    ):
        with pytest.raises(KeyboardInterrupt) as caught:
            kx.load_roster(client, page_size=10)
        assert time.monotonic() - moments[0] < BOUND
        no_thread_is_left()
        time.sleep(0.3)
        assert server.after(moments[0] + 0.05) == 0
    assert "resume=" in "".join(traceback.format_exception(caught.value))
    assert "persons stopped" in capsys.readouterr().err


def test_the_bar_of_an_interrupted_load_is_red(monkeypatch: pytest.MonkeyPatch) -> None:
    bars = []
    real = sys.modules["kimono_explore.progress"].tqdm

    def bar(*arguments: object, **options: object) -> object:
        bars.append(real(*arguments, **options))
        return bars[-1]

    monkeypatch.setattr("kimono_explore.progress.tqdm", bar)
    monkeypatch.setattr(Decoder, "add", interrupt_at("rostering/sections (page 2)"))
    with StubbornServer() as server, kx.connect(server.url, token="t") as client:
        with pytest.raises(KeyboardInterrupt):
            kx.load_roster(client, page_size=10)
        no_thread_is_left()
    shown = [bar for bar in bars if bar.total == 6]
    assert [bar.colour for bar in shown] == ["red"]
    assert "sections stopped" in shown[0].desc
    assert [getattr(bar, "colour", None) for bar in bars].count("red") == 1


def interrupt_at(where_to: str) -> Callable[..., None]:
    real = Decoder.add

    def add(self: Decoder, rows: object, where: str = "page") -> None:
        if where == where_to:
            raise KeyboardInterrupt
        real(self, rows, where)

    return add


@pytest.mark.parametrize("how", ["slow", "busy"])
def test_while_decoding_with_pages_under_way(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with StubbornServer(how) as server, kx.connect(server.url, token="t") as client:
        real = interrupt_at("rostering/persons (page 2)")

        def add(self: Decoder, rows: object, where: str = "page") -> None:
            if where == "rostering/persons (page 2)":
                assert server.caught.wait(10)
            real(self, rows, where)

        monkeypatch.setattr(Decoder, "add", add)
        with pytest.raises(KeyboardInterrupt) as caught:
            kx.load_roster(client, page_size=10, progress=False)
        ended = time.monotonic()
        no_thread_is_left()  # also while somebody holds the error, as a notebook does
        time.sleep(0.3)
        assert server.after(ended) == 0
    assert "resume=" in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("how", ["slow", "busy", "head"])
def test_while_a_token_is_fetched(how: str) -> None:
    with (
        StubbornServer(how, stubborn="oauth/token") as server,
        kx.connect(server.url, token_url=server.url + "/oauth/token", **SECRETS) as client,
        interrupting(lambda: server.caught.wait(10), _thread.interrupt_main) as moments,
    ):
        with pytest.raises(KeyboardInterrupt):
            kx.load(client, "persons", progress=False)
        assert time.monotonic() - moments[0] < BOUND
        no_thread_is_left()
        time.sleep(0.3)
        assert server.after(moments[0] + 0.05) == 0


def test_a_folder_is_free_again_after_an_interrupt(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    with (
        StubbornServer("slow") as server,
        kx.connect(server.url, token="t") as client,
        interrupting(lambda: server.caught.wait(10), _thread.interrupt_main),
    ):
        with pytest.raises(KeyboardInterrupt):
            kx.load_roster(client, page_size=10, progress=False, resume=folder)
        kept = {path: path.read_bytes() for path in folder.rglob("*.json")}
        time.sleep(0.3)
        assert {path: path.read_bytes() for path in folder.rglob("*.json")} == kept
        with saved_pages(folder, client.base_url, 10) as saved:
            assert saved is not None
            assert saved.get("rostering/persons", 0) is not None
