"""The report of a run: well-formed, self-contained, and true to the summary."""

import base64
import re
from html.parser import HTMLParser

import numpy as np
import pytest

import fastnn as fn
from fastnn.experiment import report
from fastnn.experiment.summary import Summary

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
    "seed_figures": {"val_accuracy": 0.34, "test_accuracy": 0.3339, "train_accuracy": 0.37},
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
        self.open, self.attributes, self.rows, self.text = [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
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


@pytest.fixture
def page(tmp_path):
    """Writes a report of the summary with changes, and reads it."""

    def write(pictures=(), tables=(), **changes):
        return Page(
            report.write(tmp_path, Summary.from_json(SUMMARY | changes), pictures, tables).read_text(encoding="utf-8")
        )

    (tmp_path / "curves.png").write_bytes(PIXEL)
    return write


class TestPage:
    def test_is_one_file_in_the_folder(self, tmp_path, page):
        page([("curves.png", "loss by epoch")])
        assert sorted(entry.name for entry in tmp_path.iterdir()) == ["curves.png", "report.html"]
        assert report.write(tmp_path, Summary.from_json(SUMMARY)) == tmp_path / "report.html"

    def test_loads_nothing(self, page):
        found = page([("curves.png", "loss by epoch")] * 2)
        tags = {tag for tag, _, _ in found.attributes}
        assert not tags & {"script", "link", "iframe", "object"}
        assert not found.values("a", "href")
        policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
        assert policy in found.values("meta", "content")
        sources = found.values("img", "src")
        assert [base64.b64decode(source.removeprefix("data:image/png;base64,")) for source in sources] == [PIXEL] * 2
        assert "loss by epoch" in found.words

    def test_every_text_is_escaped(self, tmp_path, page):
        evil = "<script>alert('x & \"y\"')</script>"
        changes = dict.fromkeys(("id", "title", "data", "status", "stop_reason", "dtype", "command"), evil)
        run = {"label": evil, "config": {evil: 1}, "metrics": {evil: 1.0}}
        changes |= {
            "runs": [run, {"label": "b"}],
            "versions": {evil: evil},
            "samples": {evil: 1},
            "metrics": {evil: 1.0},
        }
        found = page([("curves.png", evil)], [(evil, [evil], [[evil]])], **changes)
        text = (tmp_path / "report.html").read_text()
        assert "<script" not in text
        assert found.values("img", "alt") == [evil]
        assert found.words.count(evil) >= 15

    def test_words_that_are_no_unicode_are_no_trouble(self, page):
        assert "book?.txt" in page(data="book\udcff.txt").words

    def test_a_summary_of_an_interrupted_run_is_enough(self, tmp_path):
        known = {name: SUMMARY[name] for name in ("id", "data", "samples", "config")}
        path = report.write(tmp_path, Summary.from_json(known | {"status": "interrupted"}))
        assert "Status: interrupted." in Page(path.read_text(encoding="utf-8")).words


class TestWhatItSays:
    def test_generated_data_are_labelled(self, page):
        assert "Trained on generated data (372,500 training, 46,500 validation samples)" in page().words
        assert page().values("p", "class") == ["generated"]
        found = page(data="/data/book.txt")
        assert "Trained on the data of /data/book.txt" in found.words
        assert not found.values("p", "class")

    def test_the_report_s_figures_beside_these(self, page):
        rows = page().rows
        assert ["", "report", "here", "difference"] in rows
        assert ["validation accuracy", "34.00 %", "35.11 %", "+1.11 points"] in rows
        assert ["test accuracy", "33.39 %", "32.79 %", "−0.60 points"] in rows
        assert ["test loss", "", "2.6633", ""] in rows
        assert ["training accuracy", "37.00 %", "", ""] in rows

    @pytest.mark.parametrize(("entropy", "want"), [(2.6, "0.0633 above it"), (2.7, "0.0367 below it")])
    def test_the_entropy(self, page, entropy, want):
        sentence = f"True entropy of the data: {entropy:.4f} nats; the model's test loss is {want}."
        assert sentence in page(true_entropy=entropy).words

    def test_runs_by_what_differs(self, page):
        runs = [
            {"label": "a", "config": {"lr": 0.1, "epochs": 5}, "metrics": {"val_loss": 1.5}},
            {"label": "b", "config": {"lr": 0.2, "epochs": 5}, "metrics": {"val_accuracy": 0.5}},
        ]
        rows = page(runs=runs).rows
        assert ["run", "lr", "validation loss", "validation accuracy"] in rows
        assert ["a", "0.1", "1.5000", ""] in rows
        assert ["b", "0.2", "", "50.00 %"] in rows

    def test_comparisons_have_a_table_each(self, page):
        runs = [
            {"label": "0", "comparison": "seeds", "config": {"seed": 0}, "metrics": {"val_accuracy": 0.5}},
            {"label": "1", "comparison": "seeds", "config": {"seed": 1}, "metrics": {"val_accuracy": 0.6}},
            {
                "label": "high",
                "comparison": "rates",
                "config": {"lr": 9.0},
                "metrics": {},
                "failed": "the loss became nan",
            },
        ]
        found = page(runs=runs, spreads={"seeds": {"val_accuracy": [0.55, 0.05]}}, chosen="0")
        assert ["run", "validation accuracy"] in found.rows, "the label says all that the setting would"
        assert ["high", "the loss became nan"] in found.rows
        assert "over these runs: validation accuracy 55.00 % ± 5.00 %." in found.words
        assert "chosen run: 0" in found.words

    def test_a_quick_run_is_called_so(self, page):
        assert "A quick run" in page(quick=True).words
        assert "A quick run" not in page(quick=False).words

    def test_tables(self, page):
        rows = [["x", 1234567, 0.123456789], ["y", np.int64(3), np.float32(0.5)]]
        found = page(tables=[("Counts", ["name", "n", "share"], rows), ("Lines", [""], [["one"]])])
        assert ["x", "1,234,567", "0.12346"] in found.rows
        assert ["y", "3", "0.5"] in found.rows
        assert "Counts" in found.words
        assert ["one"] in found.rows
        assert [""] not in found.rows

    def test_a_row_that_does_not_fit_is_refused(self, page, tmp_path):
        with pytest.raises(ValueError, match="a row of 1 cells under a header of 2"):
            page(tables=[("t", ["a", "b"], [["x"]])])
        assert not (tmp_path / "report.html").exists()

    def test_versions_and_machine(self, page):
        rows = page(peak_rss_mb=337.6, samples_per_second=458000.4).rows
        for row in (["numba", "0.63"], ["threads", "2"], ["memory at most", "338 MB"], ["samples a second", "458,000"]):
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
        from fastnn.recipes import RECIPES

        settings = RECIPES["trigram"].settings
        flags = {flag for option in options_of(settings) for flag in option.opts}
        command = report.command(Summary(id="trigram", config=vars(settings) | {"data": "generated"}))
        assert set(re.findall(r"--[\w-]+", command)) == flags


class TestPictures:
    def test_missing_or_no_png(self, page, tmp_path):
        with pytest.raises(fn.FileFormatError, match=r"none\.png: cannot be read for the report"):
            page([("none.png", "")])
        (tmp_path / "a.png").write_bytes(b"GIF89a")
        with pytest.raises(fn.FileFormatError, match=r"a\.png: not a PNG file"):
            page([("a.png", "")])

    def test_a_failure_leaves_the_old_report(self, page, tmp_path):
        page()
        before = (tmp_path / "report.html").read_bytes()
        with pytest.raises(fn.FileFormatError):
            page([("none.png", "")], id="other")
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
