"""What a model is offered: the registry and a conversation in, the tools for the request out.

Only what could run is offered: permitted to the principal, allowed in the state, and meant for models at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from actions.tools import export

if TYPE_CHECKING:
    from actions.definition import Action
    from actions.registry import Registry
    from orchestrator.store.records import ConversationRecord


def allowed(
    registry: Registry,
    *,
    machine: str | None = None,
    state: str | None = None,
    permissions: Iterable[str] = (),
    offer: Any = True,
) -> list[Action]:
    """The actions that a model may ask for in a state, on behalf of somebody with these permissions.

    Args:
        registry: the actions there are.
        machine: name of the conversation's state machine; None (or empty) without one.
        state: the conversation's state; None for the machine's first one. One that it does not have allows nothing.
        permissions: what the conversation's principal may do.
        offer: among which of them, as in `Registry.select`.

    Raises:
        UnknownAction: `offer` names what is no action.
        ConfigError: there is no such machine.
    """
    held = frozenset(permissions)
    known = registry.machine(machine) if machine else None
    now = known.initial if known is not None and state is None else state
    return [
        action
        for action in registry.select(offer)
        if action.permissions <= held and (known is None or known.allows(now, action))
    ]


def offered(registry: Registry, conversation: ConversationRecord) -> list[Action]:
    """The actions that a model may ask for in the conversation now."""
    return allowed(
        registry,
        machine=conversation.machine,
        state=conversation.state,
        permissions=conversation.permissions,
    )


def tools(registry: Registry, conversation: ConversationRecord) -> list[dict[str, Any]]:
    """The same as tools in OpenAI's shape."""
    return export(offered(registry, conversation)).tools
