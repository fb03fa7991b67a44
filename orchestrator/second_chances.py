"""A second chance for what died: dead, failed and timed-out runs in; replays of them, edited or as they were, out.

A replay is a new run, made of the stored record: same action, arguments, principal and permissions, and the same key
for its handler, so that a service outside still knows a repetition. The old run stays as it ended; its call has had
its result, so what the new one brings is told to the conversation as a note. Failed undos are tried again here too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

from pydantic_core import from_json, to_json

from actions.errors import IdempotencyConflict, InvalidArguments, UnknownConversation, UnknownRecord
from actions.messages import Payload, RunId, Status, mended, run_id_from_key
from actions.params import bind
from orchestrator import auditing, turns
from orchestrator.dead_calls import DeadCall, StuckCall, Which, dead_call, is_house, stuck_call
from orchestrator.decisions import check_by, check_run
from orchestrator.drafting import check_recordable, draft
from orchestrator.guards import Caps, caps
from orchestrator.judging import check_permissions, check_single
from orchestrator.references import filled, needed

if TYPE_CHECKING:
    from actions.definition import Action
    from actions.registry import Registry
    from orchestrator.store.dead import DeadRun
    from orchestrator.store.incoming import NewRun
    from orchestrator.store.store import Store

_MOST: Final = 10_000
"""The store's index holds no more."""
_FIX: Final = (
    "`umbel dead list` shows those that there are; one that was replayed or discarded is none of them"
)


class SecondChances:
    """Lists, replays, edits and discards the dead, and tries failed undos again."""

    caps: Caps
    _cell: str
    _registry: Registry
    _store: Store

    async def dead(self, which: Which | None = None, *, limit: int | None = None) -> list[DeadCall]:
        """The dead that match, oldest first; all of them if no limit is given."""
        wanted = which or Which()
        most = limit if limit is not None and wanted.is_plain else _MOST
        records = await self._store.dead.list(wanted.status, wanted.after_us, wanted.before_us, most)
        calls = (dead_call(each, self._registry) for each in records)
        return [call for call in calls if wanted.matches(call) and not is_house(call.action)][:limit]

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
            ModelError: unknown action, missing permission or invalid arguments, as for a new call.
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
            ModelError: unknown action, or arguments that it does not take.
        """
        check_by(by)
        record = await self._read(run)
        payload = Payload.decode(record.payload)
        action = self._registry.resolve(payload.action)
        loose: object = arguments
        if not isinstance(loose, Mapping):
            raise InvalidArguments("the arguments: a JSON object is wanted")
        before = await self._arguments(record, payload, action) if merge else {}
        chosen = {**before, **arguments}
        check_recordable(chosen)
        bind(action, chosen)
        text = to_json(mended(chosen)).decode()
        if not await self._store.dead.edit(run, text):
            raise _no_such(run)
        told = auditing.line(
            run, "edit", by=by, action=action.name, arguments=auditing.masked(action, chosen)
        )
        await self._store.audit.note(told)

    async def discard(self, run: str, *, by: str) -> bool:
        """Take one of the dead off the list; whether it stood there. Its record is kept as long as others.

        Raises:
            InvalidId: this is no id of a run.
        """
        check_by(by)
        check_run(run)
        found = await self._store.dead.discard(run)
        if found:
            await self._store.audit.note(auditing.line(run, "discard", by=by))
        return found

    async def stuck_undos(self, *, limit: int = 100) -> list[StuckCall]:
        """The undos that failed for the last time and rest until somebody tries them again, at most so many."""
        return [stuck_call(each, self._registry) for each in await self._store.undos.stuck(limit)]

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
        said = await self._store.undos.retry(run)
        if said == "retried":
            await self._store.audit.note(auditing.line(run, "undo_retry", by=by))
        return said

    async def _read(self, run: str) -> DeadRun:
        check_run(run)
        (record,) = await self._store.dead.read([run])
        if record is None or is_house(dead_call(record, self._registry).action):
            raise _no_such(run)
        return record

    async def _drafted(self, record: DeadRun, by: str, *, new_key: bool) -> NewRun:
        payload = Payload.decode(record.payload)
        action = self._registry.resolve(payload.action)
        permissions, conversation = await self._place(record, payload)
        check_permissions(action, permissions)
        check_single(action)
        chosen = run_id_from_key(f"replay of {record.run}", "", self._cell)  # no tenant has such a name
        payload = replace(
            payload,
            arguments=await self._arguments(record, payload, action),
            uses=(),
            merge=(),
            call_id=None,
            permissions=permissions,
            key=turns.digest(chosen) if new_key or not payload.key else payload.key,
        )
        fresh = draft(
            action,
            bind(action, payload.arguments),
            payload,
            id=chosen,
            registry=self._registry,
            tenant=record.tenant,
            principal=payload.principal,
            conversation=conversation,
            caps_guards=caps(self.caps, tenant=record.tenant),
            key_digest=turns.digest(to_json([record.edited, new_key])),
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

    async def _arguments(self, record: DeadRun, payload: Payload, action: Action) -> dict[str, Any]:
        """The arguments of its replay: those that a person gave it, or its own, with what they took from other runs."""
        if record.edited:
            return cast("dict[str, Any]", from_json(record.edited))
        if not (others := needed(payload)):
            return payload.arguments
        views = await self._store.runs.read_all(others)
        results = {
            view.id: from_json(view.result)
            for view in views
            if view is not None and view.result is not None and view.status == Status.SUCCEEDED
        }
        return filled(action, payload, results)

    async def _place(self, record: DeadRun, payload: Payload) -> tuple[tuple[str, ...], str | None]:
        """What its principal may do, and its conversation if that is still there."""
        if record.conversation:
            try:
                found = await self._store.conversations.read(record.conversation)
            except UnknownConversation:
                pass
            else:
                return found.permissions, found.id
        return payload.permissions, None


def _note(action: Action, record: DeadRun) -> str:
    return f"{action.name} ({record.run}), which had ended as {record.status}, was run again"


def _no_such(run: str) -> UnknownRecord:
    return UnknownRecord(f"there is no dead run {run[:80]}", fix=_FIX)
