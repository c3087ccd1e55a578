"""The command line. Results go to stdout, progress and errors to stderr, one line an error.

Exit status: 0 done, 1 an error in fastnn itself, 2 a flag, a file or a folder is at fault, 3 training diverged,
130 Ctrl-C, 141 nobody reads the output any more, 143 SIGTERM.

Which file to read for what:

- `commands` (all of them), `sections` (help pages), `output`, `stand_ins` (for letters that a
  console lacks) and `standard_input`
- training: `train` (a command for each system), `settings` (their flags), `training` (what it prints)
- sweeps: `sweep` (of a system), `sweep_file` (of a user's model), `sweep_options`, `sweep_output`; `systems` (what
  commands of both kinds share)
- trained models: `predict`, `evaluate`, `numerals` (numbers of a table); `generate`, `score`, `word_vectors`
- the machine and its data: `doctor`, `data`
"""

import contextlib
import errno
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator

import click

from fastnn._interruption import again_where_dropped, end_without_python, raise_again
from fastnn.cli.stand_ins import show_stand_ins
from fastnn.common.errors import FastnnError, NonFiniteError

UNREAD = 141  # 128 and the number of SIGPIPE, as of programs that this signal ends
UNWRITTEN = (errno.ENOSPC, errno.EIO, errno.EFBIG)  # of a file or terminal to which the output goes


def main(arguments: list[str] | None = None) -> int:
    """Run `fastnn` with `arguments` (None: those of the process) and return its exit status.

    Errors become one line on stderr, without a traceback unless FASTNN_DEBUG is set. Handlers of signals are, when it
    returns, those of before.
    """
    show_stand_ins()
    logging.getLogger("fastnn").setLevel(logging.INFO)
    logging.getLogger("fastnn_kernels").setLevel(logging.INFO)
    try:
        with _signals_end_commands():
            _check_text(sys.argv[1:] if arguments is None else arguments)
            from fastnn.cli.commands import fastnn  # here, so that Ctrl-C meanwhile ends as it does later

            return fastnn.main(args=arguments, prog_name="fastnn", standalone_mode=False) or 0
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):  # click and rich end so with 1, which is a fault here
            return UNREAD
        raise
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 0
    except click.ClickException as error:
        return _fail(_told_by_click(error), 2)
    except NonFiniteError as error:
        return _fail(str(error), 3)
    except (click.Abort, KeyboardInterrupt):
        return _fail("interrupted", 130)
    except (FastnnError, ValueError, TypeError, OSError, MemoryError) as error:
        if os.environ.get("FASTNN_DEBUG"):
            raise
        return _fail(_told(error), 2)
    except Exception as error:
        if os.environ.get("FASTNN_DEBUG"):
            raise
        what = f"{type(error).__name__}: {error}"
        return _fail(f"{what}; this is an error of fastnn's own, FASTNN_DEBUG=1 shows where", 1)


def _told_by_click(error: click.ClickException) -> str:
    """Click's message; what is missing is followed by the command that says what is expected."""
    message = error.format_message()
    if isinstance(error, click.MissingParameter) and error.ctx is not None:
        return f"{message.rstrip('.')}; `{error.ctx.command_path} --help` says what is expected"
    return message


def _check_text(arguments: list[str]) -> None:
    """ValueError for an argument that is no UTF-8 text, as a file name may be: a summary could not hold it."""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            raise ValueError(f"the argument {argument!r} is no UTF-8 text; rename the file or folder") from None


@contextlib.contextmanager
def _signals_end_commands() -> Iterator[None]:
    """In the block SIGTERM raises SystemExit(143) and Ctrl-C KeyboardInterrupt; then both do what they did before."""
    if threading.current_thread() is not threading.main_thread():  # only the main thread may set a handler
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        signal.signal(signal.SIGTERM, _terminate)
        raise_again()
        with again_where_dropped():
            yield
    finally:
        for number, handler in before.items():
            if handler is not None:  # None: not set by Python, which cannot set it again
                signal.signal(number, handler)


def _terminate(number, frame):
    raise SystemExit(128 + number)


def _told(error: Exception) -> str:
    """What a user reads of an error. One of the system that names no file is of what is printed."""
    if isinstance(error, MemoryError):
        return f"not enough memory: {error}"
    if isinstance(error, OSError) and error.errno in UNWRITTEN and error.filename is None:
        return f"cannot write what is printed: {error.strerror}"
    return str(error)


def _fail(message: str, status: int) -> int:
    click.echo(f"fastnn: {' '.join(message.split())}", err=True)
    return status


def script() -> None:
    """The entry point of the installed command."""
    status = main()
    end_without_python()
    sys.exit(status)
