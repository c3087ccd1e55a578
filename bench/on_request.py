"""What a run of `pytest --benchmark-only` times by itself, what only on request, and when it has timed nothing.

By itself it times fastnn alone: every kernel, and the step of every system. Rows that take longer bear one of the
markers below and are chosen with `-m`, or by their full id.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

MARKERS = ("peers", "trainings", "start")
RAN = ("passed", "failed", "error", "xfailed", "xpassed")


def is_chosen(keywords: Collection[str], expression: str, arguments: Iterable[str]) -> bool:
    """Whether a row runs, of which these are the keywords, where `-m expression` and these arguments were given."""
    asked = bool(expression) or any("::" in argument for argument in arguments)
    return asked or not any(marker in keywords for marker in MARKERS)


def nothing_timed(stats: Mapping[str, Sequence]) -> str:
    """Why no row of a run was timed, in a sentence; "" if one was. `stats`: reports by outcome, as pytest has them."""
    if any(stats.get(outcome) for outcome in RAN):
        return ""
    if skipped := stats.get("skipped", ()):
        reasons = "; ".join(dict.fromkeys(_reason(report) for report in skipped))
        return f"Nothing was timed: all {len(skipped)} benchmarks were skipped ({reasons})."
    if left_out := stats.get("deselected", ()):
        choices = ", ".join(f"-m {marker}" for marker in MARKERS)
        return f"Nothing was timed: all {len(left_out)} benchmarks were deselected; some run on request: {choices}."
    return ""


def _reason(report) -> str:
    """Of a skipped test; its `longrepr` is (path, line, reason)."""
    return str(report.longrepr[-1]).removeprefix("Skipped: ")
