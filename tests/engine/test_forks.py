"""Children that are forked while another thread compiles."""

import os

import pytest

from tests.tiny import jit_only, python

CHILD = """
import os, threading, time, warnings
import fastnn.engine.program
from numba.core.compiler_lock import global_compiler_lock

warnings.simplefilter("ignore")  # of forking with threads
begun, ended = threading.Event(), []

def compiles():
    with global_compiler_lock:
        begun.set()
        time.sleep(0.5)
        ended.append(True)

thread = threading.Thread(target=compiles)
thread.start()
begun.wait(100)
child = os.fork()
if not child:
    got = global_compiler_lock._lock.acquire(timeout=10)
    os._exit(7 if got and ended else 8)
print("child", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
thread.join()
for _ in range(2):  # the parent may compile, too, and in any thread
    thread = threading.Thread(target=compiles)
    thread.start()
    thread.join(100)
print("parent", len(ended))
"""


@jit_only
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_a_fork_waits_for_what_another_thread_compiles():
    """Else the child waits for ever for the lock of a thread that it does not have."""
    assert python(CHILD).split() == ["child", "7", "parent", "3"]
