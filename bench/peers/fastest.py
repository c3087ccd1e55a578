"""The fastest form of a peer on a system, found by trying each, after its losses have been compared with fastnn's."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.interleave import in_turns
from bench.peers import Absent, Form, Peer
from bench.peers.process import Remote, own_process
from bench.system import System

Check = Callable[[list[float]], None]


@dataclass(frozen=True)
class Found:
    """The fastest form, ready to be timed; and of each form tried how long a step took, or why it took none.

    tried  name of the form -> seconds, or a reason
    """

    remote: Remote
    tried: dict[str, float | str]


@contextlib.contextmanager
def fastest(peer: Peer, system: System, check: Check) -> Iterator[Found]:
    """`check` gets the losses of the first `system.checked` steps of each form, and fails if they are wrong.

    Absent, with the reasons, if there is no form of the peer that can do the system.
    """
    peer.version()
    with contextlib.ExitStack() as own, contextlib.ExitStack() as others:
        ready, absent = _started(others, peer, system, check)
        if not ready:
            raise Absent("; ".join(dict.fromkeys(absent.values())))
        seconds = in_turns({name: remote for name, (remote, _) in ready.items()}, system.checked)
        remote, process = ready[min(seconds, key=seconds.__getitem__)]
        own.push(process.pop_all())
        others.close()
        yield Found(remote, seconds | absent)


Started = tuple[Remote, contextlib.ExitStack]  # and its process, which ends when this is closed


def _started(
    processes: contextlib.ExitStack, peer: Peer, system: System, check: Check
) -> tuple[dict[str, Started], dict[str, str]]:
    """The forms that can do the system, each checked and started in a process of its own; why the others cannot."""
    ready, absent = {}, {}
    for form in peer.forms:
        process = processes.enter_context(contextlib.ExitStack())
        try:
            ready[form.name] = _ready(process, peer, form, system, check), process
        except Absent as reason:
            absent[form.name] = str(reason)
    return ready, absent


def _ready(process: contextlib.ExitStack, peer: Peer, form: Form, system: System, check: Check) -> Remote:
    remote = Remote(process.enter_context(own_process(form.environment)), peer, form, system)
    check(remote.losses(system.checked))
    remote.start()
    return remote
