"""`lamina run`: a program as Python or Jupyter would run it, with TensorFlow's names bound."""

import ast
import importlib
import linecache
import os
import sys
import types
import warnings
from pathlib import Path
from typing import Any

from lamina.cli.magics import NAME
from lamina.cli.notebook import Notebook, display
from lamina.cli.programs import Cell, read_program
from lamina.cli.tracebacks import print_error, show_in_threads
from lamina.scope import aliases

__all__ = ["run"]


def run(program: str, args: list[str], full: bool = False) -> int:
    """Run a program in this process, as its `__main__`.

    Args:
        program: The path of a .py or .ipynb file.
        args: What the program finds in `sys.argv` after its own name.
        full: Whether tracebacks show lamina's own frames.

    Returns:
        The exit status.

    Raises:
        BadUsage: it is not a program.
    """
    path = Path(program)
    cells = read_program(path)
    _without_display()
    aliases.install()
    show_in_threads(full)
    sys.argv = [program, *args]
    sys.path[0:0] = [str(path.resolve().parent)]
    main = _make_main(path, cells)
    try:
        for cell in cells:
            _execute(cell, main.__dict__)
    except SystemExit as error:
        return _status(error)
    except KeyboardInterrupt as error:
        print_error(error, full)
        return 130
    except BaseException as error:  # whatever the program raises is its own
        print_error(error, full)
        return 1
    finally:
        sys.stdout.flush()
    return 0


def _status(error: SystemExit) -> int:
    if error.code is None or isinstance(error.code, int):
        return error.code or 0
    sys.stderr.write(f"{error.code}\n")
    return 1


def _without_display() -> None:
    """Let Matplotlib draw into files where no screen is."""
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        os.environ.setdefault("MPLBACKEND", "Agg")
    warnings.filterwarnings("ignore", message=".*is non-interactive, and thus cannot be shown")


def _make_main(path: Path, cells: list[Cell]) -> types.ModuleType:
    main = types.ModuleType("__main__")
    main.__file__ = str(path)
    main.__dict__["__builtins__"] = __builtins__
    if path.suffix == ".ipynb":
        book = Notebook(main.__dict__)
        main.__dict__.update({NAME: book, "display": display, "get_ipython": lambda: book})
    elif _imports_relatively(cells[0].source):
        main.__package__ = _package_of(path.resolve())
    sys.modules["__main__"] = main
    return main


def _imports_relatively(source: str) -> bool:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return False
    return any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree))


def _package_of(path: Path) -> str:
    """Import the package that a script lies in, for its relative imports; return the name."""
    folder = path.parent
    names = [folder.name]
    while (folder.parent / "__init__.py").exists():
        folder = folder.parent
        names.insert(0, folder.name)
    sys.path.insert(1, str(folder.parent))
    name = ".".join(names)
    importlib.import_module(name)
    return name


def _execute(cell: Cell, namespace: dict[str, Any]) -> None:
    if cell.number is None:
        exec(compile(cell.source, cell.name, "exec", dont_inherit=True), namespace)
        return
    lines = cell.source.splitlines(keepends=True)
    linecache.cache[cell.name] = (len(cell.source), None, lines, cell.name)
    tree = ast.parse(cell.source, cell.name)
    last = tree.body[-1] if tree.body else None
    shown = isinstance(last, ast.Expr) and not cell.source.rstrip().endswith(";")
    if shown:
        tree.body.pop()
    exec(compile(tree, cell.name, "exec", dont_inherit=True), namespace)
    if shown and isinstance(last, ast.Expr):
        value = eval(
            compile(ast.Expression(last.value), cell.name, "eval", dont_inherit=True), namespace
        )
        if value is not None:
            display(value)
