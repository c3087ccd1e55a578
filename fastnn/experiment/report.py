"""The report of a run: one HTML file with its pictures inside, which opens from disk, without scripts or network."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from fastnn.common.figures import is_fraction
from fastnn.common.files import atomic_path
from fastnn.common.text import SPLITS, metric_name, metric_text
from fastnn.experiment.html import page, picture, section, table
from fastnn.experiment.summary import ComparedRun, Ending, Spread, Summary

NAME = "report.html"

Picture = tuple[str, str]  # the file's name in the run's folder, the caption
Table = tuple[str, Sequence[str], Sequence[Sequence[Any]]]  # title, header, rows


def write(folder: str | Path, summary: Summary, pictures: Iterable[Picture] = (), tables: Iterable[Table] = ()) -> Path:
    """Write folder/report.html and return its path. The file is there whole or not at all.

    pictures  (name of a PNG file in `folder`, caption), in the order in which they are shown
    tables    (title, header, rows); numbers are written with a few digits, all else as text

    Every text is escaped: words of a vocabulary or a file's name may hold any character. FileFormatError if a picture
    is missing or no PNG, or the file cannot be written; ValueError if a table's row is not as long as its header.
    """
    folder = Path(folder)
    body = [
        _heading(summary),
        _figures(summary),
        _runs(summary.ending or Ending()),
        *(section(title, table(header, rows)) for title, header, rows in tables),
        _pictures(folder, pictures),
        _reproduction(summary),
    ]
    text = page(f"{summary.id}: a run of fastnn", body)
    path = folder / NAME
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="replace")  # a path may hold bytes that are no text
    return path


def _heading(summary: Summary) -> str:
    """What was trained, on which data, and how it ended."""
    samples = ", ".join(f"{count:,} {SPLITS.get(split, split)}" for split, count in summary.samples.items())
    source = "generated data" if summary.is_generated else f"the data of {summary.data}"
    sentence = f"Trained on {source}{f' ({samples} samples)' if samples else ''}. {_ended(summary)}"
    lines = [f"<h1>{escape(summary.id)}</h1>"]
    if summary.title:
        lines.append(f'<p class="lead">{escape(summary.title)}</p>')
    lines.append(f"<p>{escape(sentence)}</p>")
    if summary.quick:
        lines.append("<p>A quick run, smaller than the system's own: it shows that all works, not how well.</p>")
    if summary.is_generated:
        lines.append(
            '<p class="generated"><strong>Generated data.</strong> A stand-in made by fastnn, not the data of the '
            "report: figures on it cannot be compared with the report's one to one.</p>"
        )
    return "<header>\n" + "\n".join(lines) + "\n</header>"


def _ended(summary: Summary) -> str:
    """A sentence: how long it trained and why it ended; after comparisons, which run was chosen."""
    parts = [f"Status: {summary.status}"]
    if ending := summary.ending:
        if any(run.label == ending.chosen for run in ending.runs):
            parts.append(f"chosen run: {ending.chosen}")
        if ending.epochs_run:
            parts.append(f"{ending.epochs_run} epochs")
        if ending.best_epoch:
            parts.append(f"weights of epoch {ending.best_epoch}")
        if ending.stop_reason:
            parts.append(f"stopped: {ending.stop_reason}")
    return "; ".join(parts) + "."


def _figures(summary: Summary) -> str:
    """The report's figures beside those of this run, and the entropy of the data, if it is known."""
    published, here = summary.seed_figures, summary.ending.metrics if summary.ending else {}
    names = [*here, *(name for name in published if name not in here)]
    if not names:
        return ""
    rows = [[metric_name(name), *_compared(name, published.get(name), here.get(name))] for name in names]
    content = [table(["", "report", "here", "difference"], rows, numbers=True)]
    if (entropy := summary.true_entropy) is not None:
        content.append(f"<p>True entropy of the data: {entropy:.4f} nats{_gap(here.get('test_loss'), entropy)}.</p>")
    return section("The report's figures and this run's", *content)


def _gap(loss: float | None, entropy: float) -> str:
    if loss is None:
        return ""
    side = "above" if loss >= entropy else "below"  # a sample may by chance have less loss than the entropy
    return f"; the model's test loss is {abs(loss - entropy):.4f} {side} it"


def _figure(name: str, value: float | None) -> str:
    return "" if value is None else metric_text(name, value)


def _compared(name: str, published: float | None, here: float | None) -> list[str]:
    """Three texts: the report's figure, this run's, and their difference, for accuracies in percentage points."""
    texts = [_figure(name, published), _figure(name, here)]
    if published is None or here is None:
        return [*texts, ""]
    difference = f"{100 * (here - published):+.2f} points" if is_fraction(name) else f"{here - published:+.4f}"
    return [*texts, difference.replace("-", "−")]


def _runs(ending: Ending) -> str:
    """A table for each comparison: its runs, the settings in which they differ, and their metrics."""
    content = []
    for name, runs in ending.comparisons().items():
        content += [f"<h3>{escape(runs[0].question or name)}</h3>"] if name else []
        content += [_run_table(runs), _spread(ending.spreads.get(name, {}))]
    return section("Runs compared", *filter(None, content)) if content else ""


def _run_table(runs: Sequence[ComparedRun]) -> str:
    settings = _differing([run.config for run in runs])
    settings = [name for name in settings if any(str(run.config.get(name)) != run.label for run in runs)]
    metrics = list(dict.fromkeys(name for run in runs for name in run.metrics))
    failed = ["failed"] if any(run.failed for run in runs) else []
    rows = [
        [
            run.label,
            *(run.config.get(name, "") for name in settings),
            *(_figure(name, run.metrics.get(name)) for name in metrics),
            *(run.failed for _ in failed),
        ]
        for run in runs
    ]
    header = ["run", *(name.replace("_", " ") for name in settings), *map(metric_name, metrics), *failed]
    return table(header, rows, numbers=True)


def _spread(metrics: Mapping[str, Spread]) -> str:
    """A sentence: mean and standard deviation of each metric over the runs of a comparison."""
    if not metrics:
        return ""
    texts = [
        f"{metric_name(name)} {_figure(name, mean)} ± {_figure(name, deviation)}"
        for name, (mean, deviation) in metrics.items()
    ]
    return f"<p>Mean ± standard deviation over these runs: {escape('; '.join(texts))}.</p>"


def _differing(configs: list[dict[str, Any]]) -> list[str]:
    """The names of the settings that are not the same in all configurations."""
    names = dict.fromkeys(name for config in configs for name in config)
    return [name for name in names if any(config.get(name) != configs[0].get(name) for config in configs)]


def _pictures(folder: Path, pictures: Iterable[Picture]) -> str:
    shown = [picture(folder / name, caption) for name, caption in pictures]
    return section("Pictures", *shown) if shown else ""


def _reproduction(summary: Summary) -> str:
    """The command line, versions and machine, and how long it took."""
    rows = [[name, version] for name, version in summary.versions.items()]
    rows += [[label, form.format(value)] for label, value, form in _machine(summary) if value is not None]
    content = [f"<pre><code>{escape(command(summary))}</code></pre>"]
    if rows:
        content.append(table(["", "this run"], rows))
    return section("How to reproduce it", *content)


def _machine(summary: Summary) -> list[tuple[str, Any, str]]:
    """(label, value or None, format) of what decides the speed, and of the speed."""
    ending = summary.ending or Ending()
    return [
        ("arithmetic", summary.dtype, "{}"),
        ("threads", summary.threads, "{}"),
        ("an epoch", ending.seconds_per_epoch, "{:.3g} s"),
        ("samples a second", ending.samples_per_second, "{:,.0f}"),
        ("memory at most", ending.peak_rss_mb, "{:.0f} MB"),
    ]


def command(summary: Summary) -> str:
    """The command line of this run; if it was not kept, one that is put together from the settings."""
    if summary.command:
        return summary.command
    config = {name: value for name, value in summary.config.items() if value is not None}
    source = config.pop("data", summary.data)
    words = ["fastnn", "train", summary.id]
    if source not in (None, "generated"):
        words += ["--data", str(source)]
    for name, value in config.items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    return shlex.join(words)
