"""Celery's remote control, answered for runs.

`revoke` (also Flower's button) cancels one, `active` lists them, `stats` counts them. Registered in the worker's
parent in place of Celery's own commands of these names; what is no run goes on to those.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from celery.worker import control as stock

if TYPE_CHECKING:
    from collections.abc import Iterable

RUN_PREFIX: Final = "run_"


class Runs(Protocol):
    """What the commands need of the worker."""

    def cancel(self, run: str) -> None:
        """Cancel it, soon."""
        ...

    def active(self, worker: str) -> list[dict[str, Any]]:
        """The runs that this worker carries out, in the form of Celery's own answer."""
        ...


def install(runs: Runs) -> None:
    """Let this process answer for runs."""
    revoke_tasks: Any = stock.Panel.data["revoke"]
    active_tasks: Any = stock.Panel.data["active"]
    stats_of_tasks: Any = stock.Panel.data["stats"]

    def revoke(state: Any, task_id: str | Iterable[str], **options: Any) -> Any:
        """Cancel runs; ids that are no runs are Celery's, as ever."""
        ids = [task_id] if isinstance(task_id, str) else list(task_id)
        ours = [each for each in ids if each.startswith(RUN_PREFIX)]
        for run in ours:
            runs.cancel(run)
        others = [each for each in ids if not each.startswith(RUN_PREFIX)]
        if others:
            return revoke_tasks(state, others, **options)
        return {"ok": f"cancelling {', '.join(ours)}"}

    def active(state: Any, **options: Any) -> Any:
        """List runs, and Celery's own tasks but for the pumps that carry the runs."""
        tasks = [task for task in active_tasks(state, **options) if task["name"] != "umbel.pump"]
        return runs.active(state.hostname) + tasks

    def stats(state: Any, **options: Any) -> Any:
        """Celery's own answer, and how many runs this worker carries out."""
        return {**stats_of_tasks(state, **options), "runs": {"active": len(runs.active(state.hostname))}}

    args = [("task_id", str)]
    stock.control_command(name="revoke", variadic="task_id", signature="[id1 [id2 [...]]]", args=args)(revoke)
    stock.inspect_command(name="stats")(stats)
    stock.inspect_command(name="active", alias="dump_active")(active)
