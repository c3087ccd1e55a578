"""How the fastest form of a peer is found, and that each peer's own forms train as fastnn does."""

import multiprocessing
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import fastnn as fn
from bench import instructions, interleave, simplechains, systems
from bench.peers import PEERS, Absent
from bench.peers.fastest import fastest
from bench.peers.process import Remote, own_process
from tests.bench.fake_peer import form, peer
from tests.kernels.cases import needs_jit

SYSTEM = systems.MOONS  # a fake peer takes no notice of it


def agrees(losses):
    np.testing.assert_array_equal(losses, np.arange(1, len(losses) + 1))


SECONDS = {"slow": 3.0, "plain": 1.0, "again": 2.0, "wrong": 1.0}


@pytest.fixture(autouse=True)
def known_times(monkeypatch):
    """Seconds a step are said by the form's name, not by a clock; each form must have made a step."""

    def in_turns(remotes, probe):
        assert all(remote.seconds(1) >= 0 for remote in remotes.values())
        return {name: SECONDS[name] for name in remotes}

    monkeypatch.setattr("bench.peers.fastest.in_turns", in_turns)


def test_the_fastest_form_is_kept():
    with fastest(peer(form("slow"), form(), form("again")), SYSTEM, agrees) as found:
        assert found.remote.form.name == "plain"
        assert found.remote.losses(2) == [1.0, 2.0]
    assert found.tried == {"slow": 3.0, "plain": 1.0, "again": 2.0}


def test_a_form_that_is_absent_is_passed_over_and_its_reason_kept():
    with fastest(peer(form("absent"), form()), SYSTEM, agrees) as found:
        assert found.remote.form.name == "plain"
    assert found.tried["absent"] == "cannot do it"


def test_a_form_with_other_losses_is_an_error():
    with pytest.raises(AssertionError), fastest(peer(form(), form("wrong")), SYSTEM, agrees):
        pass


@pytest.mark.parametrize("package", ["numpy", "no_such_package"])
def test_a_peer_without_a_form_that_can_is_absent(package):
    want = "cannot do it" if package == "numpy" else "no_such_package is not installed"
    none = peer(form("absent"), form("absent", "too"), package=package)
    with pytest.raises(Absent, match=f"^{want}$"), fastest(none, SYSTEM, agrees):
        pass


def test_the_processes_end():
    before = children()
    with fastest(peer(form("slow"), form()), SYSTEM, agrees):
        assert len(children() - before) == 1  # the fastest one's
    assert children() <= before


def children():
    return {process.pid for process in multiprocessing.active_children()}


def test_forms_are_timed_in_turns_and_what_is_far_behind_once(monkeypatch):
    calls = []
    costs = {"a": 1.0, "b": 9.0, "c": 1.5}

    def turn(name, steps):
        calls.append(name)
        return costs[name]

    monkeypatch.setattr(interleave, "_turn", turn)
    monkeypatch.setattr(interleave, "steps_a_turn", lambda run, probe: 1)
    assert interleave.in_turns({name: name for name in costs}, probe=1, rounds=3) == costs
    assert calls == ["a", "b", "c", "a", "c", "a", "c"]


def test_a_form_has_its_own_variables():
    one = form(FAKE_FIRST_LOSS="3")
    with own_process(one.environment) as pool:
        assert Remote(pool, peer(one), one, SYSTEM).losses(2) == [3.0, 4.0]
    assert "FAKE_FIRST_LOSS" not in os.environ


def test_flags_for_xla_are_added_to_those_that_are_set(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--one")
    with own_process({"XLA_FLAGS": "--two"}) as pool:
        assert pool.submit(os.getenv, "XLA_FLAGS").result() == "--one --two"
    assert os.environ["XLA_FLAGS"] == "--one"


@needs_jit
@pytest.mark.parametrize("system", [systems.MATRIX_EXPONENTIAL, systems.LENET5, systems.MOONS], ids=lambda one: one.id)
@pytest.mark.parametrize("one", PEERS, ids=lambda one: one.name)
def test_a_peer_trains_as_fastnn_does(one, system):
    """Its first form; the benchmark checks all of them on all systems."""
    _, ours = systems.fastnn_runner(system, shuffle=False)
    form = one.forms[0]
    try:
        one.version()
        with own_process(form.environment) as pool:
            got = Remote(pool, one, form, system).losses(system.checked)
    except Absent as reason:
        pytest.skip(str(reason))
    np.testing.assert_allclose(got, ours(system.checked), rtol=system.rtol)


@needs_jit
@pytest.mark.parametrize("system", [systems.MATRIX_EXPONENTIAL, systems.LENET5], ids=lambda one: one.id)
def test_the_check_of_losses_notices_a_learning_rate_5_per_cent_off(system):
    other = replace(system, optimizer=fn.Adam(1.05 * system.optimizer.lr))
    losses, others = (systems.fastnn_runner(one, shuffle=False)[1](system.checked) for one in (system, other))
    assert np.abs(others / losses - 1).max() > 2 * system.rtol


def test_the_networks_of_simplechains_have_the_published_sizes():
    assert systems.parameters(systems.LENET5.model()) == 44_426
    assert systems.parameters(systems.MATRIX_EXPONENTIAL.model()) == 4 * 32 + 32 + 32 * 16 + 16 + 16 * 4 + 4


def test_core_milliseconds_are_put_beside_the_published_ones(monkeypatch):
    monkeypatch.setattr("numba.get_num_threads", lambda: 2)
    got = simplechains.lines("a pass", 576e-6, simplechains.PASS)
    assert got[1] == "  fastnn, 2 threads: 576 us = 1.152 core-ms"
    assert got[2].endswith("32 cores: 72 us = 2.304 core-ms, 2.00 x fastnn's")


def test_the_names_of_forms_differ():
    for one in PEERS:
        names = [form.name for form in one.forms]
        assert len(set(names)) == len(names)


def test_instructions_are_held_to_avx2():
    code = "import os; print(os.environ['XLA_FLAGS'], os.environ['NUMBA_CPU_NAME'])"
    command = [sys.executable, "-m", "bench.instructions", sys.executable, "-c", code]
    done = subprocess.run(command, env=os.environ | {"XLA_FLAGS": "--mine"}, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["--mine", "--xla_cpu_max_isa=AVX2", "znver3"]


def test_code_for_avx2_has_a_cache_of_its_own_for_torch_compile():
    held = instructions.held({"TORCHINDUCTOR_CACHE_DIR": "everyday"})
    assert held["TORCHINDUCTOR_CACHE_DIR"] != "everyday"
    assert Path(held["TORCHINDUCTOR_CACHE_DIR"]).is_absolute()


def test_instructions_without_a_command_are_lines_for_a_shell():
    done = subprocess.run([sys.executable, "-m", "bench.instructions"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"export {name}={value}" for name, value in instructions.AVX2.items()]
