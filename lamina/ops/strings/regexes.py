"""RE2's regular expressions, as TF has them, translated to those of Python's `re`."""

import functools
import re
import sys
import unicodedata
from typing import Any

from lamina.engine import errors

__all__ = ["compiled", "replaced"]

_POSIX = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": "\\x00-\\x7f",
    "blank": "\\t ",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": "!-/:-@\\[-`{-~",
    "space": "\\t\\n\\v\\f\\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_REFUSED = re.compile(r"\(\?(?:=|!|<=|<!|#|>|\()|\\[1-9kGZ]")
# One element of a pattern: class brackets are taken apart by _class.
_TOKEN = re.compile(
    r"\\Q(?P<quoted>.*?)(?:\\E|$)|\\(?P<property>[pP])(?:\{(?P<long>\^?\w+)\}|(?P<short>\w))"
    r"|\\x\{(?P<hex>[0-9a-fA-F]+)\}|(?P<flags>\(\?[imsU]+\))|(?P<escape>\\.)|(?P<class>\[)"
    r"|(?P<named>\(\?<(?![=!]))|(?P<end>\$)|(?P<other>.)",
    re.DOTALL,
)


def _bad(pattern: str, why: str) -> errors.InvalidArgumentError:
    return errors.InvalidArgumentError(
        f"tf.strings: Invalid pattern: {pattern}, error: {why}\n"
        f"  Fix: write it in RE2's syntax, https://github.com/google/re2/wiki/Syntax, which has "
        f"no lookaround and no backreferences."
    )


@functools.lru_cache(maxsize=256)
def compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern of RE2 as one of `re`.

    Raises:
        InvalidArgumentError: RE2 does not allow the pattern.
    """
    refused = _REFUSED.search(re.sub(r"\\\\", "", pattern))
    if refused is not None:
        raise _bad(pattern, f"invalid perl operator or escape: {refused[0]}")
    try:
        return re.compile(_translated(pattern), re.ASCII)
    except re.error as error:
        raise _bad(pattern, str(error)) from None


def _translated(pattern: str) -> str:
    out: list[str] = []
    at, depth = 0, 0  # depth: groups to close at the end, opened for flags in the middle
    multiline = re.match(r"\(\?[isU]*m", pattern) is not None
    while at < len(pattern):
        token: Any = _TOKEN.match(pattern, at)
        at = token.end()
        kind = token.lastgroup
        text = token[0]
        if kind == "class":
            text, at = _class(pattern, at)
        elif kind == "flags" and out:
            text, depth = text[:-1] + ":", depth + 1
        else:
            text = _element(token, kind, text, multiline)
        out.append(text)
    return "".join(out) + ")" * depth


def _element(token: Any, kind: str, text: str, multiline: bool) -> str:
    if token["quoted"] is not None:
        return re.escape(token["quoted"])
    if token["property"]:
        return f"[{_property(token)}]"
    if token["hex"]:
        return re.escape(chr(int(token["hex"], 16)))
    if kind == "named":
        return "(?P<"
    if kind == "end":
        return "$" if multiline else r"\Z"
    if text == r"\z":
        return r"\Z"
    if text == r"\C":
        return r"[\s\S]"
    return text


def _class(pattern: str, at: int) -> tuple[str, int]:
    """Return the class that starts before `at`, and where it ends."""
    start = at
    out = ["["]
    if pattern[at : at + 1] == "^":
        out.append("^")
        at += 1
    is_first = True
    while at < len(pattern):
        if pattern[at] == "]" and not is_first:
            return "".join([*out, "]"]), at + 1
        is_first = False
        posix = re.compile(r"\[:(\^?)(\w+):\]").match(pattern, at)
        token: Any = _TOKEN.match(pattern, at)
        if posix is not None and posix[2] in _POSIX:
            out.append(_negated(_POSIX[posix[2]]) if posix[1] else _POSIX[posix[2]])
            at = posix.end()
        elif token["property"] or token["hex"] or token["escape"]:
            at = token.end()
            inner = _property(token) if token["property"] else token[0]
            out.append(_escaped(chr(int(token["hex"], 16))) if token["hex"] else inner)
        else:
            out.append(pattern[at] if pattern[at] in "-^" else _escaped(pattern[at]))
            at += 1
    raise _bad(pattern, f"missing ]: {pattern[start - 1 :]}")


def _escaped(letter: str) -> str:
    return "\\" + letter if letter in "[]&~|\\-^" else letter


def _negated(inside: str) -> str:
    found = re.compile(f"[{inside}]")
    return _ranges([c for c in range(sys.maxunicode + 1) if not found.match(chr(c))])


def _property(token: Any) -> str:
    name = token["long"] or token["short"]
    negative = (token["property"] == "P") != name.startswith("^")
    return _unicode_class(name.removeprefix("^"), negative)


@functools.lru_cache(maxsize=64)
def _unicode_class(name: str, negative: bool) -> str:
    """Return the inside of a class of the letters of a category, as "L", or a script."""
    if name == "Any":
        places = range(sys.maxunicode + 1)
        chosen = [] if negative else list(places)
        return _ranges(chosen)
    if len(name) <= 2:
        chosen = [
            c
            for c in range(sys.maxunicode + 1)
            if unicodedata.category(chr(c)).startswith(name) != negative
        ]
        return _ranges(chosen)
    from lamina.ops.strings.scripts import code_points

    try:
        inside = set(code_points(name))
    except KeyError:
        raise _bad(f"\\p{{{name}}}", "invalid character class range") from None
    return _ranges([c for c in range(sys.maxunicode + 1) if (c in inside) != negative])


def _ranges(points: list[int]) -> str:
    """Return ordered code points as ranges."""
    out: list[str] = []
    start = last = None
    for point in [*points, None]:
        if last is not None and point == last + 1:
            last = point
            continue
        if start is not None:
            out.append(f"\\U{start:08x}-\\U{last:08x}")
        start = last = point
    return "".join(out)


# ---- rewriting ------------------------------------------------------------------------------


@functools.lru_cache(maxsize=256)
def _pieces(rewrite: str, groups: int) -> tuple[Any, ...] | None:
    """Return the texts and group numbers of a rewrite; None if it names no such group."""
    out: list[Any] = []
    for part in re.split(r"(\\[\s\S]|\\$)", rewrite):
        if not part.startswith("\\"):
            out.append(part)
        elif part == "\\\\":
            out.append("\\")
        elif part[1:].isdigit() and int(part[1:]) <= groups:
            out.append(int(part[1:]))
        else:
            return None
    return tuple(p for p in out if p != "")


def replaced(text: str, found: re.Pattern[str], rewrite: str, everywhere: bool) -> str:
    r"""Return a text with matches replaced, as RE2's GlobalReplace and Replace do.

    Args:
        text: The text.
        found: A pattern from `compiled`.
        rewrite: What stands in the place of a match; `\1` … are groups, `\0` all of it.
        everywhere: Whether all matches are replaced, or the first one only.
    """
    pieces = _pieces(rewrite, found.groups)
    if pieces is None:
        return text
    out: list[str] = []
    at, last = 0, -1
    for match in found.finditer(text):
        if match.start() == match.end() == last:
            continue  # RE2: no empty match right after a match
        out.append(text[at : match.start()])
        out.extend((match[p] or "") if isinstance(p, int) else p for p in pieces)
        at = last = match.end()
        if not everywhere:
            break
    return "".join([*out, text[at:]])
