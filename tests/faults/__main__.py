"""`python -m faults`: plays every scenario in its long form and prints its figures.

Ends with 0 if all holds, 1 if something does not, 2 if it could not be played (no server to be found, for example).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from actions.errors import OperatorError
from faults import history, plays_deaths, plays_links, plays_service  # noqa: F401 - they register their scenarios
from faults.figures import MEANING, Figures
from faults.playing import LONG, SCENARIOS, SHORT, Form, play
from faults.table import show
from orchestrator.settings import PREFIX
from umbel.supervisor import EmbeddedRedis

SHOWN = 20
"""Findings of one scenario that are shown; the document has all."""


def main() -> int:
    """Read the command line, play, print."""
    given = _arguments()
    form = replace(SHORT if given.short else LONG, seed=given.seed)
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]  # a developer's own settings do not reach the workers
    try:
        rows = _play_on_a_server_for_notes(given, form)
    except OperatorError as error:
        _say(str(error))
        return 2
    if given.json:
        sys.stdout.write(json.dumps([row.document() for row in rows], indent=2) + "\n")
    else:
        show(rows)
        sys.stdout.write(MEANING + "\n")
    return 1 if any(row.findings for row in rows) else 0


def _play_on_a_server_for_notes(given: argparse.Namespace, form: Form) -> list[Figures]:
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        home = given.keep or Path(folder)
        with EmbeddedRedis(home / "history") as notes:
            os.environ[history.WHERE] = notes.url
            return asyncio.run(_play_all(given.names or list(SCENARIOS), form, home, notes.url))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="faults", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="SCENARIO", help=f"some of: {', '.join(SCENARIOS)}")
    parser.add_argument("--short", action="store_true", help="the form that the tests play")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
    parser.add_argument("--keep", metavar="FOLDER", type=Path, help="keep data and logs there")
    parser.add_argument("--seed", type=int, default=0, help="another load and other victims")
    given = parser.parse_args()
    if unknown := set(given.names) - set(SCENARIOS):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    return given


async def _play_all(names: list[str], form: Form, home: Path, notes: str) -> list[Figures]:
    """One after another: their figures shall not be each other's."""
    rows = []
    for name in names:
        _say(f"{name} …")
        row = await play(name, form, home / name, notes)
        for finding in row.findings[:SHOWN]:
            _say(f"{name}: {finding.rule}: {finding.what}")
        rows.append(row)
    return rows


def _say(line: str) -> None:
    sys.stderr.write(f"faults: {line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
