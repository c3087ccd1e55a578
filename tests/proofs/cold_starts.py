"""Many processes that compile into one empty cache folder at once: none crashes, all get it right.

    python -m tests.proofs.cold_starts --size 10 --processes 32

Each round begins with an empty folder. All processes train the same small net; all must end with the same bits, and
afterwards each file of the folder is whole: a further process compiles nothing. Each function is compiled once, by one
of them. No test of the suite does this in small: 32 processes are too many for it.
"""

import argparse
import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

from fastnn_kernels._compile.claims import LOCK
from tests.tiny import environment

TRAIN = """
import hashlib
from fastnn_kernels._compile.cache import cache_folder
from tests.tiny import bits, fit, tiny_model
before = len(list(cache_folder().glob("*.bin")))
found = bits(fit(tiny_model(), epochs=1).parameters)
digest = hashlib.sha256(b"".join(found[name] for name in sorted(found))).hexdigest()
print(digest, before, len(list(cache_folder().glob("*.bin"))))
"""


def started(cache):
    return subprocess.Popen(
        [sys.executable, "-c", TRAIN],
        env=environment(FASTNN_CACHE_DIR=str(cache)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process):
    """(digest of the weights, functions in the cache before, after); AssertionError for a crash or any noise."""
    out, err = process.communicate(timeout=1200)
    assert process.returncode == 0, f"exit {process.returncode}: {err[-1000:]}"
    assert err == "", err
    digest, before, after = out.split()
    return digest, int(before), int(after)


def is_file_whole(path):
    content = path.read_bytes()
    return hashlib.sha256(content[32:]).digest() == content[:32]


def prove(processes):
    """One round; the number of compiled functions. AssertionError for whatever is wrong."""
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder)
        found = [ended(process) for process in [started(cache) for _ in range(processes)]]
        assert len({digest for digest, _, _ in found}) == 1, "processes differ"
        files = [path for path in cache.rglob("*") if path.is_file() and path.name != LOCK]
        assert files, "nothing was kept"
        assert all(path.suffix == ".bin" and is_file_whole(path) for path in files), "a file is not whole"
        digest, before, after = ended(started(cache))
        assert (digest, before) == (found[0][0], after) == (digest, len(files)), "a warm process compiled again"
    return len(files)


def report(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=10, help="rounds")
    parser.add_argument("--processes", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0, help="unused: chance is the system's")
    given = parser.parse_args(arguments)
    failed = 0
    for number in range(given.size):
        try:
            print(f"round {number}: {given.processes} processes, {prove(given.processes)} functions", flush=True)
        except AssertionError as failure:
            failed += 1
            print(f"round {number}: {failure}", flush=True)
    print(f"{given.size * given.processes} cold starts, {failed} rounds failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(report())
