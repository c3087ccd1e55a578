"""The exceptions that fastnn raises. Each message says what was given and what was expected."""


class FastnnError(Exception):
    """The base class of fastnn's own exceptions. Wrong arguments raise Python's ValueError or TypeError.

    Examples:
        >>> try:
        ...     model.predict([[1.0, 2.0]])
        ... except fn.FastnnError as error:
        ...     print(type(error).__name__)
        ShapeError
    """


class ShapeError(FastnnError, ValueError):
    """Shapes of arrays or layers do not fit together."""


class DataError(FastnnError, ValueError):
    """Data cannot be used: an id out of range, NaN, an empty set, an unknown word."""


class FileFormatError(FastnnError, ValueError):
    """A file is missing, cut short, damaged or of another layout, or cannot be written."""


class NonFiniteError(FastnnError, ArithmeticError):
    """Training produced NaN or infinity."""


class OutOfMemoryError(FastnnError, MemoryError):
    """More memory is needed than there is; nothing was taken. The message gives both in bytes."""


class MissingPackageError(FastnnError, ImportError):
    """An optional package is not installed; the message names the extra of fastnn that installs it."""


def not_defined(thing: object, method: str) -> NotImplementedError:
    """What to raise where a user's own class lacks a method of its base that it must have."""
    return NotImplementedError(f"{type(thing).__name__} has no {method} of its own, which it needs: define it")
