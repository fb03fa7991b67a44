"""Which lines of the audit are about a run, a turn or a conversation: its id in; of each line, whether it is, out.

A line names its run, but not always its conversation, and never the run that it came of: ids tell that. Those that a
round has begin with their turn's (`run_<turn>.0.1`), those that undo or follow up a run with that run's (`….undo`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


class Meant:
    """Tells of one line after another whether it is about what an id names, or about what came of that."""

    def __init__(self, given: str) -> None:
        """Mean what this names.

        Raises:
            InvalidId: it begins with none of `run_`, `turn_`, `conv_`.
        """
        from orchestrator import ids

        self._ids = {given}
        self._conversation = given if ids.kind(given) == "conv" else None
        if ids.kind(given) == "turn":
            self._ids.add(f"run_{given.removeprefix('turn_')}")

    def has(self, line: Mapping[str, Any]) -> bool:
        """Whether this line is; it is remembered what the later ones will name."""
        run = str(line.get("run") or "")
        if self._conversation is not None and line.get("conversation") == self._conversation:
            root = run.partition(".")[0]
            self._ids |= {root, f"turn_{root.removeprefix('run_')}"}
            return True
        if line.get("of") in self._ids:
            self._ids.add(run)
            return True
        return any(each in self._ids for each in _roots(run))


def _roots(run: str) -> Iterator[str]:
    """The id, and those that it begins with, up to the dots."""
    yield run
    while "." in run:
        run = run.rpartition(".")[0]
        yield run
