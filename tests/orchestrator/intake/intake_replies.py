"""Replies in the shapes that providers send, written for these tests, and two ways to look at what was read."""

from __future__ import annotations

from typing import Any

from actions.messages import Reply


def tool_call(name: Any, arguments: Any, id: Any = "call_1", **more: Any) -> dict[str, Any]:  # noqa: A002
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}, **more}


def chat(*tool_calls: Any, content: Any = None, finish: str = "tool_calls", **message: Any) -> dict[str, Any]:
    told = {"tool_calls": list(tool_calls)} if tool_calls else {}
    return {
        "id": "chatcmpl-test",
        "object": "chat.completion",
        "model": "some-model",
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "message": {"role": "assistant", "content": content, **told, **message},
            }
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
    }


def message(*blocks: Any, stop: str = "tool_use") -> dict[str, Any]:
    return {
        "id": "msg_test",
        "type": "message",
        "role": "assistant",
        "model": "some-model",
        "content": list(blocks),
        "stop_reason": stop,
    }


def tool_use(name: Any, input: Any, id: str = "toolu_1") -> dict[str, Any]:  # noqa: A002
    return {"type": "tool_use", "id": id, "name": name, "input": input}


def good(reply: Reply) -> list[tuple[str, dict[str, Any] | None]]:
    """Name and arguments of the calls that may run."""
    return [(one.name, one.arguments) for one in reply.calls if not one.malformed]


def codes(reply: Reply) -> list[str]:
    return [one.code for one in reply.errors]
