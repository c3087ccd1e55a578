"""Reference of sums of rows, and of rows within wider rows."""

__all__ = ["accumulate", "add_rows", "copy_columns", "take_columns"]


def add_rows(out, a, b, n):
    """out[i, :n] = a[i, :n] + b[i, :n]"""
    out[:, :n] = a[:, :n] + b[:, :n]


def accumulate(total, part):
    """total += part"""
    total += part


def _part(rows, P, width, first, n):
    """A view (B, P, n) of n columns of each position, from number `first` on."""
    return rows[:, : P * width].reshape(len(rows), P, width)[:, :, first : first + n]


def copy_columns(out, x, P, width, first, n):
    """out[b, p, first : first + n] = x[b, p], where out is (B, P, width) and x is (B, P, n)"""
    _part(out, P, width, first, n)[:] = _part(x, P, n, 0, n)


def take_columns(dx, dout, P, width, first, n):
    """dx[b, p] = dout[b, p, first : first + n], where dx is (B, P, n) and dout is (B, P, width)"""
    _part(dx, P, n, 0, n)[:] = _part(dout, P, width, first, n)
