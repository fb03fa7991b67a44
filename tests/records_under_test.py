"""Records of runs without a store, for the tests of what workers read from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from actions.errors import StoreUnavailable
from orchestrator.store.records import RunView

if TYPE_CHECKING:
    from collections.abc import Sequence


class Records:
    """A store that has these runs."""

    def __init__(self) -> None:
        self.runs = self
        self.away = False
        self.results: dict[str, tuple[str, Any, tuple[str, ...]]] = {
            "run_ok": ("succeeded", "the receipt", ()),
            "run_bad": ("failed", {"error": "?", "code": "?"}, ()),
            "run_parent": ("succeeded", {"result": {"who": "eve"}, "follow_ups": []}, ("run_parent.f0",)),
            "run_joined": (
                "succeeded",
                {"result": {"who": "eve"}, "follow_ups": [{"run": "run_x.f0"}, {"run": "run_x.f1"}]},
                (),
            ),
            "run_alike": (
                "succeeded",
                {"result": {"who": "eve"}, "follow_ups": [{"run": "run_x.f0"}, {"run": "run_y.f1"}]},
                (),
            ),
            "run_cut_parent": (
                "succeeded",
                {"result": {"truncated": True, "bytes": 9, "shown": "x"}, "follow_ups": []},
                ("run_cut_parent.f0",),
            ),
            "run_cut": ("succeeded", {"truncated": True, "bytes": 9, "shown": "x"}, ()),
        }

    async def read_all(self, runs: Sequence[str]) -> list[RunView | None]:
        """Those of these that are there."""
        if self.away:
            raise StoreUnavailable("Redis does not answer")
        return [self._view(run) for run in runs]

    def _view(self, run: str) -> RunView | None:
        if run not in self.results:
            return None
        status, result, children = self.results[run]
        return RunView(
            id=run, status=status, lane="", payload="", attempts=1, result=to_json(result).decode(), why=None,
            error=None, conversation=None, turn=None, tenant="", since_us=0, began_us=None, created_us=None,
            children=children,
        )  # fmt: skip
