"""The kernels of pytest-benchmark's JSON files as a table: time, GFLOP/s, GB/s, and shares of the machine's limits."""

import statistics
from collections import defaultdict
from typing import Any

from bench.rows import duration

COLUMNS = ("kernel", "sizes", "dtype", "threads", "time", "GFLOP/s", "GB/s", "of the limit", "of a hot tile")
ABSENT = "–"

Infos = list[dict[str, Any]]


def kernel_rows(infos: Infos) -> list[dict[str, Any]]:
    """One row a kernel, size, dtype and number of threads, in the order of the files; of several runs the medians."""
    found = defaultdict(list)
    for info in infos:
        if "kernel" in info and "us" in info:
            found[info["kernel"], info["sizes"], info["dtype"], info["threads"], info["library"]].append(info)
    return [_merged(alike) for alike in found.values()]


def _merged(infos: Infos) -> dict[str, Any]:
    figures = {name for info in infos for name, value in info.items() if isinstance(value, float)}
    medians = {name: statistics.median(info[name] for info in infos if name in info) for name in figures}
    return infos[-1] | medians


def kernel_table(rows: list[dict[str, Any]]) -> list[str]:
    """Markdown: a line a row."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|"]
    return lines + ["| " + " | ".join(_cells(row)) + " |" for row in rows]


def _cells(row: dict[str, Any]) -> list[str]:
    name = f"`{row['kernel']}`" + ("" if row["library"] == "fastnn" else f", {row['library']}")
    sizes = f"{row['sizes']} ({'×'.join(map(str, row['shape']))})"
    rates = [_figure(row.get(unit), "{:.3g}") for unit in ("GFLOP/s", "GB/s")]
    shares = [_figure(row.get(share), "{:.0f} %") for share in ("% of limit", "% of tile")]
    return [name, sizes, row["dtype"], str(row["threads"]), duration(row["us"]), *rates, *shares]


def _figure(value: float | None, pattern: str) -> str:
    return ABSENT if value is None else pattern.format(value)


def kernel_legend(processor: str) -> list[str]:
    return [
        "The fastest round of each kernel, compiled before. GB/s: what it must read and write. The limit is that of"
        " multiply-adds in registers where there are GFLOP/s, else the bandwidth of the cache or memory that holds the"
        " operands; a hot tile is a product on operands in the first cache.",
        f"{processor}; {ABSENT} does not apply, or was not measured.",
    ]
