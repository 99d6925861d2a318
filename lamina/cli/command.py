"""What `lamina run` and `lamina check` are told, and where it goes."""

import argparse
import sys
from collections.abc import Sequence

from rich.console import Console

__all__ = ["BadUsage", "main"]

_RUN = """\
Run a program whose imports say tensorflow, tensorflow.keras, keras or tf_keras, as it is.

PROGRAM is a Python file or a Jupyter notebook. In a notebook `!pip install` and display magics are
left out, other `!` commands run in the shell, and the last expression of a cell is printed.
An uncaught error shows the program's own lines; --full-traceback shows lamina's too.
"""
_CHECK = """\
Read programs without running them, and say what they use of TensorFlow that lamina lacks, has
under another name, or has differently. PATH is a Python file, a notebook, or a folder of them.
"""
_STATUS = """\
exit status: 0 all is there, 1 something is missing, 2 a path cannot be read"""


class BadUsage(Exception):  # noqa: N818  # not the program's error, the command line's
    """What was asked cannot be done: a missing file, a file of another kind."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command `lamina`.

    Args:
        argv: The arguments; None takes those of the process.

    Returns:
        The exit status.
    """
    options = _parser().parse_args(argv)
    try:
        if options.command == "run":
            from lamina.cli.running import run  # a check need not be able to run

            return run(options.program, options.args, full=options.full_traceback)
        from lamina.cli.checking import check_paths
        from lamina.cli.reporting import report

        return report(check_paths(options.paths), as_json=options.json)
    except BadUsage as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(
            f"[bold red]lamina {options.command}[/]: ", end=""
        )
        sys.stderr.write(f"{error}\n")
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "lamina", description="TensorFlow 2 programs on JAX and XLA, without a change."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    raw = argparse.RawDescriptionHelpFormatter
    run = commands.add_parser(
        "run", help="run a program as it is", description=_RUN, formatter_class=raw
    )
    run.add_argument(
        "--full-traceback", action="store_true", help="show lamina's own lines in tracebacks too"
    )
    run.add_argument("program", metavar="PROGRAM", help="a .py or .ipynb file")
    run.add_argument(
        "args", nargs=argparse.REMAINDER, metavar="ARGS", help="what the program finds in sys.argv"
    )
    check = commands.add_parser(
        "check",
        help="say what programs use that is missing",
        description=_CHECK,
        epilog=_STATUS,
        formatter_class=raw,
    )
    check.add_argument("--json", action="store_true", help="print one JSON object")
    check.add_argument("paths", nargs="+", metavar="PATH", help=".py and .ipynb files, or folders")
    return parser
