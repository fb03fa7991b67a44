"""The rooms that conversations are: opening one, who takes part in it, what was said, and forgetting it.

In: what a person or a service says of a conversation. Out: its id, its messages. Who it belongs to, what that principal
may do and who takes part are a trusted caller's to say, or an action's; never a model's or a message's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from unicodedata import category

from actions.directives import PARTICIPANT_STATES
from actions.errors import ConfigError, DeclarationError
from actions.messages import ConversationId, mended, new_conversation_id
from orchestrator import ids
from orchestrator.modes import Mode, check_mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from actions.registry import Registry
    from orchestrator.store.store import Store

_LONGEST: Final = 200


class Rooms:
    """Opens conversations and says who takes part in them."""

    _cell: str
    _registry: Registry
    _store: Store

    async def open_conversation(
        self,
        conversation: str | None = None,
        *,
        machine: str | None = None,
        state: str | None = None,
        principal: str | None = None,
        permissions: Sequence[str] = (),
        tenant: str = "",
        context: dict[str, Any] | None = None,
        mode: Mode | None = None,
        agent: str | None = None,
        participants: Mapping[str, str] | Iterable[str] = (),
    ) -> ConversationId:
        """Make a conversation (once: an id that exists is left as it is) and return its id.

        Args:
            conversation: an id of your own, `conv_…`; a new one if None.
            machine: name of a registered state machine.
            state: where it begins; the machine's initial state if None.
            principal: on whose behalf the model's calls run.
            permissions: what that principal may do.
            tenant: whose share of the workers it uses.
            context: the first context.
            mode: how the calls of a reply are run, unless who posts it says otherwise: `all` (each for itself; so it
                is if None), `sequence` (one after the other), `chain` (a failure undoes what the others did).
            agent: the participant that the model speaks for; "agent" if None.
            participants: who is there from the beginning: names, or names with "", "followed" or "muted".

        Raises:
            InvalidId: the id or the tenant has not the form that keys take.
            DeclarationError: there is no such mode, or a participant has no name or no such state.
            ConfigError: there is no such state machine, or it has no such state.
        """
        chosen = ConversationId(conversation or new_conversation_id(self._cell))
        ids.check_conversation(chosen)
        ids.check_permissions(permissions)
        ids.check_tenant(tenant)
        start = state if machine is None else self._first_state(machine, state)
        await self._store.conversations.open(
            chosen,
            machine=machine,
            state=start,
            principal=None if principal is None else mended(principal),
            permissions=permissions,
            tenant=tenant,
            context=context,
            mode=check_mode(mode) or None,
            agent=agent if agent is None else checked_name(agent),
            participants=checked_participants(participants),
        )
        return chosen

    def _first_state(self, machine: str, state: str | None) -> str:
        known = self._registry.machine(machine)
        if state is not None and state not in known.states:
            raise ConfigError(
                f"the machine {machine} has no state {state!r}",
                where=f"its states: {', '.join(known.states)}",
                fix="Use one of them, or none to begin at the initial one",
            )
        return state or known.initial

    async def set_participant(self, conversation: str, name: str, state: str | None = "") -> None:
        """Say what somebody is to a conversation: "" (takes part), "followed", "muted"; None: takes part no more.

        Raises:
            DeclarationError: the name is none, or there is no such state.
            UnknownConversation: there is none with this id.
        """
        ids.check_conversation(conversation)
        if state is not None:
            checked_participants({name: state})
        await self._store.conversations.set_participant(conversation, checked_name(name), state)

    async def forget(self, conversation: str) -> bool:
        """Delete a conversation: what runs is cancelled, and with its last end everything is removed.

        Returns:
            Whether there was such a conversation.

        Raises:
            TimeoutError: a handler has not stopped within a minute; what is left is removed when it does.
        """
        ids.check_conversation(conversation)
        return await self._store.conversations.forget(conversation)

    async def messages(self, conversation: str) -> list[dict[str, Any]]:
        """All messages of a conversation in OpenAI's chat shape."""
        return await self._store.conversations.messages(conversation)


def checked_participants(given: Mapping[str, str] | Iterable[str]) -> dict[str, str]:
    """Who takes part, with what each is to the conversation.

    Raises:
        DeclarationError: somebody has no name that can be kept, or no such state.
    """
    if isinstance(given, str):
        raise DeclarationError(f"participants: several names are wanted: write ({given!r:.80},)")
    there = dict(given) if isinstance(given, Mapping) else dict.fromkeys(given, "")
    for name, state in there.items():
        checked_name(name)
        if state not in PARTICIPANT_STATES:
            known = ", ".join(map(repr, PARTICIPANT_STATES))
            raise DeclarationError(f"participants: {name} is one of {known}, not {state!r:.80}")
    return there


def checked_name(given: Any) -> str:
    """The name of a participant.

    Raises:
        DeclarationError: it is empty, too long, or holds what no name does.
    """
    if (
        not isinstance(given, str)
        or not given.strip()
        or len(given) > _LONGEST
        or any(category(letter) in {"Cc", "Cs"} for letter in given)
    ):
        raise DeclarationError(
            f"participants: {given!r:.80} is no name: a text of at most {_LONGEST} characters, on one line"
        )
    return given
