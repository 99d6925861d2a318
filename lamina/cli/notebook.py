"""What a notebook's magics do without Jupyter."""

import os
import re
import shlex
import subprocess
import sys
from typing import Any

__all__ = ["Notebook", "display"]

_INSTALLERS = re.compile(
    r"^\s*(sudo\s+)?(python3?\s+-m\s+)?(uv\s+)?(pip3?|conda|mamba|apt(-get)?)\b"
)


def display(*values: Any, **options: Any) -> None:
    """Print values, as a notebook shows the last one of a cell.

    Args:
        *values: What to show.
        **options: Accepted, unused.
    """
    for value in values:
        print(value if isinstance(value, str) and options.get("raw") else repr(value))


class Notebook:
    """The magics of one notebook.

    Args:
        namespace: The names of the notebook's cells.
    """

    def __init__(self, namespace: dict[str, Any]) -> None:
        self._namespace = namespace

    def system(self, command: str) -> None:
        """Run a command in the shell; installers are left out.

        Args:
            command: The command, with ``{name}`` and ``$name`` for the notebook's variables.
        """
        if _INSTALLERS.match(command):
            _say(f"left out: !{command.strip().splitlines()[0]}")
            return
        sys.stdout.flush()
        subprocess.run(self._filled(command), shell=True, check=False)

    def output(self, command: str) -> list[str]:
        """Run a command in the shell, and return its lines.

        Args:
            command: As for `system`.
        """
        if _INSTALLERS.match(command):
            _say(f"left out: !{command.strip()}")
            return []
        done = subprocess.run(
            self._filled(command), shell=True, check=False, stdout=subprocess.PIPE, text=True
        )
        return done.stdout.splitlines()

    def magic(self, line: str) -> Any:
        """Do what a line magic does; those that only a browser shows are left out.

        Args:
            line: The line after "%".
        """
        name, _, rest = line.strip().partition(" ")
        known = {"cd": self._cd, "env": self._env, "set_env": self._env, "run": self._run}
        if name in ("time", "timeit", "prun"):
            statement = re.sub(r"^(-\w+\s*\d*\s+)*", "", rest.strip())
            return _value_or_none(statement, self._namespace)
        if name in known:
            return known[name](self._filled(rest.strip()))
        if name == "pwd":
            return os.getcwd()
        if name in ("pip", "conda"):
            _say(f"left out: %{line.strip()}")
        return None

    def cell(self, head: str, body: str) -> None:
        """Do what a cell magic does with a cell that is not Python.

        Args:
            head: The first line after "%%".
            body: The other lines.
        """
        words = shlex.split(head)
        if words[:1] in (["writefile"], ["file"]):
            mode = "a" if "-a" in words else "w"
            with open(words[-1], mode, encoding="utf-8") as file:
                file.write(body if body.endswith("\n") else body + "\n")
            return
        _say(f"left out: a cell of %%{words[0] if words else ''}")

    def run_line_magic(self, name: str, line: str, *rest: Any) -> Any:
        """Do what `get_ipython().run_line_magic` does; see `magic`.

        Args:
            name: The magic's name.
            line: What follows it.
            *rest: Accepted, unused.
        """
        return self.magic(f"{name} {line}")

    def _filled(self, command: str) -> str:
        def value(match: re.Match[str]) -> str:
            name = match[1] or match[2]
            try:
                return str(eval(name, self._namespace))
            except Exception:  # not the notebook's: the shell's own variable, or braces
                return match[0]

        return re.sub(r"\{([^{}]+)\}|(?<![\\$\w])\$([A-Za-z_]\w*)", value, command)

    def _cd(self, folder: str) -> None:
        os.chdir(os.path.expanduser(folder.strip("\"'") or "~"))

    def _env(self, line: str) -> None:
        name, separator, value = line.partition("=")
        if not separator:
            name, _, value = line.partition(" ")
        os.environ[name.strip()] = value.strip()

    def _run(self, line: str) -> None:
        words = shlex.split(line)
        with open(words[0], encoding="utf-8") as file:
            exec(compile(file.read(), words[0], "exec", dont_inherit=True), self._namespace)


def _value_or_none(statement: str, namespace: dict[str, Any]) -> Any:
    try:
        code = compile(statement, "<magic>", "eval")
    except SyntaxError:
        exec(compile(statement, "<magic>", "exec", dont_inherit=True), namespace)
        return None
    return eval(code, namespace)


def _say(text: str) -> None:
    sys.stderr.write(f"lamina run: {text}\n")
