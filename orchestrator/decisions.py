"""What a person decides: a run that waits for an approval in, approved or denied out, and a line in the audit.

Only `approve` and `deny` decide, and only a trusted caller has them: nothing that a model writes comes here. Whoever
decides sees the validated arguments, whole, and an approval holds for exactly those: it names their digest.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from pydantic_core import from_json

from actions.errors import DeclarationError, InvalidId, UnreadableRecord
from actions.messages import Payload, mended
from orchestrator import auditing, ids
from orchestrator.resting import Wanted

if TYPE_CHECKING:
    from orchestrator.store.approvals import Pending
    from orchestrator.store.places import Place
    from orchestrator.store.store import Store

__all__ = ["Decided", "Decisions", "Wanted", "check_by", "check_run"]

Decided = Literal["approved", "denied", "changed", "decided", "missing"]
"""approved, denied: so it is now. changed: it asks for something else than the digest says. decided: it waits for no
approval (any more). missing: there is no such run."""

_DONE: Final = {"approve": "approved", "deny": "denied"}
_NOT_DONE: Final = {
    "decided": "not done: it waits for no decision",
    "changed": "not done: it asks for something else",
}
_REASON: Final = 500
"""Characters of a reason: the model reads it."""


class Decisions:
    """Approves and denies runs."""

    _store: Store

    async def wanted(self, *, limit: int = 100) -> list[Wanted]:
        """The runs of all tenants that wait for an approval, oldest first, at most so many."""
        return [_wanted(each) for each in await self._store.approvals.list(limit)]

    async def wanted_page(
        self, tenant: str, *, limit: int, after: Place | None = None
    ) -> tuple[list[Wanted], Place | None]:
        """At most so many of a tenant's, oldest first, and behind which place to ask for more; None: nowhere.

        It looks at some thousand of all tenants' at most, so a page may hold fewer than `limit`, or none, and have a
        next one.
        """
        found, rest = await self._store.approvals.page(limit, tenant=tenant, after=after)
        return [_wanted(each) for each in found], rest

    async def wanted_of(self, run: str) -> Wanted | None:
        """What this run wants to have approved; None if it waits for no approval (any more).

        Raises:
            InvalidId: this is no id of a run.
        """
        check_run(run)
        found = await self._store.approvals.read(run)
        return None if found is None else _wanted(found)

    async def approve(self, run: str, *, by: str, digest: str | None = None) -> Decided:
        """Let a run go on that waits for an approval; it holds once, and for exactly these arguments.

        Args:
            run: the run.
            by: who decides, for the audit.
            digest: of what was seen (`Wanted.digest`); "changed" if the run asks for something else by now. None
                approves whatever it asks for at this moment.

        Raises:
            InvalidId: this is no id of a run.
            DeclarationError: nobody is named who decides.
        """
        return await self._decide(run, "approve", digest, by, "")

    async def deny(self, run: str, *, by: str, reason: str = "") -> Decided:
        """End a run that waits for an approval as denied.

        Args:
            run: the run.
            by: who decides, for the audit; the model does not hear it.
            reason: what the model is told, at most 500 characters.

        Raises:
            InvalidId: this is no id of a run.
            DeclarationError: nobody is named who decides, or the reason is too long.
        """
        if len(reason) > _REASON:
            raise DeclarationError(f"a reason has {_REASON} characters at most, this one has {len(reason)}")
        return await self._decide(run, "deny", None, by, mended(reason))

    async def note_deed(self, id: str, what: str, *, by: str, **more: Any) -> None:  # noqa: A002 - any id's
        """Add a line to the audit for something that a person did.

        Args:
            id: what it was done to: a run, a turn or a conversation.
            what: the deed, in one word.
            by: who did it.
            more: what else is to be known of it; nothing that must not be seen.
        """
        check_by(by)
        await self._store.audit.note(auditing.line(id, what, by=by, **more))

    async def _decide(
        self, run: str, verdict: Literal["approve", "deny"], digest: str | None, by: str, reason: str
    ) -> Decided:
        check_run(run)
        check_by(by)
        said = {"digest": digest, "reason": reason or None}
        done = auditing.line(run, verdict, by=by, **said, decided=_DONE[verdict])
        answer = await self._store.approvals.decide(run, verdict, digest, mended(by), reason, line=done)
        if answer in _NOT_DONE:  # there is nothing that this line has to stand beside
            told = auditing.line(run, verdict, by=by, **said, decided=_NOT_DONE[answer])
            await self._store.audit.note(told)
        return cast("Decided", answer)


def check_by(by: str) -> None:
    """Raise DeclarationError if nobody is named who does this: the audit needs a name."""
    loose: object = by
    if not isinstance(loose, str) or not loose.strip():
        raise DeclarationError(f"by: the name of the person who decides is wanted, not {loose!r:.80}")


def check_run(run: str) -> None:
    """Raise InvalidId for what names no run."""
    if ids.kind(run) != "run":
        raise InvalidId(f"{run[:80]!r} is no run", fix="A run's id begins with run_")


def _wanted(each: Pending) -> Wanted:
    try:
        payload = Payload.decode(each.payload)
    except UnreadableRecord:
        payload = Payload("?")
    return Wanted(
        run=each.run,
        action=payload.action,
        arguments=from_json(each.shown) if each.shown else {},
        digest=each.digest,
        asked=datetime.fromtimestamp(each.asked_us / 1e6, UTC),
        expires=datetime.fromtimestamp(each.expires_us / 1e6, UTC),
        principal=payload.principal,
        tenant=each.tenant,
        conversation=each.conversation or None,
        turn=each.turn or None,
    )
