"""Check the lengths of files, classes and functions, and how deep functions nest.

    python tools/size.py [PATH ...]

A length over a limit is a warning, one over the hard limit fails the check. What may be longer
stands in ``EXCEPTIONS``, by name and with the reason.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCANNED = ("lamina", "tools", "benchmarks", "examples")

# kind → (limit, hard limit); None never fails.
LIMITS: dict[str, tuple[int, int | None]] = {
    "file": (350, 600),
    "class": (250, 400),
    "layer": (80, None),  # a class in keras/layers, with its docstring
    "function": (40, 80),  # without its docstring
    "nesting": (3, 5),
}

# "path" or "path:Class.method" → (limit that holds instead of both above, reason).
EXCEPTIONS: dict[str, tuple[int, str]] = {
    "lamina/engine/tensor.py:Tensor": (400, "TensorFlow's methods, one short definition each"),
    "lamina/keras/core/layer.py:Layer": (400, "build, cast, call, weights and losses in one place"),
}

# Lines that each room of the package may have, empty lines and comments included.
ROOMS = {
    "lamina/engine": 4000,
    "lamina/ops": 7000,
    "lamina/data": 1500,
    "lamina/checkpoint": 2500,
    "lamina/savedmodel": 1500,
    "lamina/distribute": 700,
    "lamina/keras/core": 1500,
    "lamina/keras/layers": 7000,
    "lamina/keras/losses lamina/keras/metrics lamina/keras/optimizers": 4000,
    "lamina/keras/training lamina/keras/callbacks": 2500,
    "lamina/keras/saving": 1500,
    "lamina/keras/viz": 500,
    "lamina": 30000,
}

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)


@dataclass(frozen=True)
class Size:
    """One measured thing: ``kind`` is a key of ``LIMITS``, ``value`` in lines or levels."""

    kind: str
    path: str
    line: int
    name: str
    value: int

    @property
    def key(self) -> str:
        """Return the name under which ``EXCEPTIONS`` would list it."""
        return f"{self.path}:{self.name}" if self.name else self.path

    def verdict(self) -> str | None:
        """Return "warning", "error" or None."""
        limit, hard = self.limits()
        if hard is not None and self.value > hard:
            return "error"
        return "warning" if self.value > limit else None

    def limits(self) -> tuple[int, int | None]:
        """Return the limit and the hard limit that hold for it."""
        if self.key in EXCEPTIONS:
            limit = EXCEPTIONS[self.key][0]
            return limit, limit
        return LIMITS[self.kind]

    def __str__(self):
        what = f"{self.kind} {self.name}".strip()
        unit = "levels deep" if self.kind == "nesting" else "lines"
        return (
            f"{self.path}:{self.line}: {self.verdict()}: {what} is {self.value} {unit}; "
            f"at most {self.limits()[0]} wanted"
        )


def docstring_lines(node: ast.AST) -> int:
    """Return how many lines the docstring of a module, class or function takes."""
    if not isinstance(node, (ast.Module, ast.ClassDef, *FUNCTIONS)) or not node.body:
        return 0
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return first.end_lineno - first.lineno + 1 if isinstance(first.value.value, str) else 0
    return 0


def nesting(node: ast.AST, is_elif: bool = False) -> int:
    """Return how many blocks lie within one another below ``node``, inner functions apart."""
    deepest = 0
    for field, child in fields(node):
        if isinstance(child, (*FUNCTIONS, ast.ClassDef, ast.Lambda)):
            continue
        chained = isinstance(node, ast.If) and field == "orelse" and isinstance(child, ast.If)
        deepest = max(deepest, nesting(child, is_elif=chained and len(node.orelse) == 1))
    return deepest + (isinstance(node, BLOCKS) and not is_elif)


def fields(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yield the name of the field and the node for each child."""
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield name, child


def measure(node: ast.AST, path: str, prefix: str = "") -> Iterator[Size]:
    """Yield the sizes of the classes and functions below ``node``."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (ast.ClassDef, *FUNCTIONS)):
            yield from measure(child, path, prefix)
            continue
        name, lines = prefix + child.name, child.end_lineno - child.lineno + 1
        if isinstance(child, ast.ClassDef):
            yield Size("class", path, child.lineno, name, lines)
            if path.startswith("lamina/keras/layers/"):
                yield Size("layer", path, child.lineno, name, lines)
        else:
            yield Size("function", path, child.lineno, name, lines - docstring_lines(child))
            yield Size("nesting", path, child.lineno, name, nesting(child))
        yield from measure(child, path, f"{name}.")


def report_rooms(lines: dict[str, int]):
    """Print a warning for each room that outgrew its share."""
    for rooms, limit in ROOMS.items():
        prefixes = tuple(f"{room}/" for room in rooms.split())
        total = sum(n for path, n in lines.items() if path.startswith(prefixes))
        if total > limit:
            print(f"{rooms}: warning: {total} lines; at most {limit} wanted")


def main(paths: list[str]) -> int:
    """Print what is over a limit; return 1 where a hard one is."""
    roots = [Path(p).resolve() for p in paths] or [
        ROOT / name for name in SCANNED if (ROOT / name).is_dir()
    ]
    files = sorted(f for root in roots for f in (root.rglob("*.py") if root.is_dir() else [root]))
    sizes: list[Size] = []
    lines: dict[str, int] = {}
    documented = 0
    for file in files:
        path = file.relative_to(ROOT).as_posix() if file.is_relative_to(ROOT) else str(file)
        text = file.read_text(encoding="utf-8")
        tree = ast.parse(text, filename=path)
        lines[path] = text.count("\n")
        documented += sum(docstring_lines(n) for n in ast.walk(tree))
        sizes += [Size("file", path, 1, "", lines[path]), *measure(tree, path)]
    over = [size for size in sizes if size.verdict()]
    for size in over:
        print(size)
    report_rooms(lines)
    total = sum(lines.values())
    share = documented / max(total - documented, 1)
    errors = sum(size.verdict() == "error" for size in over)
    print(
        f"{len(files)} files, {total} lines, docstrings ÷ code {share:.2f}; "
        f"{errors} errors, {len(over) - errors} warnings"
    )
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
