"""A second chance for what died: dead, failed and timed-out runs in; replays of them, edited or as they were, out.

A replay is a new run, made of the stored record: same action, arguments, principal and permissions, and the same key
for its handler, so that a service outside still knows a repetition. The old run stays as it ended; its call has had
its result, so what the new one brings is told to the conversation as a note. Failed undos are tried again here too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from actions.errors import (
    IdempotencyConflict,
    InvalidArguments,
    UnknownConversation,
    UnknownRecord,
)
from actions.messages import Payload, RunId, mended, run_id_from_key
from orchestrator import auditing
from orchestrator.dead_calls import DeadCall, dead_call, is_house
from orchestrator.dead_lists import DeadLists
from orchestrator.decisions import check_by, check_run
from orchestrator.dependencies import check_dependencies
from orchestrator.digests import digest
from orchestrator.drafting import check_recordable, draft
from orchestrator.guards import Caps, caps
from orchestrator.judging import bound, check_permissions, check_state
from orchestrator.replays import arguments_of, check_alone

if TYPE_CHECKING:
    from actions.definition import Action
    from actions.registry import Registry
    from orchestrator.store.dead import DeadRun
    from orchestrator.store.incoming import NewRun
    from orchestrator.store.records import ConversationRecord
    from orchestrator.store.store import Store

_FIX: Final = (
    "`umbel dead list` shows those that there are; one that was replayed or discarded is none of them"
)


class SecondChances(DeadLists):
    """Lists, replays, edits and discards the dead, and tries failed undos again."""

    caps: Caps
    _cell: str
    _registry: Registry
    _store: Store

    async def dead_one(self, run: str) -> DeadCall:
        """One of the dead.

        Raises:
            InvalidId: this is no id of a run.
            UnknownRecord: there is no such run, or it is none of the dead.
        """
        return dead_call(await self._read(run), self._registry)

    async def replay(self, run: str, *, by: str, new_key: bool = False) -> RunId:
        """Run one of the dead again, as a new run; return that run's id. The old one leaves the list.

        However often it is asked for, by however many at once, there is one replay. If that dies too, it is on the list
        itself.

        Args:
            run: the dead one.
            by: who does this, for the audit.
            new_key: whether the handler gets a key of its own, so that a service outside takes it for something new.

        Raises:
            InvalidId: this is no id of a run.
            UnknownRecord: there is no such run, or it is none of the dead (any more).
            ModelError: unknown action, one that runs only in a chain, missing permission, a state or a dependency that
                forbids it, or invalid arguments, as for a new call.
            BadReference: it took a value from a run that has none (any more), or was undone: edit it first.
        """
        check_by(by)
        record = await self._read(run)
        fresh = await self._drafted(record, by, new_key=new_key)
        try:
            await self._store.runs.submit([fresh])
        except (
            IdempotencyConflict
        ):  # it had been replayed with other arguments, by one who died before the next line
            await self._store.dead.mark_replayed(run, fresh.id)
            raise UnknownRecord(f"{run} was replayed before, as {fresh.id}", fix=_FIX) from None
        await self._store.dead.mark_replayed(run, fresh.id)
        return RunId(fresh.id)

    async def edit(self, run: str, arguments: Mapping[str, Any], *, by: str, merge: bool = False) -> None:
        """Give one of the dead other arguments, for its replay; the record of what was asked for stays as it is.

        Args:
            run: the dead one.
            arguments: its new arguments.
            by: who does this, for the audit.
            merge: whether the arguments that are not given stay as they are.

        Raises:
            InvalidId, UnknownRecord: as for `replay`.
            ModelError: unknown action, one that cannot be replayed, or arguments that it does not take.
        """
        check_by(by)
        record = await self._read(run)
        payload = Payload.decode(record.payload)
        action = self._registry.resolve(payload.action)
        check_alone(action)
        loose: object = arguments
        if not isinstance(loose, Mapping):
            raise InvalidArguments("the arguments: a JSON object is wanted")
        before = await arguments_of(record, payload, action, self._store) if merge else {}
        chosen = {**before, **arguments}
        check_recordable(chosen)
        bound(action, chosen)
        text = to_json(mended(chosen)).decode()
        told = auditing.line(
            run, "edit", by=by, action=action.name, arguments=auditing.masked(action, chosen)
        )
        if not await self._store.dead.edit(run, text, told):
            raise _no_such(run)

    async def discard(self, run: str, *, by: str) -> bool:
        """Take one of the dead off the list; whether it stood there. Its record is kept as long as others.

        Raises:
            InvalidId: this is no id of a run.
        """
        check_by(by)
        check_run(run)
        return await self._store.dead.discard(run, auditing.line(run, "discard", by=by))

    async def retry_undo(self, run: str, *, by: str) -> str:
        """Try a failed undo again: "retried", "not_stuck" (no undo of this run rests as failed) or "missing".

        Args:
            run: the run whose effect shall be undone.
            by: who does this, for the audit.

        Raises:
            InvalidId: this is no id of a run.
        """
        check_by(by)
        check_run(run)
        return await self._store.undos.retry(run, auditing.line(run, "undo_retry", by=by))

    async def _read(self, run: str) -> DeadRun:
        check_run(run)
        (record,) = await self._store.dead.read([run])
        if record is None or is_house(dead_call(record, self._registry).action):
            raise _no_such(run)
        return record

    async def _drafted(self, record: DeadRun, by: str, *, new_key: bool) -> NewRun:
        payload = Payload.decode(record.payload)
        action = self._registry.resolve(payload.action)
        check_alone(action)
        place = await self._place(record)
        permissions = payload.permissions if place is None else place.permissions
        conversation = None if place is None else place.id
        check_permissions(action, permissions)
        check_dependencies(action, () if place is None else place.did, self._registry)
        if place is not None and place.machine:
            check_state(action, self._registry.machine(place.machine), place.state)
        # an id that comes again (a key's) has another end: one replay for each; no tenant has such a name
        chosen = run_id_from_key(f"replay of {record.run} {record.at_us}", "", self._cell)
        payload = replace(
            payload,
            arguments=await arguments_of(record, payload, action, self._store),
            uses=(),
            merge=(),
            call_id=None,
            permissions=permissions,
            key=digest(chosen) if new_key or not payload.key else payload.key,
        )
        fresh = draft(
            action,
            bound(action, payload.arguments),
            payload,
            id=chosen,
            registry=self._registry,
            tenant=record.tenant,
            principal=payload.principal,
            conversation=conversation,
            caps_guards=caps(self.caps, tenant=record.tenant),
            key_digest=digest(to_json([record.edited, new_key])),
            belongs_to=conversation or "",
            note=_note(action, record) if conversation else "",
        )
        told = auditing.line(
            chosen, "replay", by=by, of=record.run, action=action.name, principal=payload.principal,
            tenant=record.tenant, conversation=conversation or "",
            arguments=auditing.masked(action, payload.arguments),
        )  # fmt: skip
        return replace(
            fresh,
            same=None,  # a person wants it again, whatever it is the same as
            audit=to_json(told).decode(),
        )

    async def _place(self, record: DeadRun) -> ConversationRecord | None:
        """Its conversation, if it had one that is still there."""
        if not record.conversation:
            return None
        try:
            return await self._store.conversations.read(record.conversation)
        except UnknownConversation:
            return None


def _note(action: Action, record: DeadRun) -> str:
    return f"{action.name} ({record.run}), which had ended as {record.status}, was run again, and ended as"


def _no_such(run: str) -> UnknownRecord:
    return UnknownRecord(f"there is no dead run {run[:80]}", fix=_FIX)
