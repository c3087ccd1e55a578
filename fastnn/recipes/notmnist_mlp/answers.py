"""What notmnist-mlp answers: losses as the report averages them, and what stopping early costs."""

from dataclasses import replace

from fastnn.experiment.answering import chosen_answer, compared_answer
from fastnn.experiment.answers import Answer, Row, Table
from fastnn.experiment.results import ExperimentResult, RunResult
from fastnn.recipes.shared.building import classes_of

AVERAGED = (
    "Losses in tables are means over samples and {0} classes, as in the report; those in pictures are {0} times that."
)


def answers(results: ExperimentResult) -> list[Answer]:
    """The default answers with losses as the report averages them, and what stopping early costs."""
    share = 1 / len(classes_of(results.data))
    chosen = _averaged(chosen_answer(results), share)
    found = [replace(chosen, lines=[*chosen.lines, AVERAGED.format(len(classes_of(results.data)))])]
    for comparison, members in results.groups:
        answer = _averaged(compared_answer(results, comparison, members), share)
        if comparison.name == "stopping":
            tables = [
                _differences(results, members) if table.title == "difference" else table for table in answer.tables
            ]
            answer = replace(answer, tables=tables)
        found.append(answer)
    return found


def _averaged(answer: Answer, share: float) -> Answer:
    """The answer with our losses, sums over classes, as means over them."""
    tables = [replace(table, rows=[_averaged_row(row, share) for row in table.rows]) for table in answer.tables]
    return replace(answer, tables=tables)


def _averaged_row(row: Row, share: float) -> Row:
    here = dict(row.here)
    for name, value in row.here.items():
        if name.endswith("loss") and not isinstance(value, str):
            here[name] = value * share
    return replace(row, here=here)


def _differences(results: ExperimentResult, members: dict[str, RunResult]) -> Table:
    """The accuracy of each shorter training less that of the longest one."""
    names = {f"{split}_difference": f"{split}_accuracy" for split in results.data.splits()}
    published, last = results.published.rows("stopping"), list(members.values())[-1].metrics
    rows = []
    for label, figures in published.items():
        own = members[label].metrics if label in members and len(members) > 1 else {}
        here = {name: own[metric] - last[metric] for name, metric in names.items() if metric in own}
        rows.append(Row(label, here, {name: figures[name] for name in names if name in figures}))
    return Table(rows, "difference")
