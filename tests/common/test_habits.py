"""The mechanism that turns a wrong argument or attribute into a hint: what it refuses, and what it leaves alone."""

import copy
import pickle
import re
import warnings
from dataclasses import dataclass

import numpy as np
import pytest

import fastnn as fn
from fastnn.common.hints import arguments, attributes, examples, habits, names, order, values
from tests.tiny import dense_model


class Base(habits.Hinted):
    def __init__(self, lr, clip=None):
        self.lr, self.clip = lr, clip


class Passing(Base):
    def __init__(self, lr=0.1, beta=0.9, **shared: "Unpack[Shared]"):  # noqa: F821
        super().__init__(lr, **shared)


class Taking(Base):
    def __init__(self, **anything):
        super().__init__(anything["rate"])


@dataclass(frozen=True)
class Frozen(habits.Hinted):
    units: int
    rate: float = 0.5


REFUSED = [
    (lambda: Base(1, klip=2), "Base has no argument 'klip'; did you mean clip?"),
    (lambda: Base(1, zz=2), "Base has no argument 'zz'; known: clip, lr"),
    (lambda: Base(1, 2, 3), "Base takes 2 arguments by position, got 3"),
    (lambda: Base(1, lr=2), "Base got lr twice, by position and by name"),
    (lambda: Base(clip=2), "Base needs lr="),
    (lambda: Passing(klip=2), "Passing has no argument 'klip'; did you mean clip?"),
    (lambda: Frozen(3, rat=1), "Frozen has no argument 'rat'; did you mean rate?"),
    (lambda: Frozen(rate=1), "Frozen needs units="),
    (lambda: type("Bare", (habits.Hinted,), {})(3), "Bare takes no argument by position, got 1"),
    (lambda: type("Bare", (habits.Hinted,), {})(x=3), "Bare has no argument 'x'; known: "),
]


@pytest.mark.parametrize(("call", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_calls_that_are_refused(call, message):
    with pytest.raises(TypeError) as caught:
        call()
    assert str(caught.value) == message


def test_calls_that_are_left_alone():
    assert (Base(1, clip=2).clip, Passing(clip=3).clip, Taking(rate=4).lr, Frozen(5).rate) == (2, 3, 4, 0.5)
    for made in (Base(1), Frozen(2), Passing()):
        assert (
            vars(copy.copy(made)) == vars(copy.deepcopy(made)) == vars(pickle.loads(pickle.dumps(made))) == vars(made)
        )


def test_an_attribute_that_is_not_there():
    base = Base(1)
    assert not hasattr(base, "clipp")
    with pytest.raises(AttributeError, match=r"^Base has no attribute 'clipp'; did you mean clip\?$"):
        base.clipp  # noqa: B018
    with pytest.raises(AttributeError, match=r"^Base has no attribute 'zzz'$"):
        base.zzz  # noqa: B018
    with pytest.raises(AttributeError, match=r"^Base has no attribute '_clip'$"):
        base._clip  # noqa: B018
    base.zzz = 3  # no foreign name: a user's own
    assert base.zzz == 3


def test_what_is_not_there_is_looked_for_only_where_somebody_reads_it(monkeypatch):
    def looked(*_):
        raise AssertionError("near names were looked for")

    monkeypatch.setattr("fastnn.common.hints.assignment.nearest", looked)
    thing = fn.SGD(0.1)
    assert getattr(thing, "eps", None) is None
    assert not hasattr(thing, "clipp")
    monkeypatch.undo()
    with pytest.raises(AttributeError) as caught:
        _ = thing.clip_nrm
    assert str(caught.value) == str(pickle.loads(pickle.dumps(caught.value)))
    assert repr(caught.value) == "AttributeError(\"SGD has no attribute 'clip_nrm'; did you mean clip_norm?\")"


def test_a_property_that_fails_says_its_own_error():
    class Half(Base):
        @property
        def half(self):
            return self.lrr / 2

    with pytest.raises(AttributeError, match=r"^Half has no attribute 'lrr'; did you mean lr\?$"):
        Half(1).half  # noqa: B018


def test_what_would_be_assigned_in_vain_is_refused():
    optimizer = fn.SGD(0.1)
    with pytest.raises(AttributeError, match=r"^SGD has no attribute 'learning_rate'; use lr, which may be assigned$"):
        optimizer.learning_rate = 0.2

    class Mine(fn.SGD):
        learning_rate = property(lambda self: self.lr, lambda self, value: setattr(self, "lr", value))

    mine = Mine(0.1)
    mine.learning_rate = 0.2
    assert mine.lr == 0.2


UNREAD = {
    "a setting that fastnn has not": (fn.Adam, "amsgrad", "Adam has no attribute 'amsgrad'; a subclass of your own"),
    "a slip": (fn.EarlyStopping, "patence", r"EarlyStopping has no attribute 'patence'; did you mean patience\?$"),
    "of a callback": (fn.EarlyStopping, "start_from_epoch", "EarlyStopping has no attribute 'start_from_epoch'; a "),
    "of a record": (fn.History, "zzz", "History has no attribute 'zzz'; a subclass"),
    "of a model": (dense_model, "preprocesing", r"Sequential has no attribute 'preprocesing'; did you mean prepr"),
}


@pytest.mark.parametrize("case", UNREAD)
def test_an_attribute_that_nobody_would_read_is_refused(case):
    make, name, message = UNREAD[case]
    made = make()
    before = {**vars(made)}
    with pytest.raises(AttributeError, match=f"^{message}"):
        setattr(made, name, 1)
    assert vars(made) == before


def test_users_hang_their_own_on_models_and_on_what_they_subclass():
    class Mine(fn.EarlyStopping):
        patience_left: int

        def on_epoch_end(self, run):
            self.patience_left = self.patience - self.waited
            run.seen = self.seen = run.epoch

    model, mine = dense_model(), Mine("loss")
    model.threshold, mine.patence, mine._note = 0.3, 5, "x"
    model.fit(np.ones((4, 5)), np.ones(4, int), callbacks=[mine], verbose=False)
    assert (model.threshold, mine.patence, mine.patience_left, mine.seen) == (0.3, 5, 3, 1)


def test_a_run_is_ended_by_a_call():
    class Keras(fn.Callback):
        def on_epoch_end(self, run):
            run.stop_training = True

    with pytest.raises(AttributeError, match=r'^Run has no attribute \'stop_training\'; call run.stop\("why"\)$'):
        dense_model().fit(np.ones((4, 5)), np.ones(4, int), callbacks=[Keras()], verbose=False)


def test_hinted_methods_keep_their_name_signature_and_errors():
    assert fn.Model.fit.__name__ == "fit"
    assert "epochs" in fn.Model.fit.__doc__

    class Thing:
        @habits.hinted
        def fit(self, x, *, optimizer):
            raise TypeError("inside")

    with pytest.raises(TypeError, match=r"^inside$"):
        Thing().fit(1, optimizer=2)
    with pytest.raises(TypeError, match=r"^fit needs x=; for example model\.fit"):
        Thing().fit(optimizer=2)


def test_a_warning_points_at_the_user_s_line():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fn.Sequential([fn.Dense(3, "sigmoid")], input_shape=2)
    assert [warning.filename for warning in caught] == [__file__]


def test_no_row_hides_a_name_of_ours():
    """A hint is for a name that fastnn has not: rows for what was built since would be wrong, or dead."""
    assert not set(names.MODULE) & set(fn.__all__)
    classes = {name: getattr(fn, name, None) for name in arguments.ARGUMENTS}
    classes |= {
        name: getattr(fn.optimizers, name, None) or getattr(fn.layers, name, None) for name in ("Optimizer", "Layer")
    }
    for name, kind in classes.items():
        if isinstance(kind, type):
            takes = habits._arguments_of(kind)
            assert not set(arguments.ARGUMENTS[name]) & set(takes.names if takes else ()), name
            assert not set(attributes.ATTRIBUTES.get(name, ())) & set(dir(kind)), name


def test_hints_speak_of_names_that_there_are():
    texts = [*names.MODULE.values(), *examples.EXAMPLES.values()]
    for tables in (arguments.ARGUMENTS, attributes.ATTRIBUTES, values.VALUES):
        texts += [text for table in tables.values() for text in table.values()]
    spoken = {word.split("fn.")[1] for text in texts for word in re.findall(r"fn\.\w+", text)}
    assert spoken
    assert not {name for name in spoken if not hasattr(fn, name)}


def test_the_order_of_another_library_is_looked_for_where_ours_has_the_same_arguments():
    assert order.misplaced("Dense", ("units", "copies"), (3, 4)) == ""
    assert order.misplaced("Dense", ("units", "activation"), (3, "relu")) == ""
    assert order.misplaced("GRU", ("units", "return_sequences"), (np.int64(3), True)) == ""
    assert order.misplaced("Sum", (), ()) == ""
    assert order.misplaced("GRU", ("units", "return_sequences"), (3, np.int64(4))).endswith("write GRU(4)")
    assert [order.misplaced("BatchNorm", ("momentum", "eps"), (one,)) for one in (0, 0.9, True, -1, 10**99)] == [""] * 5


def test_a_call_that_can_be_meant_in_another_order_is_doubted_not_refused():
    with pytest.warns(UserWarning, match=r"64 classes, of which it draws 1,000.* for 1,000 classes write .*\(1000\)"):
        layer = fn.SampledSoftmax(64, 1000)
    assert layer == fn.SampledSoftmax(64, samples=1000)  # which says what is meant
    assert fn.SampledSoftmax(np.int64(64), np.int32(64)).samples == 64
    assert fn.SampledSoftmax(5).samples == 256


def test_only_sizes_of_a_sampled_softmax_are_doubted():
    names = ("units", "samples")
    assert order.doubtful("SampledSoftmax", names, (np.int64(3), np.int64(4)))
    for given in ((), (3,), (4, 3), (3, 3), (3, "4"), (3, 4.5), (True, 4), (3, -1)):
        assert order.doubtful("SampledSoftmax", names, given) == ""
    assert order.doubtful("SampledSoftmax", ("units", "other"), (3, 4)) == ""
    assert order.doubtful("Dense", names, (3, 4)) == ""
