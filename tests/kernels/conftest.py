"""The order of the kernels' tests."""

from fastnn_kernels.registry import REGISTRY

PLACES = {name: place for place, name in enumerate(REGISTRY)}


def pytest_collection_modifyitems(items):
    """Put all cases of one kernel next to each other: then several processes compile different kernels.

    File by file, two of them would go through the registry side by side, and compile everything twice.
    """
    found = {i: _place(item) for i, item in enumerate(items)}
    ours = [i for i, place in found.items() if place is not None]
    ordered = [items[i] for i in sorted(ours, key=found.__getitem__)]
    for i, item in zip(ours, ordered, strict=True):
        items[i] = item


def _place(item):
    """The place of a case's kernel in the registry; None for a test that is not about one kernel."""
    name = getattr(item, "callspec", None) and item.callspec.params.get("name")
    return PLACES.get(name) if item.path.parent.name == "kernels" else None
