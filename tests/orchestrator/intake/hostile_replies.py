"""Replies that try to be slow to read: a size in, a text of that size out. Tests and the benchmark read the same ones.

Beginnings of calls over and over, quotes and brackets that nobody closes, and what looks like thousands of calls.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

BEGINNINGS = (
    "<", "[", "{", "(", "`", '"', "'", "\\", "<|", "</", '{"', "{'", "[{", '[{"', "[[", "[f(a='", "f(a=1)", "{a: ",
    '{"a":', '{"a": "', "{'a': '", '{"a": 1}', '[{"a": 1}]', '{"name":', '{"name": "go", ',
    '{"action": "GO", "args": {', "```", "```json\n", "```json\n{", "```python\n", "```\n[", "`[ACTION:",
    "<think>", "</think>", "<think></think>", "<thinking>", "<!DOCTYPE", "<!--", "<a b='", "/*", "//", "&amp;", "&#",
    "\n", " ", "Action:", "Action: go\nAction Input: ", "Action: go[", "data: {\n\n", "data: ", "\ufeff", "é",
    "`<tool_call>", "<tool_call>", "<tool_call>{", '<tool_call>{"name": "a", "arguments": {}}', "<function=",
    "<function=a>", "<function=a><parameter=b>", "<parameter=", "<invoke name='a'>", "<invoke", "<arg_key>",
    "[TOOL_CALLS]", "[TOOL_CALLS][", "functools[", "<|python_tag|>", "<|channel|>", "<|tool_call_begin|>",
    "<|tool_call|>", "<\uff5ctool\u2581call\u2581begin\uff5c>", "<response>", "<response>\n<thought",
    "\n<actions>", "\n<action><name>", "<text>\n", "<response><text>", "<response><text></response>",
    "\n<actions></actions><params>", "<function=a><parameter=b>1</function>",
    "<invoke name='a'><parameter name='b'></invoke> ", 'function<\uff5ctool\u2581sep\uff5c>{"a": 1}',
    '\n[{"name":"a","arguments":{}},',
)  # fmt: skip
"""What is repeated without end."""
_LONGEST = 600
"""Characters of the longest beginning of a sample."""


def repeated(beginning: str, size: int) -> str:
    """A beginning over and over."""
    return beginning * max(1, size // len(beginning))


def beginnings(sample: str) -> list[str]:
    """The parts of a reply from its beginning to some place in it, and from there on."""
    sample = sample[:_LONGEST]
    places = [each.end() for each in re.finditer(r"\w+|\s+|[^\w\s]", sample)]
    return sorted({sample[:place] for place in places} | {sample[place:] for place in places[:-1]})


def shapes() -> Iterator[tuple[str, Callable[[int], str]]]:
    """What each shape is, and what makes it in some size."""
    yield "a text in quotes that never ends", lambda n: '{"action": "GO", "args": {"a": "' + "x" * n
    yield "the same with escapes", lambda n: '{"action": "GO", "args": {"a": "' + "\\n" * (n // 2)
    yield "lists inside each other", lambda n: '{"action": "GO", "args": ' + "[" * (n // 2) + "]" * (n // 2)
    yield "lists that never end", lambda n: '{"action": "GO", "args": ' + "[" * n
    yield "many small arguments in a text", many_arguments
    yield "the same, with single quotes", lambda n: many_arguments(n).replace('\\"', "'")
    yield "the same, cut off", lambda n: many_arguments(n).replace('1}"', '1"')
    yield "a list of objects that are no calls", lambda n: json.dumps([{"a": 1, "b": "c"}] * (n // 20))
    yield "calls that name nothing", lambda n: json.dumps([{"name": "", "arguments": {}}] * (n // 30))
    yield (
        "calls in a list that is cut off",
        lambda n: json.dumps([{"name": "go", "arguments": {}}] * (n // 30))[:-1],
    )
    yield "a thought that never ends", lambda n: "<think>" + '{"name": "go"} ' * (n // 15)
    yield "spaces in front of a call", lambda n: " " * n + '{"action": "GO"}'
    yield "blank lines in a text", lambda n: "a\n \n" * (n // 4)
    yield "a word that never ends", lambda n: "a" * n
    yield "digits in an argument", lambda n: '{"action": "GO", "args": {"a": ' + "1" * n + "}}"
    yield "events of one letter", lambda n: _event("a") * (n // len(_event("a")))
    yield "events that are cut off", lambda n: _event("a")[:-6] * (n // len(_event("a")))


def many_arguments(size: int) -> str:
    """A body whose one call has thousands of arguments."""
    told = json.dumps({f"k{number}": 1 for number in range(size // 15)})
    call = {"type": "function", "id": "c", "function": {"name": "go", "arguments": told}}
    return json.dumps(
        {"choices": [{"message": {"role": "assistant", "content": None, "tool_calls": [call]}}]}
    )


def _event(text: str) -> str:
    told = {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": text}}]}
    return f"data: {json.dumps(told)}\n\n"
