"""Makes a Python under Linux behave as under Windows where a program is often wrong about it.

    PYTHONPATH=tests/imitated:. python -m pytest tests/…

runs tests in such a Python, and the Pythons that they start are such ones, too. For this project's files,
`os.name` is "nt", `os` and `signal` lack what they lack there, modules such as `fcntl` are missing, and `os.kill` ends
the process. Nobody makes a symbolic link; a file that this process holds open is neither removed nor replaced; folders
are not opened, nor names with one of `:<>"|?*`; there is no /proc; written lines of texts end with CR LF.
Not imitated: drives and backslashes, encodings, the status of an ended process, files that other processes hold open.
"""

import builtins
import errno
import io
import os
import re
import signal
import subprocess
import sys
import types

from missing_names import MODULES, NAMES

PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
REFUSED = re.compile(r'[:<>"|?*]')


def by_this_project():
    """Whether the caller of what is imitated is a file of this project: others keep what they have under Linux."""
    name = sys._getframe(2).f_globals.get("__file__", "")
    return not name or name.startswith(PROJECT)  # the code of `python -c` has no file


def seen_as(module, missing=(), **other):
    """Let the project's files see a module without the `missing` names, and with other values of some."""

    class Module(types.ModuleType):
        def __getattribute__(self, name):
            if name in missing and by_this_project():
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r} under Windows")
            if name in other and by_this_project():
                return other[name]
            return super().__getattribute__(name)

    module.__class__ = Module


def refused(function):
    """The same function, which refuses a name that a Windows file system cannot have."""

    def checked(name, *arguments, **keywords):
        if isinstance(name, str | os.PathLike) and REFUSED.search(os.path.basename(os.fspath(name))):
            raise OSError(errno.EINVAL, "Invalid argument (as under Windows)", os.fspath(name))
        return function(name, *arguments, **keywords)

    return checked


def no_folder(function):
    """The same function, which refuses folders if it is this project that asks."""

    def checked(name, *arguments, **keywords):
        if by_this_project() and os.path.isdir(name):
            raise PermissionError(errno.EACCES, "Permission denied (as under Windows)", os.fspath(name))
        return function(name, *arguments, **keywords)

    return checked


def without_proc(path, _exists=os.path.exists):
    return not (by_this_project() and os.fspath(path).startswith("/proc/")) and _exists(path)


def with_ends_of_lines(function):
    """`open`, by which the lines of a text end as under Windows."""

    def opened(file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, *arguments, **keywords):
        if newline is None and "b" not in mode and {*mode} & {*"wax+"}:
            newline = "\r\n"
        return function(file, mode, buffering, encoding, errors, newline, *arguments, **keywords)

    return opened


def held_open():
    """The files that this process holds open or has mapped."""
    for number in os.listdir("/proc/self/fd"):
        try:
            yield os.readlink(f"/proc/self/fd/{number}")
        except OSError:  # closed meanwhile, as the one by which the folder was listed
            continue
    with open("/proc/self/maps", encoding="utf-8") as file:
        yield from (line.split(maxsplit=5)[5].rstrip("\n") for line in file if "/" in line)


def in_use(function, places):
    """The same function, which refuses a file that this process holds open."""

    def checked(*arguments, **keywords):
        folder = keywords.get("dir_fd")
        head = os.readlink(f"/proc/self/fd/{folder}") if folder is not None else os.getcwd()
        names = [os.path.join(head, os.fsdecode(name)) for name in arguments[:places]]
        names = {os.path.join(os.path.realpath(os.path.dirname(name)), os.path.basename(name)) for name in names}
        if found := names & {*held_open()}:
            raise PermissionError(errno.EACCES, "the file is in use (as under Windows)", found.pop())
        return function(*arguments, **keywords)

    return checked


def kill(process, number, _kill=os.kill):
    if by_this_project() and process == os.getpid() and number != 0:
        raise RuntimeError("os.kill(os.getpid(), ...) ends the process under Windows; signal.raise_signal does not")
    _kill(process, number)


def send_signal(child, number, _send=subprocess.Popen.send_signal):
    if by_this_project() and number != signal.SIGTERM:
        raise ValueError(f"Unsupported signal: {number}")
    _send(child, number)


def no_link(*arguments, **keywords):
    raise OSError(errno.EINVAL, "A required privilege is not held by the client (as under Windows)")


def imported(name, *arguments, _import=builtins.__import__, **keywords):
    if name in MODULES and by_this_project():
        raise ModuleNotFoundError(f"No module named {name!r} under Windows", name=name)
    return _import(name, *arguments, **keywords)


if sys.platform == "linux":
    os.kill, os.symlink, builtins.__import__ = kill, no_link, imported
    subprocess.Popen.send_signal = send_signal
    subprocess.Popen.kill = subprocess.Popen.terminate
    for module, name in ((os, "open"), (os, "mkdir")):
        setattr(module, name, refused(getattr(module, name)))
    builtins.open = io.open = refused(with_ends_of_lines(open))
    for name, places in (("unlink", 1), ("remove", 1), ("replace", 2), ("rename", 2)):
        setattr(os, name, in_use(getattr(os, name), places))
    os.open, os.path.exists = no_folder(os.open), without_proc
    seen_as(os, NAMES["os"], name="nt")
    seen_as(signal, NAMES["signal"])
    seen_as(sys, platform="win32")
