"""The docstrings of what users call: one form, Google's, in which each parameter stands, and examples that run."""

import doctest
import importlib
import inspect
import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastnn as fn
from fastnn.common import errors
from fastnn_kernels._jit import JIT

griffe = pytest.importorskip("griffe", reason="griffe, which reads the docstrings, is not installed")

ROOT = Path(fn.__file__).parent.parent

ESTIMATORS = ("MLPClassifier", "MLPRegressor")

# What is public, family by family, by the path under which users find it.
FAMILIES = {
    "models": ["Model", "Sequential", "Input", "load", "History", "check_gradients", "threads"],
    "layers": [
        *("Activation", "AdaptiveSoftmax", "Add", "AveragePool1D", "AveragePool2D", "BatchNorm", "Columns"),
        *("Concatenate", "Conv1D", "Conv2D", "Dense", "Dropout", "Embedding", "Flatten", "GRU", "GlobalAveragePool"),
        *("LSTM", "LayerNorm", "MaxPool1D", "MaxPool2D", "Reshape", "SampledSoftmax", "Sum"),
        *("layers.Layer", "layers.Join", "layers.Parameter"),
    ],
    "losses": [
        *("BinaryCrossEntropy", "ElementwiseLoss", "Huber", "MAE", "MSE", "Poisson", "SoftmaxCrossEntropy"),
        *("losses.Loss", "losses.get", "losses.from_config"),
    ],
    "optimizers": ["SGD", "AdaGrad", "Adam", "AdamW", "RMSProp", "optimizers.Optimizer", "optimizers.from_config"],
    "schedules": ["CosineDecay", "ExponentialDecay", "StepDecay", "schedules.Schedule", "schedules.from_config"],
    "initializers": [
        *("initializers.Initializer", "initializers.Normal", "initializers.Ones", "initializers.Orthogonal"),
        *(
            "initializers.Scaled",
            "initializers.TruncatedNormal",
            "initializers.Uniform",
            "initializers.Zeros",
            "initializers.get",
        ),
    ],
    "callbacks": [
        *("CSVLogger", "Callback", "Checkpoint", "EarlyStopping", "GradientNorms", "Monitor", "ProgressBar"),
        *("ReduceOnPlateau", "SaveBest", "TensorBoard", "TimeLimit", "callbacks.Run"),
    ],
    "data": [
        *("Dataset", "H5Stream", "Pixels", "Split", "Table", "data.Use", "data.data_folder", "data.fetch"),
        *("data.find_data", "data.generate_blobs", "data.generate_cats_vs_cars", "data.generate_cifar10"),
        *("data.generate_digits", "data.generate_letters", "data.generate_moons", "data.generate_trigrams"),
        *("data.load_cats_vs_cars", "data.load_cifar10", "data.load_idx", "data.load_npz", "data.load_trigram"),
        *("data.load_trigram_hdf5", "data.read_idx", "data.save_cats_vs_cars", "data.save_cifar10"),
        *("data.save_idx", "data.save_npz", "data.save_trigram_hdf5", "data.write_idx"),
    ],
    "plots": [
        f"plots.{name}"
        for name in fn.plots.__all__
        if name.upper() != name  # colours are texts
    ],
    "ops": [f"ops.{name}" for name in fn.ops.__all__],
    "interop": [f"interop.{name}" for name in fn.interop.__all__],
    "language": ["Words", "data.load_text", "data.is_text", "LanguageModel"],
    "many models": ["fit_many", "sweep", "Between", "SweepResult", "find_rate", "RateTest"],
    "ranks": ["distributed"],
    "sklearn": [f"sklearn.{name}" for name in ESTIMATORS if find_spec("sklearn")],
    "errors": [name for name, one in vars(errors).items() if inspect.isclass(one)],
    "numbers": [
        *("random.key", "random.generator", "random.seed_number"),
        *("bfloat16.encoded", "bfloat16.decoded", "bfloat16.is_finite"),
    ],
}
NAMES = [name for family in FAMILIES.values() for name in family]

# Without compiled kernels these examples take up to half a minute.
SLOW = {"plots.decision_boundaries", "sklearn.MLPClassifier", "sklearn.MLPRegressor", "fit_many"}

# What an example may need beside fastnn, and the word that says so.
PACKAGES = {word: word for word in ("torch", "onnx", "onnxruntime", "safetensors", "sklearn", "pandas")}
PACKAGES["TensorBoard"] = "tensorboardX"


def _found(path: str) -> Any:
    """The object that users know as fastnn.<path>."""
    module, _, _ = path.partition(".")
    if module in ("data", "sklearn"):  # `import fastnn` leaves these to be imported
        importlib.import_module(f"fastnn.{module}")
    return attrgetter(path)(fn)


def _members(path: str) -> Iterator[tuple[str, Any]]:
    """What is found under a public name: itself, and of a class its public methods and properties."""
    thing = _found(path)
    yield path, thing
    if not inspect.isclass(thing):
        return
    for name in dir(thing):
        given = [vars(base)[name] for base in thing.__mro__ if name in vars(base) and _is_own(base)]
        # One that has no docstring does what that of the base class says.
        member = next((one for one in given if _text(one)), given[0] if given else None)
        member = getattr(member, "__func__", getattr(member, "fn", member))  # of a class, or of some estimators
        if (name[0] != "_" or name == "__getitem__") and (inspect.isfunction(member) or isinstance(member, property)):
            yield f"{path}.{name}", member


def _is_own(base: type) -> bool:
    return base.__module__.startswith("fastnn")


def _text(thing: Any) -> str:
    return getattr(thing, "__doc__", None) or ""


# Each once: classes inherit from each other.
FOUND = {id(thing): (path, thing) for name in reversed(NAMES) for path, thing in _members(name)}
THINGS = dict(reversed(FOUND.values()))
CLASSES = [path for path, thing in THINGS.items() if inspect.isclass(thing)]


@cache
def _package() -> Any:
    return griffe.load("fastnn", search_paths=[ROOT])


def _place(thing: Any) -> Any:
    """The class or function in griffe's tree, which knows types; None for one that is made at the import."""
    function = thing.fget if isinstance(thing, property) else thing
    try:
        return _package()[f"{function.__module__}.{function.__qualname__}".removeprefix("fastnn.")]
    except KeyError:
        return None


def _sections(thing: Any) -> list[Any]:
    return list(griffe.Docstring(inspect.cleandoc(_text(thing)), parent=_place(thing)).parse("google"))


@cache
def _described(thing: Any, kind: str) -> dict[str, str]:
    """Names and texts in the sections of a kind."""
    found = [section for section in _sections(thing) if section.kind.value == kind]
    return {one.name.lstrip("*"): one.description for section in found for one in section.value}


def _parameters(thing: Any) -> list[str]:
    if isinstance(thing, property) or (inspect.isclass(thing) and issubclass(thing, Exception)):
        return []
    none = ("self", "cls", "positional", "keywords")  # the last two stand where a class has no parameters of its own
    return [name for name in inspect.signature(thing).parameters if name not in none]


def test_all_that_is_public_is_looked_at():
    public = {*fn.__all__, *(f"data.{name}" for name in fn.data.__all__)}
    names = {name for name in public if not inspect.ismodule(attrgetter(name)(fn))}
    assert {id(_found(name)) for name in names} <= {id(_found(name)) for name in NAMES}


@pytest.mark.parametrize("path", THINGS)
def test_first_line_is_a_sentence(path):
    text = inspect.cleandoc(_text(THINGS[path]))
    first, _, rest = text.partition("\n")
    assert first.endswith((".", ":")), f"{path}: {first!r}"
    assert not rest or rest.startswith("\n"), f"{path}: the first line goes on: {rest[:60]!r}"


@pytest.mark.parametrize("path", THINGS)
def test_nothing_in_angle_brackets_is_taken_for_a_tag(path):
    """A page of the site would leave it out: such a name stands in backticks."""
    prose = [line for line in _text(THINGS[path]).splitlines() if not line.lstrip().startswith((">>>", "...", "<"))]
    assert re.findall(r"<[a-z/][^>]*>", re.sub(r"`[^`]*`", "", "\n".join(prose))) == []


@pytest.mark.parametrize("path", THINGS)
def test_each_parameter_is_described_and_nothing_else(path, caplog):
    thing = THINGS[path]
    assert list(_described(thing, "parameters")) == _parameters(thing)
    assert not caplog.messages  # griffe warns of what it cannot read


@pytest.mark.parametrize("path", CLASSES)
def test_attributes_are_there(path):
    thing = THINGS[path]
    sources = [inspect.getsource(base) for base in thing.__mro__ if _is_own(base)]
    for name in _described(thing, "attributes"):
        assert any(name in source for source in sources), name


@pytest.mark.parametrize("path", CLASSES)
def test_what_is_inherited_is_described_in_the_same_words(path):
    thing = THINGS[path]
    for name, text in _described(thing, "parameters").items():
        owner = next((base for base in thing.__mro__ if name in vars(base).get("__annotations__", {})), thing)
        if name in _described(owner, "parameters"):
            assert text == _described(owner, "parameters")[name], f"{name} of {owner.__name__}"


def _namespace() -> dict[str, Any]:
    """What examples find: a small model, and data for it."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 4)).astype(np.float32), np.arange(30) % 3
    model = fn.Sequential([fn.Dense(8, "relu"), fn.Dense(3)], input_shape=4)
    return {"fn": fn, "np": np, "x": x, "y": y, "model": model}


@pytest.mark.parametrize("path", [path for path, thing in THINGS.items() if ">>>" in _text(thing)])
def test_examples_run(path, tmp_path, monkeypatch):
    if path in SLOW and not JIT:
        pytest.skip("a training that is too long without compiled kernels")
    text = _text(THINGS[path])
    for word, package in PACKAGES.items():
        if word in text.partition(">>>")[2]:
            pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)
    told: list[str] = []
    example = doctest.DocTestParser().get_doctest(inspect.cleandoc(text), _namespace(), path, None, 0)
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example, out=told.append)
    assert not told, "".join(told)
