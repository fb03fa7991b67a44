"""A reply and its results as messages in OpenAI's chat shape, which is how conversations are stored.

In: what intake read. Out: the assistant's message with an id for each call, and the beginnings of the tool messages
that answer it; ids agree, so each result is linked to its call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from actions.messages import Call, Reply


def call_ids(calls: Iterable[Call], turn: str, number: int) -> list[str]:
    """An id for each call: the provider's where it has one that is new in this reply, else one of ours."""
    seen: set[str] = set()
    ids: list[str] = []
    for at, call in enumerate(calls):
        own = f"call_{turn[5:]}_{number}_{at}"
        chosen = call.id if call.id and call.id not in seen else own
        while chosen in seen:  # a model has guessed ours
            chosen += "_"
        seen.add(chosen)
        ids.append(chosen)
    return ids


def tool_head(call_id: str) -> str:
    """A tool message up to its content; the store adds that when the round is complete."""
    return f'{{"role":"tool","tool_call_id":{to_json(call_id).decode()},"content":'


def assistant_message(reply: Reply, ids: Sequence[str]) -> str:
    """The reply as a message in OpenAI's chat shape, with an id for each call."""
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or (None if reply.calls else "")}
    if reply.calls:
        message["tool_calls"] = [
            {"id": call_id, "type": "function", "function": {"name": call.name, "arguments": _text(call)}}
            for call_id, call in zip(ids, reply.calls, strict=True)
        ]
    return to_json(message, inf_nan_mode="null").decode()


def _text(call: Call) -> str:
    return call.raw if call.arguments is None else to_json(call.arguments).decode()
