"""Programs as files: Python sources, and notebooks as a list of cells."""

import io
import json
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lamina.cli.command import BadUsage
from lamina.cli.magics import as_python

__all__ = ["Cell", "find_programs", "read_program"]

_KINDS = (".py", ".pyw", ".ipynb")
_SKIPPED = {"__pycache__", "node_modules", "site-packages"}


@dataclass(frozen=True)
class Cell:
    """A piece of a program that is compiled at once.

    Attributes:
        path: The file.
        number: The number among a notebook's code cells, from 1; None for a Python file.
        source: Python, line by line what stands in the file.
    """

    path: Path
    number: int | None
    source: str

    @property
    def name(self) -> str:
        """The file name in tracebacks: "book.ipynb, cell 7" for a cell."""
        return str(self.path) if self.number is None else f"{self.path}, cell {self.number}"


def find_programs(path: Path) -> list[Path]:
    """Return the programs at a path: the file itself, or those in and below a folder.

    Args:
        path: A file or a folder; hidden folders below it are left out.

    Raises:
        BadUsage: there is nothing, or nothing that is a program.
    """
    if path.is_dir():
        found = sorted(_walk(path))
        if not found:
            raise BadUsage(f"{path}: no program in this folder; expected .py or .ipynb files.")
        return found
    check_kind(path)
    return [path]


def _walk(folder: Path) -> Iterator[Path]:
    for entry in folder.iterdir():
        if entry.name.startswith(".") or entry.name in _SKIPPED:
            continue
        if entry.is_dir():
            if not (entry / "pyvenv.cfg").exists():
                yield from _walk(entry)
        elif entry.suffix in _KINDS:
            yield entry


def check_kind(path: Path) -> None:
    """Raise BadUsage unless a path is a file that may be a program.

    Args:
        path: The path.
    """
    if not path.exists():
        near = [p.name for p in sorted(path.parent.glob("*")) if p.suffix in _KINDS][:5]
        hint = f" In {path.parent}: {', '.join(near)}." if near else ""
        raise BadUsage(f"{path}: no such file.{hint}")
    if path.is_dir():
        raise BadUsage(f"{path}: a folder; expected a program, a .py or .ipynb file in it.")
    if not path.is_file():
        raise BadUsage(f"{path}: not a file.")
    if path.suffix in _KINDS or (not path.suffix and _starts_python(path)):
        return
    raise BadUsage(
        f"{path}: neither Python nor a notebook; expected a file that ends in .py or .ipynb."
    )


def _starts_python(path: Path) -> bool:
    with path.open("rb") as file:
        return re.match(rb"#!.*python", file.readline(200)) is not None


def read_program(path: Path) -> list[Cell]:
    """Return a program's cells; a Python file is one.

    Args:
        path: The file.

    Raises:
        BadUsage: it is not a program.
    """
    check_kind(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadUsage(f"{path}: cannot be read: {error.strerror}.") from None
    if path.suffix == ".ipynb":
        return [
            Cell(path, number, as_python(source))
            for number, source in enumerate(_code_cells(path, content), 1)
        ]
    return [Cell(path, None, _decoded(path, content))]


def _decoded(path: Path, content: bytes) -> str:
    if b"\0" in content:
        raise BadUsage(f"{path}: not Python: it has null bytes, as binary files have.")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return io.TextIOWrapper(io.BytesIO(content), encoding).read()
    except (SyntaxError, UnicodeDecodeError) as error:
        raise BadUsage(f"{path}: not Python: {error}.") from None


def _code_cells(path: Path, content: bytes) -> list[str]:
    try:
        book = json.loads(content.decode("utf-8-sig"))
    except ValueError as error:
        raise BadUsage(f"{path}: not a notebook: it is no JSON ({error}).") from None
    cells = book.get("cells") if isinstance(book, dict) else None
    if cells is None and isinstance(book, dict) and isinstance(book.get("worksheets"), list):
        cells = [cell for sheet in book["worksheets"] for cell in sheet.get("cells", [])]
    if not isinstance(cells, list):
        raise BadUsage(f"{path}: not a notebook: it has no cells.")
    return [_source(cell) for cell in cells if isinstance(cell, dict) and _is_code(cell)]


def _is_code(cell: dict[str, Any]) -> bool:
    return cell.get("cell_type") == "code"


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", cell.get("input", ""))
    return "".join(source) if isinstance(source, list) else str(source)
