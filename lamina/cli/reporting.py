"""What `lamina check` prints."""

import json
import sys
from collections import Counter
from dataclasses import asdict

from rich.console import Console
from rich.text import Text

from lamina.cli.checking import Checked, Finding

__all__ = ["report"]

_STYLE = {"lacks": "bold red", "differs": "yellow", "older": "cyan"}


def report(checked: Checked, as_json: bool = False) -> int:
    """Print what was found, and return the exit status.

    Args:
        checked: What was found.
        as_json: Whether to print one JSON object.

    Returns:
        2 if a file could not be read, 1 if something is missing, else 0.
    """
    if as_json:
        sys.stdout.write(json.dumps(_as_dict(checked), indent=2) + "\n")
    else:
        _print(checked)
    if checked.unreadable:
        return 2
    return int(any(finding.status == "lacks" for finding in checked.findings))


def _as_dict(checked: Checked) -> dict[str, object]:
    counts = Counter(finding.status for finding in checked.findings)
    return {
        "files": checked.files,
        "findings": [asdict(finding) for finding in checked.findings],
        "unreadable": checked.unreadable,
        "summary": {status: counts[status] for status in _STYLE},
    }


def _print(checked: Checked) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for finding in checked.findings:
        console.print(_line(finding))
    for file, reason in checked.unreadable.items():
        console.print(Text.assemble((file, "bold"), ": ", (reason, "bold red")))
    console.print(_summary(checked))


def _line(finding: Finding) -> Text:
    cell = "" if finding.cell is None else f", cell {finding.cell}"
    text = Text.assemble(
        (finding.file, "bold"),
        f"{cell}:{finding.line}:{finding.column}: ",
        (finding.status, _STYLE[finding.status]),
        " ",
        (finding.symbol, "bold"),
        f": {finding.why}",
    )
    if finding.instead:
        text.append(f"; {finding.instead}")
    return text


def _summary(checked: Checked) -> Text:
    count = len(checked.files)
    lacking = {f.file for f in checked.findings if f.status == "lacks"}
    fine = count - len(lacking) - len(checked.unreadable)
    names = {f.symbol for f in checked.findings if f.status == "lacks"}
    text = Text(f"{count} program{'s' * (count != 1)}: ")
    text.append(f"{fine} without anything missing", "bold green" if fine == count else "")
    if lacking:
        text.append(f", {len(lacking)} with {len(names)} name{'s' * (len(names) != 1)} missing")
    if checked.unreadable:
        text.append(f", {len(checked.unreadable)} unreadable")
    return text
