"""The workloads: calls and replies out, and the check of what came back.

W1 is one action with three typed parameters. W2 is a reply in OpenAI's shape whose calls are that action, their
results in the conversation in call order, and one continuation. W3 is actions that wait, each under a lock and a limit.
"""

from __future__ import annotations

from typing import Any

from pydantic_core import from_json, to_json

from actions.errors import OperatorError
from umbel.bench.actions import NOTE


class WrongResult(OperatorError):
    """What was measured did not do its work, so its figure would mean nothing."""

    code = "bench_wrong_result"


def arguments(number: int) -> dict[str, Any]:
    """The arguments of one call; `number` tells them apart."""
    return {"text": f"call the supplier about order {number}", "count": number, "urgent": number % 2 == 0}


def guarded_arguments(number: int, *, rooms: int, wait_ms: int) -> dict[str, int]:
    """The arguments of one call of W3; its neighbours are in other rooms."""
    return {"room": number % rooms, "count": number, "wait_ms": wait_ms}


def result(number: int) -> dict[str, int]:
    """What the action answers to these arguments."""
    return {"noted": number}


def call_id(turn: int, position: int) -> str:
    """The provider's id of a call."""
    return f"call_{turn:08d}_{position:02d}"


def reply(turn: int, calls: int) -> bytes:
    """A reply in the shape of OpenAI's chat completions, as its bytes came over the wire."""
    tool_calls = [
        {
            "id": call_id(turn, position),
            "type": "function",
            "function": {"name": NOTE, "arguments": to_json(arguments(position)).decode()},
        }
        for position in range(calls)
    ]
    message = {"role": "assistant", "content": None, "tool_calls": tool_calls, "refusal": None}
    return to_json(
        {
            "id": f"chatcmpl-{turn:08d}",
            "object": "chat.completion",
            "created": 1_760_000_000,
            "model": "bench",
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "tool_calls"}],
            "usage": {"prompt_tokens": 900, "completion_tokens": 300, "total_tokens": 1200},
        }
    )


def check_conversation(messages: list[dict[str, Any]], turn: int, calls: int) -> None:
    """Raise WrongResult unless the assistant's message stands there once, then each call's result in call order."""
    expected = ["assistant"] + ["tool"] * calls
    if [message["role"] for message in messages] != expected:
        raise WrongResult(f"turn {turn} left {[message['role'] for message in messages]}")
    for position, message in enumerate(messages[1:]):
        told = (message["tool_call_id"], from_json(message["content"]))
        if told != (call_id(turn, position), result(position)):
            raise WrongResult(f"turn {turn} has {told} as result {position}")
