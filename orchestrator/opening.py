"""A conversation that is to be made: what a caller asks for in, the fields of its record out.

Under an idempotency key its id is made of tenant and key, and its digest of everything that was asked for: the same
request comes to the same conversation, another one under the same key is a conflict.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from actions.errors import ConfigError, DeclarationError, InvalidArguments, InvalidId
from actions.messages import ConversationId, conversation_id_from_key, mended, new_conversation_id
from orchestrator import ids
from orchestrator.dialects import check_dialects
from orchestrator.drafting import check_recordable
from orchestrator.modes import Mode, check_mode
from orchestrator.participants import checked_name, checked_participants

if TYPE_CHECKING:
    from actions.registry import Registry


@dataclass(frozen=True, slots=True)
class Opening:
    """What is asked for."""

    conversation: str | None = None
    """An id of the caller's own, `conv_…`; one that exists is left as it is. Not together with `key`."""
    machine: str | None = None
    """Name of a registered state machine."""
    state: str | None = None
    """Where it begins; None: the machine's initial state."""
    principal: str | None = None
    """On whose behalf the model's calls run."""
    permissions: Sequence[str] = ()
    """What that principal may do."""
    tenant: str = ""
    """Whose share of the workers it uses."""
    context: dict[str, Any] | None = None
    """The first context."""
    mode: Mode | None = None
    """How the calls of a reply are run, unless who posts it says otherwise."""
    agent: str | None = None
    """The participant that the model speaks for; None: "agent"."""
    participants: Mapping[str, str] | Iterable[str] = ()
    """Who is there from the beginning: names, or names with "", "followed" or "muted"."""
    key: str | None = None
    """An idempotency key of the tenant's."""
    dialects: Iterable[str] | None = None
    """The dialects in which calls may stand in a reply's text; None: those of the settings."""

    def id(self, cell: str) -> ConversationId:
        """Return its id.

        Raises:
            InvalidId: it has not the form that keys take, or was given beside a key.
        """
        if self.key is None:
            chosen = ConversationId(self.conversation or new_conversation_id(cell))
            ids.check_conversation(chosen)
            return chosen
        if self.conversation is not None:
            raise InvalidId(
                f"{self.conversation[:80]!r} was given beside a key",
                fix="Give the conversation an id of your own, or a key that its id is made of; not both",
            )
        ids.check_tenant(self.tenant)
        return conversation_id_from_key(self.tenant, self.key, cell)

    def fields(self, registry: Registry) -> dict[str, Any]:
        """Return what the store keeps of it.

        Raises:
            InvalidId: the tenant or a permission has not the form that keys take.
            DeclarationError: there is no such mode or dialect, a participant has no name or no such state, or the
                context cannot be kept.
            ConfigError: there is no such state machine, or it has no such state.
        """
        ids.check_permissions(self.permissions)
        ids.check_tenant(self.tenant)
        try:
            check_recordable(self.context or {})
        except InvalidArguments as error:
            raise DeclarationError(f"context: {error}") from None
        return {
            "machine": self.machine,
            "state": self.state if self.machine is None else _first_state(registry, self.machine, self.state),
            "principal": None if self.principal is None else mended(self.principal),
            "permissions": tuple(self.permissions),
            "tenant": self.tenant,
            "context": self.context,
            "mode": check_mode(self.mode) or None,
            "agent": None if self.agent is None else checked_name(self.agent),
            "participants": checked_participants(self.participants),
            **({"dialects": dialects} if (dialects := check_dialects(self.dialects)) else {}),
        }


def _first_state(registry: Registry, machine: str, state: str | None) -> str:
    known = registry.machine(machine)
    if state is not None and state not in known.states:
        raise ConfigError(
            f"the machine {machine} has no state {state!r}",
            where=f"its states: {', '.join(known.states)}",
            fix="Use one of them, or none to begin at the initial one",
        )
    return state or known.initial
