"""The rooms that conversations are: opening one, who takes part in it, what was said, and forgetting it.

In: what a person or a service says of a conversation. Out: its id, its messages. Who it belongs to, what that principal
may do and who takes part are a trusted caller's to say, or an action's; never a model's or a message's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from actions.canonical import canonical
from actions.messages import ConversationId
from orchestrator import ids
from orchestrator.digests import digest
from orchestrator.modes import Mode
from orchestrator.opening import Opening
from orchestrator.participants import checked_name, checked_participants

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from actions.registry import Registry
    from orchestrator.store.store import Store


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
        key: str | None = None,
        dialects: Iterable[str] | None = None,
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
            key: an idempotency key of the tenant's: the same key and request are one conversation. Not beside an id.
            dialects: the dialects in which calls may stand in a reply's text, for example ["hermes"]; none: they stand
                where the provider's format has a place for them. All, or as the settings say, if None.

        Raises:
            InvalidId: the id or the tenant has not the form that keys take, or an id was given beside a key.
            IdempotencyConflict: the key was used for another request.
            DeclarationError: there is no such mode or dialect, or a participant has no name or no such state.
            ConfigError: there is no such state machine, or it has no such state.
        """
        asked = Opening(
            conversation,
            machine,
            state,
            principal,
            permissions,
            tenant,
            context,
            mode,
            agent,
            participants,
            key,
            dialects,
        )
        return (await self.open_once(asked))[0]

    async def open_once(self, asked: Opening) -> tuple[ConversationId, bool]:
        """Make a conversation as `open_conversation` does; return its id, and whether it was there already."""
        chosen, fields = asked.id(self._cell), asked.fields(self._registry)
        request = "" if asked.key is None else digest(canonical(fields))
        return chosen, not await self._store.conversations.open(chosen, **fields, digest=request)

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

    async def forget(self, conversation: str, *, timeout_s: float = 60.0) -> bool:
        """Delete a conversation: what runs is cancelled, and with its last end everything is removed.

        Args:
            conversation: which one; nobody finds it any more from now on.
            timeout_s: how long to wait for handlers to stop.

        Returns:
            Whether there was such a conversation.

        Raises:
            TimeoutError: a handler has not stopped in time; what is left is removed when it does.
        """
        ids.check_conversation(conversation)
        return await self._store.conversations.forget(conversation, timeout_s=timeout_s)

    async def messages(self, conversation: str) -> list[dict[str, Any]]:
        """All messages of a conversation in OpenAI's chat shape."""
        return await self._store.conversations.messages(conversation)
