"""Ctrl-C and SIGTERM while the command imports what it needs, before it can catch anything."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from fastnn._interruption import end_quietly
from fastnn.cli import commands, main

STUB = "import os, signal, time\nsignal.raise_signal(signal.SIG{})\ntime.sleep(60)\n"
HANDLED = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a background job ignores it
SCRIPT = "import sys\nfrom fastnn.cli import script\nsys.exit(script())\n"
NUMBERS, HANDLERS = (signal.SIGINT, signal.SIGTERM), (signal.default_int_handler, signal.SIG_DFL)
ENDS = {"INT": (130, b"fastnn: interrupted\n"), "TERM": (143, b"")}


def ended(tmp_path, command, name):
    """Exit status and stderr of the command, where the import of Numba sends a signal."""
    (tmp_path / "sitecustomize.py").write_text(HANDLED, "utf-8")
    (tmp_path / "numba.py").write_text(STUB.format(name), "utf-8")
    (tmp_path / "fastnn").write_text(SCRIPT, "utf-8")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, sys.path)])}
    done = subprocess.run([sys.executable, *command], env=environment, capture_output=True, cwd=tmp_path, timeout=50)
    return done.returncode, done.stderr


@pytest.mark.parametrize("name", ENDS)
@pytest.mark.parametrize("command", [["-m", "fastnn"], ["-mfastnn"], ["-Wdefault", "-m", "fastnn", "list"], ["fastnn"]])
def test_while_it_imports(tmp_path, command, name):
    assert ended(tmp_path, command, name) == ENDS[name]


@pytest.mark.parametrize("command", [["-c", "import fastnn"], ["-c", "import fastnn", "fastnn"]])
def test_a_program_that_imports_fastnn_gets_its_own_keyboard_interrupt(tmp_path, command):
    status, err = ended(tmp_path, command, "INT")
    assert status not in (0, 130)
    assert b"KeyboardInterrupt" in err


@pytest.mark.parametrize("ends", [None, ValueError("wrong"), KeyboardInterrupt(), SystemExit(143)])
def test_a_program_that_calls_main_gets_its_own_handlers_back(monkeypatch, ends):
    """Also those that `end_quietly` has set for the command, in which Ctrl-C is to raise meanwhile."""
    seen = []

    def command(**rest):
        seen.extend(map(signal.getsignal, NUMBERS))
        if ends is not None:
            raise ends

    monkeypatch.setattr(commands.fastnn, "main", command)
    first = [signal.signal(number, handler) for number, handler in zip(NUMBERS, HANDLERS, strict=True)]
    try:
        end_quietly()
        before = [signal.getsignal(number) for number in NUMBERS]
        with contextlib.suppress(SystemExit):
            main(["list"])
        assert [signal.getsignal(number) for number in NUMBERS] == before
    finally:
        for number, handler in zip(NUMBERS, first, strict=True):
            signal.signal(number, handler)
    assert seen[0] is signal.default_int_handler
    assert seen[1] not in before


class Finalized:
    """Sends a signal to this process while it is finalized, where Python drops exceptions."""

    def __init__(self, number):
        self.number = number

    def __del__(self):
        signal.raise_signal(self.number)


@pytest.mark.parametrize(("name", "status"), [("INT", 130), ("TERM", 143)])
def test_where_python_drops_exceptions(monkeypatch, capsys, name, status):
    def command(**rest):
        Finalized(signal.Signals[f"SIG{name}"])
        for _ in range(2000):
            time.sleep(0.01)
        raise AssertionError("the signal is lost")

    monkeypatch.setattr(commands.fastnn, "main", command)
    before = sys.unraisablehook
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore Ctrl-C
    try:
        assert main(["list"]) == status
    except SystemExit as ends:
        assert ends.code == status  # noqa: PT017
    finally:
        signal.signal(signal.SIGINT, handler)
    assert capsys.readouterr().err.encode() == ENDS[name][1]
    assert sys.unraisablehook is before


def test_main_in_a_thread_sets_no_handler(capsys):
    statuses = []
    thread = threading.Thread(target=lambda: statuses.append(main(["list"])))
    thread.start()
    thread.join()
    assert statuses == [0]
    assert "trigram" in capsys.readouterr().out
