"""Evaluators: actions that run by themselves after a turn, drafted when it begins.

In: the registry's evaluators and the conversation. Out: a run for each that its principal may run, with when it runs:
after a turn that was answered, or after every one. The store lets them run when the turn has ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from actions.messages import Payload
from actions.params import bind
from actions.validation import lacking
from orchestrator.digests import digest
from orchestrator.drafting import draft

if TYPE_CHECKING:
    from actions.registry import Registry
    from orchestrator.store.incoming import NewRun
    from orchestrator.store.records import ConversationRecord

When = Literal["answered", "always"]
"""After which turns an evaluator runs."""


def draft_evaluators(
    conversation: ConversationRecord, turn: str, registry: Registry, *, audit: bool = False
) -> list[tuple[When, NewRun]]:
    """The evaluators of one turn, as (`answered` or `always`, run); none in most houses."""
    found: list[tuple[When, NewRun]] = []
    for action in registry.evaluators:
        if lacking(action, frozenset(conversation.permissions)):
            continue
        run = f"run_{turn[5:]}.ev.{len(found)}"  # without gaps: whoever forgets them counts
        payload = Payload(
            action.name,
            called=action.name,
            principal=conversation.principal,
            permissions=conversation.permissions,
            key=digest(run),
        )
        drafted = draft(
            action,
            bind(action, {}),
            payload,
            id=run,
            registry=registry,
            tenant=conversation.tenant,
            principal=conversation.principal,
            conversation=conversation.id,
            belongs_to=conversation.id,
            audit=audit,
        )
        found.append((action.evaluates or "always", drafted))
    return found
