"""The exceptions that fastnn raises. Each message says what was given, what was expected and what to do."""


class FastnnError(Exception):
    """Base of every error that fastnn raises on purpose."""


class ShapeError(FastnnError, ValueError):
    """Arrays or layers whose shapes do not fit together."""


class DataError(FastnnError, ValueError):
    """Values that cannot be used: ids out of range, NaN, an empty set, an unknown word."""


class FileFormatError(FastnnError, ValueError):
    """A file that is missing, cut short, damaged or of another layout."""


class NonFiniteError(FastnnError, ArithmeticError):
    """Training produced NaN or infinity."""


class MissingPackageError(FastnnError, ImportError):
    """A package that only an extra of fastnn brings."""
