"""What a person sees of a training in a notebook: one output, which changes. IPython is a stand-in here."""

import logging
import sys
from types import ModuleType, SimpleNamespace

import pytest

import fastnn as fn
from fastnn.common import notebook
from fastnn.training.callbacks import notebook as display
from tests.tiny import Clock, StopAt, fit, tiny_model, trigrams


class Output:
    """Stands for IPython's DisplayHandle; keeps all that it showed."""

    made = None

    def display(self, data, raw):
        assert raw
        self.shown = [data]
        Output.made.append(self)

    def update(self, data, raw):
        assert raw
        self.shown.append(data)


@pytest.fixture
def ipython(monkeypatch):
    """A notebook's IPython, whose shell can be changed."""
    module, parts = ModuleType("IPython"), ModuleType("IPython.display")
    shell = SimpleNamespace(kernel=object(), execution_count=1)
    module.get_ipython, parts.DisplayHandle = lambda: shell, Output
    monkeypatch.setitem(sys.modules, "IPython", module)
    monkeypatch.setitem(sys.modules, "IPython.display", parts)
    monkeypatch.setattr(display._Outputs, "cell", None)
    monkeypatch.setattr(Output, "made", [])
    return shell


@pytest.fixture
def clock(monkeypatch):
    monkeypatch.setattr(display, "time", Clock())
    return display.time


class Later(fn.Callback):
    """Lets time pass at each epoch."""

    def __init__(self, clock, seconds):
        self.clock, self.seconds = clock, seconds

    def on_epoch_end(self, run):
        self.clock.now += self.seconds


class TestOutput:
    def test_one_that_is_short_in_the_end(self, ipython, clock, capsys):
        fit(tiny_model(), epochs=3, verbose="auto", validation_data=trigrams(9), callbacks=[Later(clock, 2.0)])
        (output,) = Output.made
        html = output.shown[-1]["text/html"]
        assert html.startswith("<div><b>3 epochs, 6.0 s</b>")
        assert "progress" not in html
        assert "val_loss" in html
        assert len(html) < 5_000
        assert output.shown[-1]["text/plain"].startswith("3 epochs, 6.0 s  loss ")
        assert capsys.readouterr() == ("", "")

    def test_changes_while_it_goes_on(self, ipython, clock):
        fit(tiny_model(), epochs=3, verbose=True, callbacks=[Later(clock, 2.0)])
        texts = [data["text/plain"] for data in Output.made[0].shown]
        assert [text.partition("  ")[0] for text in texts] == [
            "", "loading kernels", "epoch 1/3", "epoch 2/3", "epoch 3/3", "3 epochs, 6.0 s",
        ]  # fmt: skip
        assert '<progress value="0.3333"' in Output.made[0].shown[2]["text/html"]
        assert "4 s left" in Output.made[0].shown[2]["text/html"]

    def test_changes_a_few_times_a_second(self, ipython, clock):
        fit(tiny_model(), epochs=50, verbose=True, callbacks=[Later(clock, 0.01)])
        assert len(Output.made[0].shown) == 4  # at the beginning twice, once after 0.4 s, at the end

    def test_of_one_long_epoch_shows_the_losses_of_steps(self, ipython, clock):
        fit(tiny_model(), epochs=1, verbose=True)
        assert "loss by step" in Output.made[0].shown[-1]["text/html"]

    def test_a_loop_does_not_flood_a_cell(self, ipython):
        model = tiny_model()
        for _ in range(8):
            fit(model, verbose="auto")
        assert len(Output.made) == display.MOST
        ipython.execution_count = 2
        fit(model, verbose="auto")
        assert len(Output.made) == display.MOST + 1

    def test_that_kernels_are_compiled_is_said_in_it(self, ipython, capsys):
        class Begins(fn.Callback):
            every = 1

            def on_batch_begin(self, run):
                logging.getLogger("fastnn_kernels").info("compiling %d kernels", 18)

        fit(tiny_model(), verbose="auto", callbacks=[Begins()])
        assert any(data["text/plain"].startswith("compiling 18 kernels") for data in Output.made[0].shown)
        assert capsys.readouterr() == ("", "")

    def test_silence(self, ipython):
        fit(tiny_model(), verbose=False)
        assert not Output.made

    def test_the_history_of_the_same_cell_has_no_second_curve(self, ipython):
        history = fit(tiny_model(), epochs=3, verbose="auto").history
        assert "<img" in Output.made[0].shown[-1]["text/html"]
        assert "<img" not in history._repr_html_()
        assert "<table>" in history._repr_html_()
        ipython.execution_count = 2
        assert "<img" in history._repr_html_()


class TestEnding:
    @pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, SystemExit])
    @pytest.mark.parametrize("step", [None, 2])
    def test_closed_by_an_error(self, ipython, error, step):
        with pytest.raises(error):
            fit(tiny_model(), epochs=5, verbose="auto", callbacks=[StopAt(2, step, error("why"))])
        html = Output.made[0].shown[-1]["text/html"]
        assert f"<b>{2 if step is None else 1} of 5 epochs, ended by {error.__name__}, " in html
        assert "progress" not in html
        assert not any(isinstance(one, display.KernelMessages) for one in logging.getLogger("fastnn_kernels").handlers)

    def test_closed_though_another_callback_fails_at_the_end(self, ipython):
        class Bad(fn.Callback):
            def on_train_end(self, run):
                raise ValueError("of a user")

        with pytest.raises(ValueError, match="of a user"):
            fit(tiny_model(), verbose="auto", callbacks=[Bad()])
        assert "<b>1 epoch, " in Output.made[0].shown[-1]["text/html"]

    def test_stopped_with_a_reason(self, ipython):
        fit(tiny_model(), epochs=5, verbose="auto", callbacks=[StopAt(2)])
        assert "<b>2 of 5 epochs, far enough, " in Output.made[0].shown[-1]["text/html"]

    def test_numbers_that_are_not_finite(self, ipython):
        with pytest.raises(fn.NonFiniteError):
            fit(tiny_model(), epochs=50, verbose="auto", optimizer=fn.SGD(1e38))
        assert "ended by NonFiniteError" in Output.made[0].shown[-1]["text/html"]


class TestWhere:
    def test_no_ipython(self, monkeypatch):
        monkeypatch.delitem(sys.modules, "IPython", raising=False)
        assert notebook.shell() is None
        assert notebook.cell() is None

    @pytest.mark.parametrize("shell", [None, SimpleNamespace(), SimpleNamespace(kernel=None)])
    def test_ipython_in_a_terminal_or_a_script(self, ipython, shell, monkeypatch):
        sys.modules["IPython"].get_ipython = lambda: shell
        assert notebook.shell() is None
        fit(tiny_model(), verbose="auto")
        assert not Output.made
