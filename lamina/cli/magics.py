"""Notebook lines that are not Python, as Python of the same number of lines."""

import re

__all__ = ["NAME", "as_python"]

NAME = "__notebook__"  # what the lines call; `running` binds it

# What a program needs no magic for, or what only a browser shows.
_RUN_AS_PYTHON = {"time", "timeit", "capture", "prun", "python", "python3"}
_SHELLS = {"bash", "sh", "shell", "script", "system"}
_ASSIGNED = re.compile(r"^(\s*[\w.,\[\]\s]+?=\s*)([!%])(?![=])(.*)$")


def as_python(source: str) -> str:
    r"""Return a cell with its magics as calls, line by line.

    Args:
        source: The cell as it stands in the notebook.

    Example:
        >>> from lamina.cli.magics import as_python
        >>> as_python("%matplotlib inline\nx = 1")
        "__notebook__.magic('matplotlib inline')\nx = 1"
    """
    lines = source.split("\n")
    first = next((i for i, line in enumerate(lines) if line.strip()), None)
    if first is not None and lines[first].startswith("%%"):
        name = lines[first][2:].split(maxsplit=1)[0] if len(lines[first]) > 2 else ""
        if name not in _RUN_AS_PYTHON:
            body = "\n".join(lines[first + 1 :])
            head = lines[first][2:]
            shell = name in _SHELLS
            call = f"{NAME}.system({body!r})" if shell else f"{NAME}.cell({head!r}, {body!r})"
            return "\n" * first + call
        lines[first] = ""
    return "\n".join(_lines_as_python(lines))


def _lines_as_python(lines: list[str]) -> list[str]:
    found: list[str] = []
    state = _State()
    waiting = ""
    for line in lines:
        if waiting:  # a command goes on after a backslash
            waiting, line = _continued(waiting, line)
            found.append("" if waiting else line)
            continue
        if state.is_open:
            state.read(line)
            found.append(line)
            continue
        changed = _line_as_python(line)
        if changed is None:
            state.read(line)
            found.append(line)
        elif line.rstrip().endswith("\\"):
            waiting = line.rstrip()[:-1]
            found.append("")
        else:
            found.append(changed)
    if waiting:
        found[-1] = _line_as_python(waiting) or ""
    return found


def _continued(waiting: str, line: str) -> tuple[str, str]:
    joined = waiting + line.strip()
    if joined.endswith("\\"):
        return joined[:-1], ""
    return "", _line_as_python(joined) or joined


def _line_as_python(line: str) -> str | None:
    """Return a line that is a magic as a call; None for Python."""
    text = line.strip()
    indent = line[: len(line) - len(line.lstrip())]
    if text.startswith("!"):
        return f"{indent}{NAME}.system({text.lstrip('!')!r})"
    if text.startswith("%"):
        return f"{indent}{NAME}.magic({text.lstrip('%')!r})"
    if text.startswith("?") or re.fullmatch(r"[\w.]+\?{1,2}", text):
        return f"{indent}pass  # {text}"
    assigned = _ASSIGNED.match(line)
    if assigned is not None and assigned[3].strip():
        call = "output" if assigned[2] == "!" else "magic"
        return f"{assigned[1]}{NAME}.{call}({assigned[3].strip()!r})"
    return None


class _State:
    """Whether the next line goes on with a string or a bracket."""

    def __init__(self) -> None:
        self._quote = ""
        self._depth = 0
        self._joined = False

    @property
    def is_open(self) -> bool:
        return bool(self._quote) or self._depth > 0 or self._joined

    def read(self, line: str) -> None:
        at = 0
        self._joined = False
        while at < len(line):
            at = self._in_string(line, at) if self._quote else self._in_code(line, at)
        if len(self._quote) == 1:
            self._quote = ""
        if not self._quote:
            self._joined = line.endswith("\\")

    def _in_string(self, line: str, at: int) -> int:
        if line[at] == "\\":
            return at + 2
        if line.startswith(self._quote, at):
            at += len(self._quote)
            self._quote = ""
            return at
        return at + 1

    def _in_code(self, line: str, at: int) -> int:
        character = line[at]
        if character == "#":
            return len(line)
        if character in "\"'":
            self._quote = character * 3 if line.startswith(character * 3, at) else character
            return at + len(self._quote)
        self._depth += (character in "([{") - (character in ")]}")
        return at + 1
