"""A picture from a PNG or JPEG file as an array of pixels, of the size that a network takes."""

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnn.common.errors import DataError, FileFormatError

FORMATS = {b"\x89PNG\r\n\x1a\n": "PNG", b"\xff\xd8\xff": "JPEG"}  # by the first bytes
DEEP = ("I", "F")  # how Pillow calls modes of more than 8 bits begin with these


def is_picture(content: bytes) -> bool:
    """Whether a file that begins so is a PNG or JPEG file."""
    return any(content.startswith(first) for first in FORMATS)


def read_picture(content: bytes, name: str, shape: tuple[int, ...], resize: bool = False) -> NDArray[np.uint8]:
    """Pixels 0 to 255 of `shape`, (H, W) or (H, W, 3), from the bytes of a PNG or JPEG file.

    name   : what messages call the file
    resize : whether a picture of another size is scaled, bilinearly

    Colours become grey where `shape` has none (ITU-R 601 luma), grey becomes colour; what is transparent is black; the
    orientation that a camera wrote down is applied. FileFormatError if the file is damaged or of another format,
    DataError for another size, or for pixels of more than 8 bits.
    """
    height, width, *colours = shape
    if colours not in ([], [1], [3]):
        raise DataError(f"{name}: a picture has 1 or 3 colours, this model takes {colours[0]}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _read(content, name, (width, height), "RGB" if colours == [3] else "L", resize).reshape(shape)
    except (FileFormatError, DataError):
        raise
    except Exception as error:  # a damaged byte decides which of many classes Pillow raises
        raise FileFormatError(f"{name}: no picture can be read from it: {' '.join(str(error).split())}") from error


def _read(content: bytes, name: str, size: tuple[int, int], mode: str, resize: bool) -> NDArray[np.uint8]:
    from PIL import Image, ImageOps  # here, so that predictions for words and points do not load it

    warnings.filterwarnings("error", category=Image.DecompressionBombWarning)  # of very many pixels
    with Image.open(io.BytesIO(content), formats=sorted(FORMATS.values())) as file:
        if file.mode.startswith(DEEP):
            raise DataError(f"{name} has pixels of more than 8 bits (mode {file.mode}); convert it to 8 bits a colour")
        if not resize and file.size != size and file.size != size[::-1]:
            raise _other_size(name, file.size, size)  # before anything is unpacked
        picture = _opaque(ImageOps.exif_transpose(file)).convert(mode)
    if picture.size != size:
        if not resize:
            raise _other_size(name, picture.size, size)
        picture = picture.resize(size, Image.Resampling.BILINEAR)
    return np.array(picture, np.uint8)


def _opaque(picture: Any) -> Any:
    from PIL import Image

    if picture.mode not in ("LA", "PA", "RGBA") and "transparency" not in picture.info:
        return picture
    return Image.alpha_composite(Image.new("RGBA", picture.size, "black"), picture.convert("RGBA"))


def _other_size(name: str, found: tuple[int, int], expected: tuple[int, int]) -> DataError:
    (width, height), (w, h) = found, expected
    return DataError(
        f"{name} is {width}×{height} pixels, this model takes {w}×{h}: give --resize, or in Python "
        f"PIL.Image.open({Path(name).name!r}).resize(({w}, {h}))"
    )
