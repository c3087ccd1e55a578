"""Each call that writes a file fails in turn: the old or the new content is whole, and one line said what was wrong.

    python -m tests.proofs.faults --size 1000 --seed 0

In the manner of SQLite's tests. A small library, `faults.c`, is compiled and preloaded; it counts what a command asks
of the system below a folder (open, write, fsync, rename, close and such) and lets call number K fail once, or fail
with all after it, or kills the process right before it. This is done for each K (or `--size` of them, drawn, of each
kind and way) for all that writes files. Each time is looked at: the old or the new content is whole; the error was one
line with status 2, or none where the new content is there; and the same command given again brings the new content,
and leaves no file but its own.
"""

import argparse
import array
import contextlib
import errno
import json
import mmap
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from fastnn.common.errors import FileFormatError
from fastnn.common.files import name_of_temporary

SOURCE = Path(__file__).with_name("faults.c")
ONCE, FROM_THEN_ON, KILL = range(3)
WAYS = {"once": ONCE, "from then on": FROM_THEN_ON, "kill": KILL}
ERRORS = (errno.ENOSPC, errno.EIO)


def compiler():
    """The C compiler of this machine, None without one."""
    return next(filter(None, (shutil.which(name) for name in ("cc", "gcc", "clang"))), None)


def build(folder):
    """The compiled library."""
    library = folder / "faults.so"
    subprocess.run([compiler(), "-O1", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"], check=True)
    return library


def prove(kinds, size, seed, ways=tuple(WAYS)):
    """[(kind, calls, faults, failures as texts)], found by a Python of its own into which the library is preloaded.

    kinds : names of `fault_kinds.KINDS`. size : most faults of each kind and way.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve()
        state = folder / "state"
        state.write_bytes(bytes(6 * 4))
        (folder / "files").mkdir()
        preloaded = {"LD_PRELOAD": str(build(folder)), "FAULTS": str(state), "FAULTS_BELOW": f"{folder}/files/"}
        asked = json.dumps([str(folder), list(kinds), size, seed, list(ways)])
        subprocess.run(
            [sys.executable, "-m", "tests.proofs.faults", "--inside", asked],
            env=os.environ | preloaded | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            check=True,
        )
        return json.loads((folder / "found").read_text("utf-8"))


class Disk:
    """The numbers that the library reads: `faulty` sets them for a block."""

    def __init__(self, path):
        with open(path, "r+b") as file:
            self._numbers = memoryview(mmap.mmap(file.fileno(), 0)).cast("i")

    @contextlib.contextmanager
    def faulty(self, number=-1, way=ONCE, error=errno.EIO):
        """In the block call `number` fails; −1: none. Yields a function that gives (calls, failed calls) so far."""
        never = 2**31 - 1
        self._numbers[:] = array.array("i", [1, 0, never if number < 0 else number, way, error, 0])
        try:
            yield lambda: (self._numbers[1], self._numbers[5])
        finally:
            self._numbers[0] = 0


def outcome(act, folder, output):
    """The status with which a forked process ends that calls `act(folder)`; what it says is in the file `output`."""
    from tests.proofs.kills import end_of, in_child

    return end_of(in_child(lambda: act(folder), output), 60)


class Proof:
    """One kind of writing on a disk that fails."""

    def __init__(self, name, kind, folder, disk):
        self.name, self.kind, self.disk = name, kind, disk
        self.template, self.place = folder / f"{name} template", folder / "files" / name
        self.output = folder / "output"
        self.template.mkdir()
        kind.old(self.template)
        self.old = kind.bits(self.template)
        self._renew()
        with disk.faulty() as count:
            assert outcome(kind.act, self.place, self.output) == 0, self.output.read_text("utf-8")
            self.calls, _ = count()
        self.new, self.names = kind.bits(self.place), self._found()
        assert self.old != self.new

    def _renew(self):
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.copytree(self.template, self.place)

    def _found(self):
        return sorted(path.relative_to(self.place).as_posix() for path in self.place.rglob("*"))

    def _is_whole(self, status):
        """Whether the folder holds the new content, or after an error the old one, or less, of which one is told.

        Less: a set of files without its last one, which is refused by name, as old and new files would fit together;
        and a sweep's table with some of its new rows, which are trials that had ended. It is looked at after
        `recover`, as every next command does that first: a killed run may lie beside its final name, but is not lost.
        """
        self.kind.recover(self.place)
        try:
            found = self.kind.bits(self.place)
        except FileFormatError as error:
            return bool(status) and self.kind.may_lack in str(error)
        return found == self.new or (bool(status) and self.kind.is_old(found, self.old, self.new))

    def _temporaries(self):
        """What a writer that was killed leaves beside a file of the user's own: hidden, and in nobody's way."""
        return {name for name in self._found() if name_of_temporary(Path(name).name)}

    def fault(self, number, way, error):
        """AssertionError unless all is well after this fault, and after the command that comes next."""
        self._renew()
        with self.disk.faulty(number, WAYS[way], error) as count:
            status = outcome(self.kind.act, self.place, self.output)
            _, failed = count()
        said = self.output.read_text("utf-8")
        assert failed, "the call was not reached"
        assert status in ((-signal.SIGKILL,) if way == "kill" else (0, 2)), f"status {status}: {said[-600:]}"
        told = [line for line in said.splitlines() if line.startswith("fastnn: ")]
        for word in ("Traceback", "Exception ignored", "Error:"):
            assert word not in said, said[-600:]
        assert len(told) == (status == 2), f"{len(told)} lines of an error, status {status}: {said[-600:]}"
        assert self._is_whole(status), "neither the old nor the new content is whole"
        status = outcome(self.kind.act, self.place, self.output)
        assert status == 0, f"the next command ends with {status}: {self.output.read_text('utf-8')[-600:]}"
        assert self.kind.bits(self.place) == self.new, "the next command brings something else"
        left = set(self._found()) - (self._temporaries() if way != "once" and self.kind.is_alone else set())
        assert left == set(self.names), f"left: {sorted(left ^ set(self.names))}"


def inside(folder, kinds, size, seed, ways):
    """What `prove` returns, in the process that has the library."""
    from tests.proofs.fault_kinds import KINDS

    disk = Disk(folder / "state")
    for name in kinds:
        with KINDS[name]() as kind:
            proof, count, failures = Proof(name, kind, folder, disk), 0, []
            for way in ways:
                drawn = random.Random(f"{seed} {name} {way}")
                for number in sorted(drawn.sample(range(proof.calls), min(size, proof.calls))):
                    error = drawn.choice(ERRORS)
                    count += 1
                    try:
                        proof.fault(number, way, error)
                    except Exception as failure:
                        what = f"{type(failure).__name__}: {failure}"
                        failures.append(f"{name}, call {number} {way}, {os.strerror(error)}: {what}")
        yield name, proof.calls, count, failures


def report(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=1000, help="most faults of each kind and way")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", action="append", help="again for a further one; all if not given")
    parser.add_argument("--way", choices=WAYS, action="append", help="again for a further one; all if not given")
    parser.add_argument("--inside", help=argparse.SUPPRESS)  # asked of the process that has the library
    given = parser.parse_args(arguments)
    if given.inside:
        folder, *asked = json.loads(given.inside)
        Path(folder, "found").write_text(json.dumps(list(inside(Path(folder), *asked))), "utf-8")
        return 0
    if compiler() is None:
        print("no C compiler: nothing was tried")
        return 2
    from tests.proofs.fault_kinds import KINDS

    total, failed = 0, []
    for name in given.kind or KINDS:
        for kind, calls, count, failures in prove([name], given.size, given.seed, given.way or tuple(WAYS)):
            print(f"{kind:<12} {calls:4} calls, {count:5} faults, {len(failures)} failures", flush=True)
            total, failed = total + count, failed + failures
    print(*failed, f"{total} faults, {len(failed)} failures", sep="\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(report())
