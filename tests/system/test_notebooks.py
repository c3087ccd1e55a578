"""The notebooks of the documentation run, in small; what they show and leave is short."""

import json
import os
from pathlib import Path

import pytest

from tests.tiny import environment, jit_only

FOLDER = Path(__file__).parents[2] / "docs" / "notebooks"
# The cell with the tag "parameters" of each, for a run in small.
SMALL = {
    "1-language-model": "samples, epochs = 2_000, 2",
    "2-digits": "samples, epochs = 400, 2",
    "3-convolution": "samples, epochs, every = 200, 2, 1",
    "4-points-in-the-plane": "passes, widths, seeds = 100, (1, 2, 3), range(2)",
    "5-table-with-categories": "rows, epochs = 2_000, 2",
}
MOST_BYTES = 100_000


def test_all_are_run():
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == sorted(SMALL)


@pytest.mark.parametrize("name", SMALL)
def test_files_are_small_and_hold_no_output(name):
    path = FOLDER / f"{name}.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert path.stat().st_size < MOST_BYTES
    assert not [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")]
    assert len([cell for cell in cells if "parameters" in cell["metadata"].get("tags", ())]) == 1


@jit_only
@pytest.mark.filterwarnings("default")  # those of Jupyter's own libraries
class TestRun:
    def run(self, cells, folder, monkeypatch, **settings):
        """The outputs of the cells, in a kernel of their own."""
        nbformat = pytest.importorskip("nbformat", reason="notebooks are run by nbclient: pip install -e '.[test]'")
        client = pytest.importorskip("nbclient", reason="notebooks are run by nbclient: pip install -e '.[test]'")
        pytest.importorskip("ipykernel", reason="notebooks need a kernel: pip install -e '.[test]'")
        for name, value in environment().items():
            monkeypatch.setitem(os.environ, name, value)
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
        resources = {"metadata": {"path": str(folder)}}
        client.NotebookClient(notebook, timeout=120, kernel_name="python3", resources=resources, **settings).execute()
        return [cell.outputs for cell in notebook.cells]

    @pytest.mark.parametrize("name", SMALL)
    def test_in_small(self, name, tmp_path, monkeypatch):
        cells = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
        code = [
            SMALL[name] if cell["metadata"].get("tags") else "".join(cell["source"])
            for cell in cells
            if cell["cell_type"] == "code"
        ]
        outputs = [output for found in self.run(code, tmp_path, monkeypatch) for output in found]
        assert any("image/png" in output.get("data", ()) for output in outputs)
        assert not [output for output in outputs if output.get("name") == "stderr"]
        assert not any("<progress" in output.get("data", {}).get("text/html", "") for output in outputs)
        assert not list(tmp_path.iterdir())

    def test_what_shows_and_how_often(self, tmp_path, monkeypatch):
        """In a real kernel: one output a training, one picture a figure, also in pyplot's."""
        begin = """
import numpy as np, fastnn as fn
from fastnn import plots
x, y = np.random.rand(60, 4), np.arange(60) % 3
model = fn.Sequential([fn.Dense(3)], input_shape=4)
class Ends(fn.Callback):
    def on_epoch_end(self, run):
        raise KeyboardInterrupt
"""
        axes = """
import matplotlib.pyplot as plt
figure, ax = plt.subplots()
model.history.plot(ax=ax)"""
        cells = [
            begin,
            "history = model.fit(x, y, epochs=3)",
            "model",
            "model.summary()",
            "history",
            "history.plot()",
            "model.fit(x, y, epochs=3, callbacks=[Ends()])",
            axes,
            "history.plot()",
        ]
        found = self.run(cells, tmp_path, monkeypatch, allow_errors=True)
        kinds = [[sorted(output.get("data", [output.output_type])) for output in cell] for cell in found]
        html, png = ["text/html", "text/plain"], ["image/png", "text/plain"]
        assert kinds == [[], [html], [html], [html], [html], [png], [html, ["error"]], [["text/plain"], png], [png]]
        assert "<b>3 epochs, " in found[1][0]["data"]["text/html"]
        assert "<b>1 of 3 epochs, ended by KeyboardInterrupt, " in found[6][0]["data"]["text/html"]
