"""Several users of one model at once: one fit at a time, and children that are forked meanwhile."""

import contextlib
import copy
import linecache
import os
import pickle
import sys
import threading

import pytest

import fastnn as fn
from fastnn.common.errors import FastnnError
from fastnn.training.models import lock
from fastnn.training.passes.data_pass import DataPass
from tests.tiny import bits, python, tiny_model, trigrams

BUSY = "this model is being trained by another fit: wait for it, or train a copy"
WITHIN = "this model is being trained by the fit that calls this code: end that one first, in a callback by run.stop"
QUIET = {"optimizer": fn.SGD(0.1), "batch_size": 16, "verbose": False}


class Calls(fn.Callback):
    """Calls a function in the first epoch, and keeps what it returns or raises."""

    def __init__(self, function):
        self.function, self.got = function, None

    def on_epoch_begin(self, run):
        if self.got is None:
            try:
                self.got = self.function(run.model)
            except FastnnError as error:
                self.got = str(error)


def in_thread(function):
    """The same, in a thread of its own."""

    def call(model):
        got = []

        def run():
            try:
                got.append(function(model))
            except FastnnError as error:
                got.append(str(error))

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        return got[0]

    return call


def fit(model, **options):
    return model.fit(*trigrams(80), **QUIET | options)


def step(model):
    return model.train_on_batch(*trigrams(16), optimizer="sgd")


WHERE = {"callback": (lambda function: function, WITHIN), "thread": (in_thread, BUSY)}


@pytest.mark.parametrize(("where", "said"), WHERE.values(), ids=WHERE)
@pytest.mark.parametrize("function", [fit, step])
def test_a_second_training_at_the_same_time_is_refused(function, where, said):
    calls, model, want = Calls(where(function)), tiny_model(), tiny_model()
    fit(model, epochs=2, callbacks=[calls])
    fit(want, epochs=2)
    assert calls.got.startswith(said)
    assert bits(model.parameters) == bits(want.parameters)
    assert len(model.history.epochs) == 2
    function(model)  # afterwards it is allowed


@pytest.mark.parametrize("where", [lambda function: function, in_thread], ids=["callback", "thread"])
def test_other_calls_are_allowed_while_fit_runs(where):
    x, y = trigrams(40)
    for function in (lambda model: model.predict(x), lambda model: model.evaluate(x, y)["loss"], copy.deepcopy):
        calls = Calls(where(function))
        fit(tiny_model(), callbacks=[calls])
        assert not isinstance(calls.got, str)
    calls = Calls(lambda model: fit(copy.deepcopy(model), optimizer=fn.SGD(0.1)))
    fit(tiny_model(), callbacks=[calls])
    assert len(calls.got.epochs) == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda model, x, y: model.predict(x),
        lambda model, x, y: model.evaluate(x, y),
        lambda model, x, y: model.loss_and_gradients(x, y),
        lambda model, x, y: model.train_on_batch(x, y, optimizer="sgd"),
        lambda model, x, y: model.batch_loss(x, y)(),
    ],
    ids=["predict", "evaluate", "loss_and_gradients", "train_on_batch", "batch_loss"],
)
def test_one_thread_at_a_time_has_the_compiled_steps(call, monkeypatch):
    """Two would write into the same memory, as kernels run without the interpreter's lock."""
    model, held, start = tiny_model(), [], DataPass.start

    def noted(*given, **named):
        held.append(model._lock._steps._is_owned())
        start(*given, **named)

    monkeypatch.setattr(DataPass, "start", noted)
    call(model, *trigrams(16))
    assert held == [True]
    assert not model._lock._steps._is_owned()


class InterruptAt:
    """Raises KeyboardInterrupt at the line with this number of those that run in lock.py.

    Not at the end of a `with` of a lock of Python's own, nor at a `pass` in it, which is that end: there Python
    looks at no signal until the lock is free.
    """

    def __init__(self, number):
        self.left, self.came = number, False

    def __call__(self, frame, event, argument):
        return self if frame.f_code.co_filename == lock.__file__ and self._goes_on(frame, event) else None

    def _goes_on(self, frame, event):
        line = linecache.getline(lock.__file__, frame.f_lineno).strip()
        if event != "line" or line.startswith(("with ", "pass")):
            return True
        self.left -= 1
        if self.left == 0:
            self.came = True
            raise KeyboardInterrupt
        return True


def interrupted(function, model, number):
    """Call the function with Ctrl-C at that line; whether there was such a line."""
    interrupt = InterruptAt(number)
    before = sys.gettrace()
    sys.settrace(interrupt)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            function(model)
    finally:
        sys.settrace(before)
    return interrupt.came


@pytest.mark.parametrize("function", [fit, step, lambda model: model.predict(trigrams(9)[0])])
def test_an_interrupt_at_any_line_of_the_lock_leaves_the_model_free(function):
    """In a loop of short calls one of fifty comes there, and the next call would wait for ever."""
    optimizer, number = fn.SGD(0.1), 1
    model = tiny_model()
    while interrupted(
        lambda model: fit(model, optimizer=optimizer) if function is fit else function(model), model, number
    ):
        got = []
        thread = threading.Thread(target=lambda: got.append(fit(model, optimizer=optimizer)), daemon=True)  # noqa: B023
        thread.start()
        thread.join(100)
        assert got, f"waits, or refused, after an interrupt at line {number} of those that ran"
        number += 1
    assert number > 2


@pytest.mark.parametrize("function", [step, lambda model: model.loss_and_gradients(*trigrams(16))[0]])
def test_an_interrupt_while_a_batch_is_bound_leaves_nothing_half_bound(function, monkeypatch):
    def interrupted(runner, *arguments):
        monkeypatch.undo()
        raise KeyboardInterrupt

    model, want = tiny_model(), tiny_model()
    model.loss_and_gradients(*trigrams(16, seed=1))
    step(want)
    monkeypatch.setattr(DataPass, "_bind", interrupted)
    with pytest.raises(KeyboardInterrupt):
        step(model)
    step(model)
    assert bits(model.parameters) == bits(want.parameters)
    assert function(model) == function(want)


def test_a_training_that_failed_leaves_the_model_free():
    model = tiny_model()
    with pytest.raises(ZeroDivisionError):
        fit(model, callbacks=[Calls(lambda model: 1 / 0)])
    fit(model)
    fit(pickle.loads(pickle.dumps(model)))


def test_a_metric_that_calls_the_model_is_refused_and_does_not_wait_for_ever():
    x, y = trigrams(40)

    def own(y_true, y_pred):
        return float(model.predict(x).mean())

    model = tiny_model(metrics=(own,))
    with pytest.raises(FastnnError, match="called from within a call of it"):
        model.evaluate(x, y)
    assert model.predict(x).shape == (40, 11)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_a_child_forked_while_another_thread_predicts_does_not_wait_for_it():
    code = """
import os, threading, time, warnings
import numpy as np
from tests.tiny import tiny_model, trigrams
warnings.simplefilter("ignore")  # of forking with threads

x, y = trigrams(40)
inside, go_on = threading.Event(), threading.Event()

def own(y_true, y_pred):
    inside.set()
    go_on.wait(100)
    return 0.0

model = tiny_model(metrics=(own,))
want = model.predict(x)
thread = threading.Thread(target=model.evaluate, args=(x, y))
thread.start()
inside.wait(100)
child = os.fork()
if not child:
    np.testing.assert_array_equal(model.predict(x), want)
    model.fit(x, y, verbose=False)
    os._exit(7)
for _ in range(600):
    ended, status = os.waitpid(child, os.WNOHANG)
    if ended:
        break
    time.sleep(0.1)
else:
    os.kill(child, 9)
    status = -1
go_on.set()
thread.join()
np.testing.assert_array_equal(model.predict(x), want)
print("child", os.waitstatus_to_exitcode(status) if status >= 0 else "hangs")
"""
    assert python(code).strip() == "child 7"


@pytest.mark.parametrize("where", [lambda function: function, in_thread], ids=["callback", "thread"])
def test_an_optimizer_trains_one_model_at_a_time(where):
    """Its state is that of one of them: two would take each other's steps for their own."""
    optimizer = fn.Adam(0.1)
    calls = Calls(where(lambda model: fit(tiny_model(), optimizer=optimizer)))
    model, want = tiny_model(), tiny_model()
    fit(model, epochs=2, optimizer=optimizer, callbacks=[calls])
    assert calls.got.startswith("this optimizer trains another model now")
    fit(want, epochs=2, optimizer=fn.Adam(0.1))
    assert bits(model.parameters) == bits(want.parameters)
    fit(tiny_model(), optimizer=optimizer)  # one after the other
