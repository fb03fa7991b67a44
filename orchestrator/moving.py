"""The move that a conversation makes by itself before a round: its automatic edge, if one is open.

In: a conversation and its machine. Out: the conversation as it stands then, and the move, which the store makes in the
step that opens the round.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic_core import from_json

if TYPE_CHECKING:
    from actions.registry import Registry
    from orchestrator.store.records import ConversationRecord


def moved(
    conversation: ConversationRecord, registry: Registry
) -> tuple[ConversationRecord, tuple[str, int] | None]:
    """Take the automatic edge that is open, if there is one: the conversation as it stands then, and the move.

    The move is applied in the step that opens the round. Edges are asked for in the order of their priority; only
    one is taken for each round.
    """
    if conversation.machine is None or conversation.state is None:
        return conversation, None
    context = {key: from_json(value) for key, value in conversation.context.items()}
    target = registry.machine(conversation.machine).next(conversation.state, context)
    if target is None:
        return conversation, None
    move = (target, conversation.state_revision)
    return replace(conversation, state=target, state_revision=move[1] + 1), move
