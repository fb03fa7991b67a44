"""Celery's remote control, answered for runs: `revoke` (also Flower's button) cancels a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from celery.worker import control as stock

if TYPE_CHECKING:
    from collections.abc import Iterable

RUN_PREFIX: Final = "run_"


class Canceller(Protocol):
    """What cancels a run."""

    def cancel(self, run: str) -> None:
        """Cancel it, soon."""
        ...


def install(canceller: Canceller) -> None:
    """Let this process's `revoke` cancel runs; ids that are no runs are Celery's, as ever."""
    revoke_task: Any = stock.Panel.data["revoke"]

    @stock.control_command(
        name="revoke",
        variadic="task_id",
        signature="[id1 [id2 [... [idN]]]]",
        args=[("task_id", str)],
    )
    def revoke(state: Any, task_id: str | Iterable[str], **options: Any) -> Any:
        ids = [task_id] if isinstance(task_id, str) else list(task_id)
        runs = [run for run in ids if run.startswith(RUN_PREFIX)]
        for run in runs:
            canceller.cancel(run)
        others = [task for task in ids if not task.startswith(RUN_PREFIX)]
        if others:
            return revoke_task(state, others, **options)
        return {"ok": f"cancelling {', '.join(runs)}"}

    del revoke
