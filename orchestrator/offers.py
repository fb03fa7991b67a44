"""What a model is offered: the registry and a conversation in, the tools for the request out.

Only what could run is offered: permitted to the principal, allowed in the state, and meant for models at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actions.schema import openai_tool

if TYPE_CHECKING:
    from actions.definition import Action
    from actions.registry import Registry
    from orchestrator.store.records import ConversationRecord


def offered(registry: Registry, conversation: ConversationRecord) -> list[Action]:
    """The actions that a model may ask for in the conversation now."""
    machine = registry.machine(conversation.machine) if conversation.machine else None
    return [
        action
        for action in registry.actions
        if action.offered
        and action.permissions.issubset(conversation.permissions)
        and (machine is None or machine.allows(conversation.state, action))
    ]


def tools(registry: Registry, conversation: ConversationRecord) -> list[dict[str, Any]]:
    """The same as tools in OpenAI's shape."""
    return [openai_tool(action) for action in offered(registry, conversation)]
