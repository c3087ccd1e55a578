"""The report of a run: one HTML file that opens from disk, with its pictures inside, no script and no network."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from fastnn.common.files import atomic_path
from fastnn.common.text import SPLITS, metric_name, metric_text
from fastnn.experiment.html import page, picture, section, table

NAME = "report.html"

Picture = tuple[str, str]  # the file's name in the run's folder, the caption
Table = tuple[str, Sequence[str], Sequence[Sequence[Any]]]  # title, header, rows


def write(
    folder: str | Path,
    summary: Mapping[str, Any],
    pictures: Iterable[Picture] = (),
    tables: Iterable[Table] = (),
) -> Path:
    """Write folder/report.html from a run's summary (see `summary.json`), its pictures and further tables.

    pictures  (name of a PNG file in `folder`, caption), in the order in which they are shown
    tables    (title, header, rows); numbers are written with a few digits, all else as text

    Returns the file's path. It is there whole or not at all. Every text is escaped, so words of a vocabulary or a
    file's name may hold any sign. FileFormatError if a picture is missing or no PNG, or the file cannot be written;
    ValueError if a table's row is not as long as its header.
    """
    folder = Path(folder)
    body = [
        _heading(summary),
        _figures(summary),
        _runs(summary),
        *(section(title, table(header, rows)) for title, header, rows in tables),
        _pictures(folder, pictures),
        _reproduction(summary),
    ]
    text = page(f"{summary['id']}: a run of fastnn", body)
    path = folder / NAME
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="replace")  # a path may hold bytes that are no text
    return path


def _heading(summary: Mapping[str, Any]) -> str:
    """What was trained, on what, and how it ended."""
    samples = ", ".join(f"{count:,} {SPLITS.get(part, part)}" for part, count in (summary.get("samples") or {}).items())
    source = "generated data" if _is_generated(summary) else f"the data of {summary.get('data')}"
    told = f"Trained on {source}{f' ({samples} samples)' if samples else ''}. {_ended(summary)}"
    lines = [f"<h1>{escape(str(summary['id']))}</h1>"]
    if summary.get("title"):
        lines.append(f'<p class="lead">{escape(str(summary["title"]))}</p>')
    lines.append(f"<p>{escape(told)}</p>")
    if summary.get("quick"):
        lines.append("<p>A quick run, smaller than the system's own: it shows that all works, not how well.</p>")
    if _is_generated(summary):
        lines.append(
            '<p class="generated"><strong>Generated data.</strong> A stand-in made by fastnn, not the data of the '
            "report: figures on it cannot be compared with the report's one to one.</p>"
        )
    return "<header>\n" + "\n".join(lines) + "\n</header>"


def _is_generated(summary: Mapping[str, Any]) -> bool:
    return summary.get("data") == "generated"


def _ended(summary: Mapping[str, Any]) -> str:
    """How long it trained and why it ended, as a sentence; of a comparison, which of its runs was chosen."""
    parts = [f"Status: {summary.get('status', 'unknown')}"]
    if any(run["label"] == summary.get("chosen") for run in summary.get("runs") or []):
        parts.append(f"chosen run: {summary['chosen']}")
    if summary.get("epochs_run"):
        parts.append(f"{summary['epochs_run']} epochs")
    if summary.get("best_epoch"):
        parts.append(f"weights of epoch {summary['best_epoch']}")
    if summary.get("stop_reason"):
        parts.append(f"stopped: {summary['stop_reason']}")
    return "; ".join(parts) + "."


def _figures(summary: Mapping[str, Any]) -> str:
    """The report's figures beside those of this run; and, if known, the entropy that no model can pass."""
    published, here = summary.get("seed_figures") or {}, summary.get("metrics") or {}
    names = [*here, *(name for name in published if name not in here)]
    if not names:
        return ""
    rows = [[metric_name(name), *_compared(name, published.get(name), here.get(name))] for name in names]
    content = [table(["", "report", "here", "difference"], rows, numbers=True)]
    if (entropy := summary.get("true_entropy")) is not None:
        content.append(f"<p>True entropy of the data: {entropy:.4f} nats{_gap(here.get('test_loss'), entropy)}.</p>")
    return section("The report's figures and this run's", *content)


def _gap(loss: float | None, entropy: float) -> str:
    if loss is None:
        return ""
    side = "above" if loss >= entropy else "below"  # below it a sample of the data can be, by chance
    return f"; the model's test loss is {abs(loss - entropy):.4f} {side} it"


def _figure(name: str, value: float | None) -> str:
    return "" if value is None else metric_text(name, value)


def _compared(name: str, published: float | None, here: float | None) -> list[str]:
    """Three texts: the report's figure, this run's, the difference; that of accuracies in points."""
    texts = [_figure(name, published), _figure(name, here)]
    if published is None or here is None:
        return [*texts, ""]
    share = name.endswith("accuracy")
    difference = f"{100 * (here - published):+.2f} points" if share else f"{here - published:+.4f}"
    return [*texts, difference.replace("-", "−")]


def _runs(summary: Mapping[str, Any]) -> str:
    """A table for each comparison: its runs, in what their settings differ, and their metrics."""
    comparisons: dict[str, list[Mapping[str, Any]]] = {}
    for run in summary.get("runs") or []:
        comparisons.setdefault(run.get("comparison", ""), []).append(run)
    if not comparisons:
        return ""
    spreads = summary.get("spreads") or {}
    content = []
    for name, runs in comparisons.items():
        content += [f"<h3>{escape(runs[0].get('question') or name)}</h3>"] if name else []
        content += [_run_table(runs), _spread(spreads.get(name) or {})]
    return section("Runs compared", *filter(None, content))


def _run_table(runs: Sequence[Mapping[str, Any]]) -> str:
    settings = _differing([run.get("config", {}) for run in runs])
    settings = [name for name in settings if any(str(run["config"].get(name)) != run["label"] for run in runs)]
    metrics = list(dict.fromkeys(name for run in runs for name in run.get("metrics", {})))
    failed = ["failed"] if any(run.get("failed") for run in runs) else []
    rows = [
        [
            run["label"],
            *(run.get("config", {}).get(name, "") for name in settings),
            *(_figure(name, run.get("metrics", {}).get(name)) for name in metrics),
            *(run.get(name, "") for name in failed),
        ]
        for run in runs
    ]
    header = ["run", *(name.replace("_", " ") for name in settings), *map(metric_name, metrics), *failed]
    return table(header, rows, numbers=True)


def _spread(metrics: Mapping[str, Sequence[float]]) -> str:
    """Mean and standard deviation of each metric over the runs of a comparison, as a sentence."""
    if not metrics:
        return ""
    texts = [
        f"{metric_name(name)} {_figure(name, mean)} ± {_figure(name, std)}" for name, (mean, std) in metrics.items()
    ]
    return f"<p>Mean ± standard deviation over these runs: {escape('; '.join(texts))}.</p>"


def _differing(configs: list[Mapping[str, Any]]) -> list[str]:
    """The names of the settings that are not the same in all configurations."""
    names = dict.fromkeys(name for config in configs for name in config)
    return [name for name in names if any(config.get(name) != configs[0].get(name) for config in configs)]


def _pictures(folder: Path, pictures: Iterable[Picture]) -> str:
    shown = [picture(folder / name, caption) for name, caption in pictures]
    return section("Pictures", *shown) if shown else ""


def _reproduction(summary: Mapping[str, Any]) -> str:
    """The command line, what it ran with, and what it took."""
    rows = [[name, str(value)] for name, value in (summary.get("versions") or {}).items()]
    rows += [[label, _quantity(summary[name], form)] for name, label, form in MACHINE if summary.get(name) is not None]
    content = [f"<pre><code>{escape(command(summary))}</code></pre>"]
    if rows:
        content.append(table(["", "this run"], rows))
    return section("How to reproduce it", *content)


# Key of the summary, what it is called, how it is written.
MACHINE = (
    ("dtype", "arithmetic", "{}"),
    ("threads", "threads", "{}"),
    ("seconds_per_epoch", "an epoch", "{:.3g} s"),
    ("samples_per_second", "samples a second", "{:,.0f}"),
    ("peak_rss_mb", "memory at most", "{:.0f} MB"),
)


def _quantity(value: Any, form: str) -> str:
    return form.format(value)


def command(summary: Mapping[str, Any]) -> str:
    """The command line that trains this run: summary["command"] if it was kept, else put together from its settings."""
    if summary.get("command"):
        return str(summary["command"])
    config = {name: value for name, value in summary.get("config", {}).items() if value is not None}
    source = config.pop("data", summary.get("data"))
    words = ["fastnn", "train", str(summary["id"])]
    if source not in (None, "generated"):
        words += ["--data", str(source)]
    for name, value in config.items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    return shlex.join(words)
