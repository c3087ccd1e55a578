"""A revision in a temporary worktree of its own, and processes that time a checkout, one of which runs at a time."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


class AgainstError(Exception):
    """Why two checkouts cannot be compared, in a sentence."""


def git(*arguments: str, check: bool = True) -> str:
    """What git prints, in this checkout. AgainstError if it fails."""
    command = ["git", "-C", str(ROOT), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise AgainstError("git was not found; bench.against needs it to check a revision out") from None
    if check and done.returncode:
        raise AgainstError(f"git {arguments[0]}: {done.stderr.strip() or f'exit status {done.returncode}'}")
    return done.stdout.strip()


def commit_of(revision: str) -> str:
    """The full hash of a revision."""
    git("rev-parse", "--git-dir")
    found = git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", check=False)
    if not found:
        raise AgainstError(f"{revision!r} is no revision of this repository; expected a commit, a branch or a tag")
    return found


@contextlib.contextmanager
def worktree(commit: str) -> Iterator[Path]:
    """A folder with the files of a commit; removed at the end, also after Ctrl-C."""
    try:
        with tempfile.TemporaryDirectory(prefix="fastnn-against-") as folder:
            path = Path(folder) / "old"
            git("worktree", "add", "--quiet", "--detach", str(path), commit)
            yield path
    finally:
        git("worktree", "prune", check=False)  # git's note of a worktree whose folder is gone


class Side:
    """A checkout in a process of its own that stands still unless it is asked.

    Standing still means stopped by a signal: threads that spin while they wait for work would take the cores of the
    side whose turn it is. Where there is no such signal they have fallen asleep after the untimed part of a turn.
    """

    def __init__(self, name: str, root: Path, threads: int):
        self.name = name
        environment = os.environ | {"NUMBA_NUM_THREADS": str(threads)}
        command = [sys.executable, str(ROOT / "bench" / "one_side.py"), str(root)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen(command, **pipes, text=True, cwd=root, env=environment)

    def ask(self, name: str, *arguments: Any) -> Any:
        """Call a method of `one_side.Checkout`. AgainstError if it fails or the process ends."""
        self._signal("SIGCONT")
        try:
            self._process.stdin.write(json.dumps([name, *arguments]) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise AgainstError(f"{self.name}: its process ended with status {self._process.wait()}")
        self._stop()
        answer = json.loads(line)
        if "error" in answer:
            raise AgainstError(f"{self.name}: {answer['error']}")
        return answer["ok"]

    def _stop(self) -> None:
        """Returns when the process stands still, or has ended."""
        self._signal("SIGSTOP")
        if hasattr(signal, "SIGSTOP") and hasattr(os, "waitid"):
            os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def _signal(self, name: str) -> None:
        if hasattr(signal, name) and self._process.poll() is None:
            self._process.send_signal(getattr(signal, name))

    def __enter__(self) -> "Side":
        return self

    def __exit__(self, *_) -> None:
        self._process.kill()  # also a process that stands still
        self._process.communicate()
