"""The rows of values that the scripts of runs take and give, and what they mean on our side.

The order of the values is that of the scripts' headers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json

from actions.messages import TERMINAL
from orchestrator.store.incoming import Finish, Priority
from orchestrator.store.records import Claim, Claimed, Glance, RunView

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from orchestrator.store.values import Value

_WIDTH: Final = 13
_NOTHING: Final[dict[str, Any]] = {}
VIEW: Final = (
    "s", "q", "a", "n", "r", "y", "e", "c", "t", "u", "since", "b", "at", "until", "dl", "late",
    "tm", "undo", "ue", "of", "ap", "apx", "av", "par", "kids", "tn", "rp", "ro",
)  # fmt: skip
RESULTLESS: Final = tuple("-" if field == "r" else field for field in VIEW)
"""The same, with a field that no record has in the place of the result."""


def claim_arguments(
    pump: str,
    lanes: Sequence[tuple[str, int]],
    worker: str,
    lease_ms: int,
    nap_ms: int,
    flying: int,
    suspects: int,
    patience_ms: int = 30_000,
    shares: str = "",
) -> list[Value]:
    """The arguments of the script `claim`; `shares` comes from the function of that name."""
    rooms = [value for lane in lanes for value in lane]
    return [pump, worker, lease_ms, nap_ms, flying, suspects, patience_ms, shares, *rooms]


def shares(percent: int, places: Mapping[str, tuple[int, Mapping[str, int]]]) -> str:
    """How much of a pump's places one tenant may fill while others wait, as `claim` reads it.

    `places`: for each kind of place ("" on the loop, `keys.THREADS`, `keys.ISOLATED`) how many there are, and how many
    runs of each tenant are in flight there.
    """
    if percent >= 100:  # noqa: PLR2004 - of a hundred
        return ""
    return "".join(
        f"{kind}:{max(1, slots * percent // 100)}:{','.join(f'{tenant}={n}' for tenant, n in flying.items())};"
        for kind, (slots, flying) in places.items()
    )


def finish_arguments(pump: str, finishes: Sequence[Finish], claims_next: Iterable[str] = ()) -> list[Value]:
    """The arguments of the script `finish`."""
    own = "".join(f"{queue} " for queue in claims_next)
    return [pump, own, *(value for finish in finishes for value in finish.row())]


def work_lists(lane: str) -> list[str]:
    """The keys, without prefix, that are there while runs of a lane stand ready."""
    return [f"sus:{lane}", f"alone:{lane}", *(f"rot:{lane}:{int(priority)}" for priority in Priority)]


def read_claim(reply: list[Any]) -> Claim:
    """What the script `claim` returned."""
    verdict, fence, due, held, *flat = reply
    runs: list[Claimed] = []
    for at in range(0, len(flat), _WIDTH):
        more: dict[str, Any] = _NOTHING
        (
            run,
            lane,
            payload,
            attempt,
            conversation,
            turn,
            tenant,
            state,
            revision,
            level,
            machine,
            who,
            rest,
        ) = flat[at : at + _WIDTH]
        if rest:
            more = from_json(rest)
        runs.append(
            Claimed(
                id=run,
                lane=lane,
                payload=payload,
                attempt=int(attempt),
                conversation=conversation,
                turn=turn,
                tenant=tenant,
                state=state,
                state_revision=int(revision or 0),
                level=level,
                machine=machine,
                principal=who,
                fence=fence,
                deaths=more.get("deaths", 0),
                left_ms=more.get("left"),
                check=more.get("check", ""),
                undoes=more.get("undoes", ""),
                rescue=more.get("rescue", ""),
                error=more.get("error", ""),
                approved=more.get("approved", ""),
                hooked=more.get("hooked", ""),
            )
        )
    return Claim(verdict, int(due), runs, int(held))


def glance(row: Sequence[str | None], result_bytes: int) -> Glance | None:
    """What status, lane, conversation, time and payload of a record say; None if there is no such record."""
    status, lane, conversation, created, payload = row
    if status is None:
        return None
    at = None if created is None else int(created)
    return Glance(status, lane or "", conversation, at, payload, result_bytes)


def view(run: str, row: list[str | None], *, result_omitted: bool = False) -> RunView | None:
    """What the fields `VIEW` (or `RESULTLESS`) of a record say; None if there is no such record."""
    status, lane, payload, attempts, result, why, error, conversation, turn, tenant, *rest = row
    since, began, created, until, deadline, late, *rarest = rest
    told, undo, undo_error, undo_of, approval, approval_until, shown, parent, children, told_now, *replays = (
        rarest
    )
    if status is None:
        return None
    waiting = status not in TERMINAL
    return RunView(
        id=run,
        status=status,
        lane=lane or "",
        payload=payload or "",
        attempts=int(attempts or 0),
        result=result,
        why=why if waiting else None,
        error=error if waiting else None,
        conversation=conversation,
        turn=turn,
        tenant=tenant or "",
        since_us=int(since or 0),
        began_us=_time(began),
        created_us=_time(created),
        until_us=_time(until) if waiting else None,
        deadline_us=_time(deadline),
        late=late,
        told=told,
        now=told_now,
        replayed=replays[0],
        replay_of=replays[1],
        undo=undo,
        undo_error=undo_error,
        undo_of=undo_of,
        approval=approval if waiting or approval != "wanted" else None,
        approval_until_us=_time(approval_until) if waiting and approval == "wanted" else None,
        shown=shown,
        parent=parent,
        children=tuple((children or "").split()),
        result_omitted=result_omitted,
    )


def _time(told: str | None) -> int | None:
    return None if told is None else int(told)
