"""The verbs from a shell. One file a verb; each loads what it needs only when it runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from mcost.cli.registry import build

__all__ = ["main"]

# What typer raises for a wrong command line: its own class from 0.29 on, click's before.
_UsageError: type[Exception] = typer.BadParameter.__bases__[0]


def main(argv: Sequence[str] | None = None) -> None:
    """Runs ``mcost``: exit 0 on success, 1 when a check fails, 2 on bad input.

    Bad input is one line on standard error, never a traceback.
    """
    sys.exit(_run(list(sys.argv[1:] if argv is None else argv)))


def _run(arguments: list[str]) -> int:
    command = typer.main.get_command(build())
    try:
        done = command.main(args=arguments, prog_name="mcost", standalone_mode=False)
    except (typer.Abort, KeyboardInterrupt):
        return _fail("interrupted", 130)
    except _UsageError as error:
        return _usage(error)
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:
        return _fail(f"{error.filename or 'file'}: {error.strerror or error}")
    except ValueError as error:
        return _fail(str(error))
    return done if isinstance(done, int) else 0


def _usage(error: Exception) -> int:
    """One line for a wrong command line; the help itself when there was no verb at all."""
    if type(error).__name__ == "NoArgsIsHelpError":
        print(error, file=sys.stderr)
        return 2
    message = getattr(error, "format_message", error.__str__)
    return _fail(message())


def _fail(message: str, code: int = 2) -> int:
    print("mcost: " + " ".join(message.split()), file=sys.stderr)
    return code
