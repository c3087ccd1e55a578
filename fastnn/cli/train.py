"""`fastnn train`: a command for each system, and one for the user's own table."""

from pathlib import Path

import click

from fastnn.cli.sections import SectionedCommand, examples
from fastnn.cli.settings import compare_help, options_of
from fastnn.cli.systems import SystemsGroup
from fastnn.experiment.recipe import Recipe
from fastnn.recipes import ALL, RECIPES, TABLE

BY_RANKS = ("distributed", "sync_every")
SECTIONS = {
    "Data and folder": ["data", "out"],
    "How much": ["quick", "best", "threads", "compare", "compare_epochs"],
    "After an interruption": ["resume", "fresh"],
    "On several machines": list(BY_RANKS),
    "What is printed": ["as_json", "quiet"],
}
FLAGS = ("threads", "quick", "best", "compare", "compare_epochs", "resume", "fresh", "quiet")
OF_TABLE = {"The table": ["target", "task", "header", "categories", "drop", "rare"]}
TABLE_HELP = """Predict a column of FILE, a CSV file, from the others.

FILE is .csv or .tsv, packed by gzip or not. Columns hold numbers or categories; cells may be missing: empty, NA or ?.
The model is trained on 70 % of the rows, validated on 15 % and tested on 15 %. Its page tells how well it predicts,
beside simpler rules, and which columns matter.
"""
TABLE_EXAMPLES = examples(
    "fastnn data make people", "fastnn train table people.csv --target income", "fastnn predict runs/people new.csv"
)


class _Systems(SystemsGroup):
    def resolve_command(
        self, context: click.Context, given: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As of any group, but a file in the place of a system is told with what trains on it."""
        if given and given[0] not in self.commands and (hint := _for_file(given[0])):
            context.fail(f"{given[0]!r} is a file, expected a system before it: {hint}")
        return super().resolve_command(context, given)


def _for_file(name: str) -> str:
    """What trains on a file of this name; "" if it is no file."""
    path = Path(name)
    if path.suffix not in (".csv", ".tsv", ".txt") and not name.endswith((".csv.gz", ".tsv.gz")) and not path.is_file():
        return ""
    if ".csv" in path.suffixes or ".tsv" in path.suffixes:
        return f"fastnn train table {name} --target COLUMN"
    return f"fastnn train trigram --data {name} for a text; `fastnn list` shows the other systems"


@click.group(cls=_Systems, subcommand_metavar="SYSTEM [OPTIONS]", short_help="Train a system, or on your own table.")
def train() -> None:
    """Train a system and leave model, history, pictures and summary in a folder.

    `fastnn train SYSTEM --help` shows the system's own hyper-parameters and comparisons.
    """


def _train_command(recipe: Recipe) -> click.Command:
    is_table = recipe is TABLE

    def command(file=None, *, data, out, as_json, **given):
        from fastnn.cli.training import Request, train_and_report

        if file is not None and data is not None:
            raise ValueError(f"the table is given twice, as {str(file)!r} and by --data: expected one of them")
        path = _one_or_several(data) if file is None else file
        flags = {name: given.pop(name) for name in (*FLAGS, *BY_RANKS) if name in given}
        changes = {name: value for name, value in given.items() if value is not None}
        request = Request(recipe, changes, path, out or _folder(recipe, path), as_json=as_json, **flags)
        train_and_report(request)

    settings = options_of(recipe.settings)
    own = {"Settings": [option.name for option in settings if option.name not in OF_TABLE["The table"]]}
    given = click.Argument(["file"], type=click.Path(path_type=Path), required=False)
    return SectionedCommand(
        recipe.id,
        callback=command,
        params=[*([given] if is_table else []), *_train_options(recipe), *settings],
        sections={**(OF_TABLE if is_table else {}), **SECTIONS, **own},
        help=TABLE_HELP if is_table else f"{recipe.title[0].upper()}{recipe.title[1:]}.\n\n{recipe.told}".rstrip(),
        short_help=recipe.title,
        epilog=TABLE_EXAMPLES if is_table else _examples(recipe),
    )


def _one_or_several(data: Path | tuple[Path, ...] | None) -> Path | tuple[Path, ...] | None:
    if not isinstance(data, tuple):
        return data
    return data if len(data) > 1 else next(iter(data), None)


def _examples(recipe: Recipe) -> str:
    first = f"fastnn train {recipe.id} --quick"
    return examples(first, f"{first} --compare none --json", f"fastnn train {recipe.id} --out runs/mine --seed 1")


def _folder(recipe: Recipe, path: Path | tuple[Path, ...] | None) -> Path:
    """Where a run goes unless --out says: runs/SYSTEM, of a table runs/NAME of its file."""
    if recipe is not TABLE or path is None or isinstance(path, tuple):
        return Path("runs") / recipe.id
    name = path.name.removesuffix(".gz").rpartition(".")[0] or path.name
    return Path("runs") / (f"{TABLE.id}-{name}" if name in RECIPES else name)


def _train_options(recipe: Recipe) -> list[click.Parameter]:
    """The options that are not settings."""
    best = recipe.best.found if recipe.best else "there are none for this system"
    usual = "FILE" if recipe is TABLE else "generated"
    folder = "runs/ and the file's name" if recipe is TABLE else f"runs/{recipe.id}"
    flags, several = (["--data", "--train"], "; several times: all of them") if recipe.several else (["--data"], "")
    found = [
        click.Option(
            flags,
            type=click.Path(path_type=Path),
            multiple=recipe.several,
            help=f"the data's file or folder{several}  [default: {usual}]",
        ),
        click.Option(["--out"], type=click.Path(path_type=Path), help=f"the run's folder  [default: {folder}]"),
        click.Option(["--threads"], type=click.IntRange(min=1), help="threads to use  [default: all]"),
        click.Option(["--quick"], is_flag=True, help="less of everything: the same files within half a minute"),
        click.Option(["--best"], is_flag=True, help=f"settings of our own in place of the report's: {best}"),
        click.Option(["--compare"], help=compare_help(recipe)),
        click.Option(["--compare-epochs"], type=click.IntRange(min=1), help="epochs of each run of a comparison"),
        click.Option(["--resume"], is_flag=True, help="go on with the run in the folder, if there is one"),
        click.Option(["--fresh"], is_flag=True, help="start again, whatever unfinished run is in the folder"),
        click.Option(["--distributed"], is_flag=True, help="share each batch among the ranks that mpiexec started"),
        click.Option(["--sync-every"], type=click.IntRange(min=1), help="steps between exchanges  [default: 1]"),
        click.Option(["--json", "as_json"], is_flag=True, help="print summary.json, one JSON object, and nothing else"),
        click.Option(["--quiet"], is_flag=True, help="no progress and no tables: only where the page is"),
    ]
    return [option for option in found if recipe is not TABLE or option.name != "best"]  # no report has a table


for _recipe in ALL.values():
    train.add_command(_train_command(_recipe))
