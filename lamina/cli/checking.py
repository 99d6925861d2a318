"""`lamina check`: what programs use of TensorFlow, found in their source, looked up in lamina."""

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from lamina.cli.command import BadUsage
from lamina.cli.lookup import Found, look_up, look_up_keyword, look_up_method
from lamina.cli.names import Names, Value
from lamina.cli.programs import Cell, find_programs, read_program

__all__ = ["Checked", "Finding", "check_paths"]


@dataclass(frozen=True)
class Finding:
    """A place in a program where TensorFlow is not as the program expects it.

    Attributes:
        file: The program.
        cell: The number of the notebook's code cell; None in a Python file.
        line: The line, in the file or the cell.
        column: The column, from 1.
        symbol: What stands there, in TensorFlow's spelling.
        status: "lacks", "differs" or "older".
        why: What is the matter.
        instead: What to do, or "".
    """

    file: str
    cell: int | None
    line: int
    column: int
    symbol: str
    status: str
    why: str
    instead: str


@dataclass
class Checked:
    """What `check_paths` found.

    Attributes:
        files: The programs that were read.
        findings: What they use that is missing or different, in the order of the source.
        unreadable: Files that could not be read, each with the reason.
    """

    files: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)


def check_paths(paths: Iterable[str]) -> Checked:
    """Read programs, and look up what they use.

    Args:
        paths: Files and folders.

    Returns:
        What was found.

    Raises:
        BadUsage: a path is not there, or holds no program.
    """
    checked = Checked()
    for path in dict.fromkeys(p for given in paths for p in find_programs(Path(given))):
        checked.files.append(str(path))
        try:
            checked.findings += check_program(read_program(path))
        except BadUsage as error:
            checked.unreadable[str(path)] = str(error).removeprefix(f"{path}: ")
        except SyntaxError as error:
            checked.unreadable[str(path)] = _syntax(error)
    return checked


def _syntax(error: SyntaxError) -> str:
    hint = " (Python 2?)" if "print" in (error.msg or "") else ""
    return f"not Python{hint}: {error.msg}, {error.filename}, line {error.lineno}."


def check_program(cells: list[Cell]) -> list[Finding]:
    """Return what one program uses that is missing or different.

    Args:
        cells: The program; the cells share their names.

    Raises:
        SyntaxError: a cell is not Python.
    """
    reader = _Reader()
    for cell in cells:
        reader.cell = cell
        reader.visit(ast.parse(cell.source, cell.name))
    return sorted(
        dict.fromkeys(reader.findings), key=lambda f: (f.cell or 0, f.line, f.column, f.symbol)
    )


class _Reader(Names):
    """Goes through a program, and looks up each name of TensorFlow where it is used."""

    cell: Cell

    def __init__(self) -> None:
        super().__init__()
        self.findings: list[Finding] = []

    def used(self, node: ast.AST, value: Value) -> None:
        """Look up a name at the end of its chain of dots."""
        found = look_up_method(value) if value.is_instance else look_up(value.symbol)
        self._note(node, found)

    def called(self, node: ast.Call, value: Value) -> None:
        """Look up the keyword arguments of a call."""
        for word in node.keywords:
            if word.arg is not None:
                self._note(word, look_up_keyword(value, word.arg))

    def attribute(self, node: ast.Attribute) -> None:
        """Look up a method of something unknown, if the name says enough."""
        self._note(node, look_up_method(Value(f"?.{node.attr}", is_instance=True)))

    def _note(self, node: ast.AST, found: Found | None) -> None:
        if found is None:
            return
        self.findings.append(
            Finding(
                file=str(self.cell.path),
                cell=self.cell.number,
                line=getattr(node, "lineno", 1),
                column=getattr(node, "col_offset", 0) + 1,
                symbol=found.symbol,
                status=found.status,
                why=found.why,
                instead=found.instead,
            )
        )
