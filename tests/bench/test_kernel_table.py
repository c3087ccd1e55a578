"""The report's table of kernels, and the report of a run that has kernels and steps alone."""

import json
import sys

import pytest

from bench import report
from bench.kernel_table import kernel_rows, kernel_table

MATMUL = {"kernel": "matmul", "sizes": "moons", "shape": [32, 16, 16], "library": "fastnn", "dtype": "float32"}
MATMUL |= {"threads": 1, "us": 0.5, "GFLOP/s": 32.77, "GB/s": 10.0, "% of limit": 31.6, "% of tile": 40.0}
ZERO = {"kernel": "zero", "sizes": "small", "shape": [1000], "library": "fastnn", "dtype": "float32"}
ZERO |= {"threads": 2, "us": 1700.0, "GB/s": 2.3456, "% of limit": 5.4}
STEP = {"system": "moons", "steps a round": 10, "threads": 2, "fastnn us": 12.345}


def test_a_line_a_kernel():
    assert kernel_table(kernel_rows([MATMUL, ZERO, STEP]))[2:] == [
        "| `matmul` | moons (32×16×16) | float32 | 1 | 0.5 µs | 32.8 | 10 | 32 % | 40 % |",
        "| `zero` | small (1000) | float32 | 2 | 1.7 ms | – | 2.35 | 5 % | – |",
    ]


def test_of_several_runs_the_medians():
    runs = [MATMUL | {"us": us, "% of tile": share} for us, share in ((1.0, 10.0), (2.0, 30.0), (9.0, 20.0))]
    (row,) = kernel_rows(runs)
    assert (row["us"], row["% of tile"], row["sizes"]) == (2.0, 20.0, "moons")


def test_another_library_has_a_line_of_its_own():
    lines = kernel_table(kernel_rows([MATMUL, MATMUL | {"library": "NumPy", "us": 0.7}]))
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| `matmul`", "| `matmul`, NumPy"]


def test_kernels_that_were_not_timed_have_no_line():
    assert kernel_rows([{name: value for name, value in ZERO.items() if name != "us"}]) == []


def printed(monkeypatch, tmp_path, infos, *options):
    path = tmp_path / "results.json"
    path.write_text(json.dumps({"machine_info": {}, "benchmarks": [{"extra_info": info} for info in infos]}), "utf-8")
    monkeypatch.setattr(sys, "argv", ["report", str(path), *options])
    report.main()


def test_a_report_of_fastnn_alone(monkeypatch, tmp_path, capsys):
    printed(monkeypatch, tmp_path, [ZERO, STEP])
    out = capsys.readouterr().out
    assert "| `moons` | 12.3 µs |" in out
    assert "| `zero` | small" in out


@pytest.mark.parametrize("options", [[], ["--chart", "x.png"]])
def test_a_report_of_nothing(monkeypatch, tmp_path, capsys, options):
    with pytest.raises(SystemExit):
        printed(monkeypatch, tmp_path, [{"seconds": 1.0}], *options)
    assert "with --benchmark-only" in capsys.readouterr().err
