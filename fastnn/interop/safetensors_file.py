"""Models as safetensors files."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from fastnn.common import validation
from fastnn.common.errors import FileFormatError
from fastnn.common.files import check_readable, write_whole
from fastnn.common.framed.image import json_of
from fastnn.interop.packages import checked_model, package
from fastnn.loading import model_of, own_layers
from fastnn.models import Model, losses_of
from fastnn.nn.layers import Layer
from fastnn.nn.losses import Loss, LossName
from fastnn.training.models import storage
from fastnn.training.models.storage import Saved

DESCRIPTION = "fastnn"  # the key of the metadata under which the model's description stands
BEFORE = "preprocessing/"  # what the arrays of a preprocessing begin with; names of layers have no "/"


def save_safetensors(model: Model, path: str | Path) -> None:
    """Write the arrays of a model to a safetensors file, whole or not at all, under their names: dense.w, dense.b.

    The model's description is in the file's metadata, as is its `meta`: `load_safetensors(path)` makes the model of it.
    Other readers see arrays in fastnn's shapes; `to_torch` makes a state dict in PyTorch's, for `safetensors.torch`. A
    safetensors file has no checksum: `model.save` finds a damaged byte, this does not.

    Args:
        model: The model, which stays as it is.
        path: The file; one that is there is replaced.

    Raises:
        FileFormatError: If the path cannot be written.
        MissingPackageError: Without the package safetensors.

    Examples:
        >>> fn.interop.save_safetensors(model, "model.safetensors")
    """
    numpy = package("safetensors.numpy", "save_safetensors")
    checked_model(model, "save_safetensors")
    saved = model.saved()
    arrays = {**saved.parameters, **saved.buffers}
    arrays |= {f"{BEFORE}{name}": array for name, array in saved.preprocessing.items()}
    described = {"config": saved.config, "buffers": list(saved.buffers)}
    metadata = {"format": "np", DESCRIPTION: json_of(described, "the model's description or meta")}
    contiguous = {name: np.array(array, order="C") for name, array in arrays.items()}
    write_whole(path, [numpy.save(contiguous, metadata)])


def load_safetensors(
    path: str | Path,
    model: Model | None = None,
    *,
    loss: LossName | Loss | Mapping[str, LossName | Loss] | None = None,
    layers: Iterable[type[Layer]] = (),
) -> Model:
    """The model that `save_safetensors` wrote, or `model` with the arrays of a file of the same names and shapes.

    Args:
        path: The file.
        model: A model that gets the arrays; None: the one that the file describes.
        loss: As in `fn.load`, if no model is given.
        layers: As in `fn.load`, if no model is given.

    Raises:
        FileFormatError: In one line, if the file is missing, damaged, without a description where no model is given, or
            if its arrays have other names or shapes.
        MissingPackageError: Without the package safetensors.

    Examples:
        >>> fn.interop.save_safetensors(model, "model.safetensors")
        >>> fn.interop.load_safetensors("model.safetensors")
        <Sequential of 2 layers, 67 parameters>
    """
    arrays, metadata = _read(path)
    if model is not None:
        checked_model(model, "load_safetensors")
        if loss is not None or layers:
            raise TypeError("load_safetensors got a model beside loss= or layers=, which are for one made of the file")
        return _filled(model, arrays, str(path))
    if DESCRIPTION not in metadata:
        raise FileFormatError(f"{str(path)!r} describes no fastnn model: give one, load_safetensors(path, model)")
    given = None if loss is None else losses_of(loss)
    return model_of(_saved(arrays, metadata[DESCRIPTION], str(path)), given, None, own_layers(layers))


def _read(path: str | Path) -> tuple[dict[str, np.ndarray], Mapping[str, str]]:
    """The arrays of a file and its metadata. FileFormatError for what is no safetensors file."""
    safetensors = package("safetensors", "load_safetensors")
    check_readable(path, "a safetensors file")
    try:
        with safetensors.safe_open(str(path), framework="np") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (safetensors.SafetensorError, OSError, ValueError, TypeError, AttributeError, KeyError) as error:
        reason = " ".join(str(error).split())
        raise FileFormatError(f"{str(path)!r} is no safetensors file that can be read: {reason}") from error


def _saved(arrays: dict[str, np.ndarray], description: str, file: str) -> Saved:
    """A model as plain data: FileFormatError for a description of none."""
    with storage.building(file):
        described = json.loads(description)
        config, buffers = described["config"], set(described["buffers"])
    return storage.checked(
        Saved(
            config,
            {name: array for name, array in arrays.items() if name not in buffers and "/" not in name},
            {name: array for name, array in arrays.items() if name in buffers},
            preprocessing={name.removeprefix(BEFORE): array for name, array in arrays.items() if "/" in name},
            file=file,
        )
    )


def _filled(model: Model, arrays: Mapping[str, np.ndarray], file: str) -> Model:
    """The model with the arrays of a file, in its own dtype. All are checked before one is changed."""
    with storage.building(file):
        own = {name: array for name, array in arrays.items() if not name.startswith(BEFORE)}
        cast = {name: validation.finite(array, name, model.dtype).astype(model.dtype) for name, array in own.items()}
    buffers = {name: array for name, array in cast.items() if name in model.buffers}
    parameters = {name: array for name, array in cast.items() if name not in model.buffers}
    model.restore_saved(Saved({}, parameters, buffers, file=file))
    return model
