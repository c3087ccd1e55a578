"""What would not fit into memory is refused before any is taken."""

import numpy as np
import pytest

import fastnn as fn
from fastnn.common.errors import OutOfMemoryError
from fastnn.engine import available_memory
from fastnn.engine.memory import aligned_bytes
from tests.tiny import dense_model, python, two_threads

MEMINFO = "MemTotal: 900 kB\nMemFree: 1 kB\nMemAvailable:  500 kB\nSwapFree: 100 kB\n"


def files(root, **texts):
    for name, text in texts.items():
        path = root / name.replace("__", "/").replace("memory_", "memory.")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


V2 = {"proc__self__cgroup": "0::/a/b\n"}
V1 = {"proc__self__cgroup": "5:cpu:/x\n4:memory:/a\n"}
COLON = "sys__fs__cgroup__a:b__memory_"  # container runtimes name groups so
OWN, UPPER, OLD = "sys__fs__cgroup__a__b__memory_", "sys__fs__cgroup__a__memory_", "sys__fs__cgroup__memory__a__memory_"


@pytest.mark.parametrize(
    ("texts", "want"),
    [
        ({}, None),
        ({"proc__meminfo": MEMINFO}, 600 * 1024),
        ({"proc__meminfo": "nonsense\n", **V2}, None),
        ({"proc__meminfo": MEMINFO, **V2, OWN + "max": "max\n", OWN + "current": "9\n"}, 600 * 1024),
        ({"proc__meminfo": MEMINFO, **V2, OWN + "max": "5000\n", OWN + "current": "900\n"}, 4100),
        ({**V2, OWN + "max": "5000", OWN + "current": "900", OWN + "stat": "anon 7\ninactive_file 300\n"}, 4400),
        ({**V2, OWN + "max": "5000", OWN + "current": "9", UPPER + "max": "70", UPPER + "current": "60"}, 10),
        ({**V2, OWN + "max": "50", OWN + "current": "90"}, 0),
        ({"proc__self__cgroup": "0::/a:b\n", COLON + "max": "50", COLON + "current": "20"}, 30),
        ({**V1, OLD + "limit_in_bytes": "50", OLD + "usage_in_bytes": "20"}, 30),
    ],
)
def test_what_is_left(tmp_path, texts, want):
    files(tmp_path, **texts)
    assert available_memory.available_bytes(tmp_path) == want


@pytest.fixture
def _little(monkeypatch):
    """A process that may take one more megabyte."""
    monkeypatch.setattr(available_memory, "available_bytes", lambda: 1_000_000)
    monkeypatch.setattr(available_memory, "SMALL", 1000)


@pytest.mark.usefixtures("_little")
def test_a_request_says_what_it_takes_and_what_there_is():
    with pytest.raises(OutOfMemoryError, match=r"^it takes 2.0 MB of memory, and this process may take 1.0 MB more$"):
        aligned_bytes(2_000_000, "it")
    assert len(aligned_bytes(900_000)) == 900_000
    with pytest.raises(OutOfMemoryError, match=r"a block of arrays \(dense.w \(1000, 500\) and others\) takes 2.1 MB"):
        fn.Sequential([fn.Dense(500), fn.Dense(3)], input_shape=1000)
    fn.Sequential([fn.Dense(450)], input_shape=450)  # 0.9 MB: drawn without a copy in float64, which would not fit


@pytest.mark.usefixtures("_little")
def test_a_batch_or_a_prediction_that_does_not_fit():
    x, y = np.zeros((100_000, 5)), np.zeros(100_000, int)
    with pytest.raises(OutOfMemoryError, match=r"a step \(values \(\d+, \d+\) and others\) takes .* MB of memory"):
        dense_model().fit(x, y, batch_size=None, verbose=False)
    with pytest.raises(OutOfMemoryError, match=r"what is predicted of 100,000 samples takes 1.2 MB"):
        dense_model().predict(x)


@two_threads
@pytest.mark.usefixtures("_little")
def test_a_training_of_which_each_part_would_fit(monkeypatch):
    """The sum is refused before the first step, with what takes less."""
    model = fn.Sequential([fn.Dense(200)], input_shape=200)
    x, y, begun = np.zeros((50, 200)), np.zeros(50, int), []

    class Begun(fn.Callback):
        def on_train_begin(self, run):
            begun.append(run.memory.coming)

    with pytest.raises(OutOfMemoryError, match=r"^this training \(copies 0.5 MB, optimizer 0.3 MB, .*; .*fewer units"):
        model.fit(x, y, batch_size=10, verbose=False, callbacks=[Begun()])
    assert begun == []
    with pytest.raises(OutOfMemoryError, match=r"a copy of x and y takes 4.8 MB .*; a stream such as fn.H5Stream"):
        model.fit(np.zeros((3000, 200), np.float16), np.zeros(3000, int), optimizer="sgd", verbose=False)
    model.fit(x, y, optimizer="sgd", batch_size=10, verbose=False, callbacks=[Begun()])
    assert len(begun) == 1
    assert begun[0] < 1_000_000


def test_where_nothing_is_known_numpy_decides(monkeypatch):
    monkeypatch.setattr(available_memory, "available_bytes", lambda: None)
    monkeypatch.setattr(available_memory, "SMALL", 0)
    assert len(aligned_bytes(100)) == 100


@pytest.mark.skipif(available_memory.available_bytes() is None, reason="this system does not say what memory there is")
def test_a_layer_of_a_trillion_weights_is_refused_at_once():
    code = """
import fastnn as fn
from fastnn.experiment.machine import peak_memory_mb
before = peak_memory_mb()
try:
    fn.Sequential([fn.Dense(10**6)], input_shape=10**6)
except MemoryError as error:
    print(error, peak_memory_mb() - before < 20)
"""
    printed = python(code)
    assert printed.startswith("a block of arrays (dense.w (1000000, 1000000) and others) takes 4,000.0 GB of ")
    assert printed.endswith("less True\n")
