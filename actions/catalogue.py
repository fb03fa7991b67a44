"""What there is to know of an action before it is called: an Action in, JSON data for people and programs out.

The service answers with the same fields (`orchestrator.wire.ActionCard` says what each means).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actions.schema import parameters_schema

if TYPE_CHECKING:
    from actions.definition import Action


def entry(action: Action) -> dict[str, Any]:
    """Return what callers have to know of an action; durations in seconds, None for no limit."""
    return {
        "name": action.name,
        "description": action.description,
        "similes": list(action.similes),
        "category": action.category,
        "tags": list(action.tags),
        "version": action.version,
        "queue": action.queue,
        "priority": action.priority,
        "permissions": sorted(action.permissions),
        "approval": _approval(action),
        "isolated": action.isolation is not None,
        "user_only": action.user_only,
        "evaluates": action.evaluates,
        "chain_only": action.chain is not None,
        "undoable": action.undoer is not None,
        "may_transition": action.may_transition,
        "everywhere": action.everywhere,
        "depends_on": list(action.depends_on),
        "timeout_s": None if action.timeout is None else action.timeout.total_seconds(),
        "retries": 0 if action.retry is None else action.retry.retries,
        "limits": [limit.name for limit in action.rate_limits],
        "locks": [lock.key for lock in action.locks],
        "parameters": parameters_schema(action),
    }


def _approval(action: Action) -> str:
    if action.approval is None:
        return "never"
    return "always" if action.approval.when is None else "sometimes"
