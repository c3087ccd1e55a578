"""The report of a run: well-formed, self-contained, and true to the summary."""

import base64
import re
import shlex
from html.parser import HTMLParser

import click
import pytest

import fastnn as fn
from fastnn.experiment import report
from fastnn.experiment.answers import Answer, Row, Table
from fastnn.experiment.summary import Summary
from fastnn.recipes import RECIPES

# The smallest PNG file: one grey pixel.
PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==")
VOID = {"meta", "img", "br", "hr", "link", "input"}
SUMMARY = {
    "id": "trigram",
    "status": "finished",
    "data": "generated",
    "samples": {"train": 372500, "val": 46500},
    "config": {"epochs": 50, "batch_size": 200, "sizes": "32x256", "data": "generated"},
    "metrics": {"val_loss": 2.6621, "val_accuracy": 0.3511, "test_loss": 2.6633, "test_accuracy": 0.3279},
    "report": "Networks, Project 2 (2020)",
    "true_entropy": 2.6,
    "best_epoch": 21,
    "epochs_run": 26,
    "stop_reason": "no lower val_loss for 5 epochs",
    "threads": 2,
    "versions": {"fastnn": "0.1.0", "numba": "0.63"},
    "runs": [],
}


class Page(HTMLParser):
    """Reads a page; fails if a tag is not closed in its order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.attributes, self.tags, self.rows, self.text = [], [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data
        if "style" not in self.open:
            self.text.append(data)

    def values(self, tag, attribute):
        return [value for found, name, value in self.attributes if (found, name) == (tag, attribute)]

    @property
    def words(self):
        return " ".join("".join(self.text).split())


def answer(name="rates", question="Which rate?", tables=(), lines=(), said="", pictures=()):
    """As a summary holds it; pictures: (name, caption)."""
    return Answer(name, question, tables, lines, said).to_json() | {"pictures": dict(pictures)}


@pytest.fixture
def page(tmp_path):
    """Writes a page of the summary with changes, and reads it."""

    def write(*answers, **changes):
        summary = Summary.from_json(SUMMARY | {"answers": list(answers)} | changes)
        return Page(report.write(tmp_path, summary).read_text(encoding="utf-8"))

    (tmp_path / "curves.png").write_bytes(PIXEL)
    return write


class TestPage:
    def test_is_one_file_in_the_folder(self, tmp_path, page):
        page(answer(pictures=[("curves.png", "loss by epoch")]))
        assert sorted(entry.name for entry in tmp_path.iterdir()) == ["curves.png", "report.html"]
        assert report.write(tmp_path, Summary.from_json(SUMMARY)) == tmp_path / "report.html"

    def test_on_a_narrow_screen_long_names_break_and_tables_scroll_by_themselves(self, tmp_path, page):
        rows = [Row("net", {f"figure {i}": 0.5 for i in range(40)})]
        found = page(answer(question="Is " + 100 * "a" + " predicted?", tables=[Table(rows)]))
        (style,) = re.findall("<style>(.*)</style>", (tmp_path / "report.html").read_text("utf-8"), re.DOTALL)
        assert "overflow-wrap: break-word" in re.search("^body {.*?}", style, re.DOTALL | re.MULTILINE)[0]
        assert ".wide { overflow-x: auto; }" in style
        assert found.tags.count("table") == found.values("div", "class").count("wide") == 3

    def test_on_a_narrow_screen_pictures_of_several_panels_scroll(self, tmp_path, page):
        for name, width in (("one.png", 624), ("two.png", 1248)):
            (tmp_path / name).write_bytes(PIXEL[:16] + width.to_bytes(4, "big") + PIXEL[20:])
        found = page(answer(pictures=[("one.png", "one panel"), ("two.png", "two panels")]))
        assert found.tags.count("figure") == 2
        assert found.values("figure", "class") == ["panels"], "one panel fits as it is"
        assert ".panels { overflow-x: auto; }" in (tmp_path / "report.html").read_text("utf-8")

    def test_loads_nothing(self, page):
        found = page(*(answer(name, pictures=[("curves.png", "loss by epoch")]) for name in "ab"))
        tags = {tag for tag, _, _ in found.attributes}
        assert not tags & {"script", "link", "iframe", "object"}
        policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
        assert policy in found.values("meta", "content")
        sources = found.values("img", "src")
        assert [base64.b64decode(source.removeprefix("data:image/png;base64,")) for source in sources] == [PIXEL] * 2
        assert "loss by epoch" in found.words

    def test_links_lead_to_its_sections_and_to_the_run_s_files(self, page):
        found = page(answer("a"), answer("b"))
        sections = [f"#{name}" for name in found.values("section", "id")]
        assert sections == ["#a", "#b", "#network", "#again"]
        assert found.values("a", "href") == [*sections, "model.h5", "history.csv", "summary.json"]

    def test_every_text_is_escaped(self, tmp_path, page):
        evil = "<script>alert('x & \"y\"')</script>"
        changes = dict.fromkeys(("id", "title", "data", "status", "stop_reason", "dtype", "command", "report"), evil)
        changes |= {"versions": {evil: evil}, "samples": {evil: 1}, "config": {evil: evil}, "network": evil}
        tables = [Table([Row(evil, {evil: evil}, {evil: 0.5})], evil, is_detail) for is_detail in (True, False)]
        found = page(answer(evil, evil, tables, [evil], evil, [("curves.png", evil)]), **changes)
        text = (tmp_path / "report.html").read_text("utf-8")
        assert "<script" not in text
        assert found.values("img", "alt") == [evil]
        assert found.words.count(evil) >= 20

    def test_words_that_are_no_unicode_are_no_trouble(self, page):
        assert "book?.txt" in page(data="book\udcff.txt").words

    def test_a_summary_of_an_interrupted_run_is_enough(self, tmp_path):
        known = {name: SUMMARY[name] for name in ("id", "data", "samples", "config")}
        path = report.write(tmp_path, Summary.from_json(known | {"status": "interrupted"}))
        assert "Status: interrupted." in Page(path.read_text(encoding="utf-8")).words


class TestWhatItSays:
    def test_generated_data_are_labelled(self, page):
        assert "Trained on generated data (372,500 training, 46,500 validation samples)" in page().words
        assert page().values("p", "class") == ["note"]
        found = page(data="/data/book.txt")
        assert "Trained on the data of /data/book.txt" in found.words
        assert not found.values("p", "class")

    def test_each_figure_has_the_report_s_beside_it(self, page):
        rows = [
            Row("a", {"val_accuracy": 0.3511, "dw": 1.5e-9}, {"val_accuracy": 0.34}),
            Row("not run", {}, {"val_accuracy": 0.37}),
            Row("mean", {"val_accuracy": "35 % ± 1 %"}),
        ]
        found = page(answer(tables=[Table(rows)], lines=["a is best."], said="a"))
        assert found.rows[:4] == [
            ["", "validation accuracy", "report", "dw"],
            ["a", "35.11 %", "34.00 %", "1.50e-09"],
            ["not run", "not run", "37.00 %", ""],
            ["mean", "35 % ± 1 %", "", ""],
        ]
        assert "a is best. The report: a" in found.words
        assert "“Report” stands for: Networks, Project 2 (2020)." in found.words

    def test_a_heading_says_once_what_the_title_says(self, page):
        table = Table([Row("a", {"val_accuracy": 0.5, "test_accuracy": 0.5}, {"train_accuracy": 0.5})], "accuracy")
        assert page(answer(tables=[table])).rows[0] == ["", "validation", "test", "training, report"]

    def test_long_tables_are_folded(self, page):
        found = page(answer(tables=[Table([Row("epoch 1", {"loss": 0.5})], "by epoch", is_detail=True)]))
        assert "by epoch" in found.words
        assert tuple(tag for tag in found.tags if tag in ("details", "summary")) == ("details", "summary")

    def test_when_and_what(self, page):
        found = page(finished_at="2026-11-26T06:53:22+00:00", network="dense 3 → 4", chosen="0")
        assert "ended 2026-11-26 06:53:22 UTC." in found.words
        assert "dense 3 → 4" in found.words
        assert ["batch size", "200"] in found.rows
        assert "chosen run: 0" in page(chosen="0", runs=[{"label": "0"}]).words

    def test_a_quick_run_is_called_so(self, page):
        assert "A quick run" in page(quick=True).words
        assert "A quick run" not in page(quick=False).words

    def test_versions_and_machine(self, page):
        rows = page(peak_rss_mb=337.6, samples_per_second=458000.4).rows
        for row in (["numba", "0.63"], ["threads", "2"], ["peak memory", "338 MB"], ["samples a second", "458,000"]):
            assert row in rows


class TestCommand:
    def test_from_the_settings(self):
        assert (
            report.command(Summary.from_json(SUMMARY))
            == "fastnn train trigram --epochs 50 --batch-size 200 --sizes 32x256"
        )

    def test_data_with_a_space(self):
        summary = Summary(id="trigram", config={"data": "my book.txt", "lr": 0.1, "decay": None})
        assert report.command(summary) == "fastnn train trigram --data 'my book.txt' --lr 0.1"

    def test_as_it_was_given(self, page):
        assert "fastnn train trigram --quick" in page(command="fastnn train trigram --quick").words

    def test_the_command_line_takes_it(self):
        from fastnn.cli.settings import options_of

        settings = RECIPES["trigram"].settings
        fields = {flag: option.name for option in options_of(settings) for flag in option.opts + option.secondary_opts}
        command = report.command(Summary(id="trigram", config=vars(settings) | {"data": "generated"}))
        assert {fields[flag] for flag in re.findall(r"--[\w-]+", command)} == set(fields.values())

    @pytest.mark.parametrize("name", RECIPES)
    def test_switches_are_read_as_they_were_written(self, name):
        from fastnn.cli.settings import options_of

        settings = RECIPES[name].settings
        switches = {field: not value for field, value in vars(settings).items() if isinstance(value, bool)}
        words = shlex.split(report.command(Summary(id=name, config=switches)))[3:]
        read = click.Command(name, params=options_of(settings)).make_context(name, words).params
        assert {field: read[field] for field in switches} == switches


class TestPictures:
    def test_missing_or_no_png(self, page, tmp_path):
        with pytest.raises(fn.FileFormatError, match=r"none\.png: cannot be read for the page"):
            page(answer(pictures=[("none.png", "")]))
        (tmp_path / "a.png").write_bytes(b"GIF89a")
        with pytest.raises(fn.FileFormatError, match=r"a\.png: not a PNG file"):
            page(answer(pictures=[("a.png", "")]))

    def test_a_failure_leaves_the_old_report(self, page, tmp_path):
        page()
        before = (tmp_path / "report.html").read_bytes()
        with pytest.raises(fn.FileFormatError):
            page(answer(pictures=[("none.png", "")]), id="other")
        assert (tmp_path / "report.html").read_bytes() == before

    def test_half_a_report_is_none(self, page, tmp_path, monkeypatch):
        page()
        before = (tmp_path / "report.html").read_bytes()

        def fail_half_way(path, text, **keywords):
            path.write_bytes(text[:100].encode())
            raise OSError("disk full")

        monkeypatch.setattr(type(tmp_path), "write_text", fail_half_way)
        with pytest.raises(fn.FileFormatError, match="disk full"):
            page(id="other")
        assert (tmp_path / "report.html").read_bytes() == before


def test_a_page_has_minus_signs_but_where_a_reader_copies(tmp_path):
    (tmp_path / "a.png").write_bytes(PIXEL)
    answer = Answer("a", "What?", [Table([Row("x", {"r2": -0.31})])], ["It is -0.31."]).to_json()
    answer |= {"pictures": {"a.png": "from -1 to 1"}}
    settings = {"lr": 1e-5, "shift": -1.0}
    given = SUMMARY | {"answers": [answer], "command": "fastnn train x --shift -1", "config": settings}
    page = report.write(tmp_path, Summary.from_json(given)).read_text(encoding="utf-8")
    assert "<p>It is −0.31.</p>" in page
    assert "<figcaption>from −1 to 1</figcaption>" in page
    assert "fastnn train x --shift -1<" in page
    rows = [row for row in Page(page).rows if row[0] in ("x", "lr", "shift")]
    assert rows == [["x", "−0.3100"], ["lr", "1e-5"], ["shift", "-1"]]


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("lr", 1e-4, "0.0001"),
        ("lr", 1e-5, "1e-5"),
        ("l2", 1.0, "1"),
        ("batch_size", 0, "all"),
        ("samples", 60_000, "60,000"),
        ("seed", 0, "0"),
        ("seed", 2026, "2026"),
        ("embedding", "", "–"),
    ],
)
def test_settings_are_shown_as_a_reader_takes_them(tmp_path, name, value, shown):
    path = report.write(tmp_path, Summary.from_json(SUMMARY | {"config": {name: value}}))
    assert [name.replace("_", " "), shown] in Page(path.read_text(encoding="utf-8")).rows


def test_a_recipe_says_what_a_zero_stands_for(tmp_path):
    path = report.write(tmp_path, Summary.from_json(SUMMARY | {"config": {"batch_size": 0}}), {"batch_size": "a few"})
    assert ["batch size", "a few"] in Page(path.read_text(encoding="utf-8")).rows
