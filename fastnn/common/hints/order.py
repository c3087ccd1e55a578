"""Arguments by position in the order of other libraries, such as the size of a layer's input first: what was meant."""

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any, NamedTuple

from fastnn.common.plain import plain


class _Order(NamedTuple):
    """How it is seen that a layer was given the size of its input first: `argument` of ours, at `place`, is a size.

    kept : how many of the sizes behind the first one are ours
    """

    argument: str
    place: int
    kept: int


# A layer -> where a size by position can only be one of the order of PyTorch.
INPUT_FIRST: Mapping[str, _Order] = {
    "Dense": _Order("activation", 1, 1),
    "GRU": _Order("return_sequences", 1, 1),
    "LSTM": _Order("return_sequences", 1, 1),
    "Conv1D": _Order("activation", 2, 2),
    "Conv2D": _Order("activation", 2, 2),
    "AdaptiveSoftmax": _Order("cutoffs", 1, 1),
    "BatchNorm": _Order("momentum", 0, 0),
    "LayerNorm": _Order("eps", 0, 0),
}
LARGEST = 2**31
PADDINGS = ("same", "valid", "causal")


def misplaced(owner: str, names: Sequence[str], given: Sequence[Any]) -> str:
    """Why `given`, the arguments by position of a call of `owner`, are in another order; "" if they may be in ours.

    names : of the arguments of `owner`, in order
    """
    order = INPUT_FIRST.get(owner)
    if order and given[order.place :] and names[order.place] == order.argument and _is_size(order, given):
        return _input_first(owner, order, given)
    for name, value in zip(names, given, strict=False):
        if isinstance(value, str) and value in PADDINGS and "padding" in names and name != "padding":
            return f"{owner}: {name} is {value!r}; the padding is given by name: padding={value!r}"
    return ""


def doubtful(owner: str, names: Sequence[str], given: Sequence[Any]) -> str:
    """Why `given` may be meant in another order, though it can be what is written; "" of what leaves no doubt.

    A sampled softmax may draw more classes than there are, but then one over all classes takes less time.
    """
    if owner != "SampledSoftmax" or tuple(names[:2]) != ("units", "samples") or not all(map(_is_whole, given[:2])):
        return ""
    if len(given) < 2 or given[1] <= given[0]:
        return ""
    units, samples = map(int, given[:2])
    return (
        f"{owner}({units}, {samples}) has {units:,} classes, of which it draws {samples:,}. It takes no size of its "
        f"input: for {samples:,} classes write {owner}({samples}); if it is meant, {owner}({units}, samples={samples})"
    )


def _input_first(owner: str, order: _Order, given: Sequence[Any]) -> str:
    shown = [f"{plain(one)!r:.60}" for one in given]
    kept = f"{owner}({', '.join(shown[1 : 1 + order.kept])})"
    told = f"{owner} takes no size of its input, which is counted from the layer before: write {kept}"
    if order.place < 2:
        return told
    strided = f"{owner}({shown[0]}, {shown[1]}, stride={shown[2]})"
    if isinstance(given[1], Integral):
        return f'{told}, with padding="valid" to pad nothing, as PyTorch does; for a stride, {strided}'
    return f"{owner}: activation is {shown[2]}; a stride is given by name: {strided}"


def _is_size(order: _Order, given: Sequence[Any]) -> bool:
    """Whether the argument at `order.place` is a size, or a tuple of sizes, and nothing that may stand there."""
    value = given[order.place]
    if order.argument == "cutoffs":  # one alone, without a list, is less than the classes
        return _is_whole(value) and _is_whole(given[0]) and int(value) > int(given[0])
    if isinstance(value, list | tuple):
        return bool(value) and all(map(_is_whole, value))
    return _is_whole(value) and (int(value) > 1 or order.argument != "return_sequences")  # 1 is True


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and 1 <= int(value) < LARGEST
