"""Harmony, the format of gpt-oss: messages with a channel, of which those to `functions.NAME` are calls.

`<|channel|>commentary to=functions.NAME <|constrain|>json<|message|>{json}<|call|>`. The analysis channel is thought
and never read or shown; the rest without a recipient is text. Calls of the tools that come with the model (browser,
python, container) are the server's to run and go to the provider's calls.
"""

from __future__ import annotations

import re
from typing import Final

from orchestrator.intake.calls import MAX_NAME, broken
from orchestrator.intake.dialects.face import Dialect
from orchestrator.intake.parts.marked_json import arguments_at, marks
from orchestrator.intake.parts.taken import Opening, Taken

_START: Final = r"<\|start\|>"
_CHANNEL: Final = r"<\|channel\|>"
_HEAD: Final = re.compile(
    rf"(?:{_START}([^<>{{}}]{{0,300}}+))?+(?:{_CHANNEL}([^<>{{}}]{{0,300}}+))?+"
    r"(?:<\|constrain\|>[^<>{}]{0,60}+)?+(?:<\|message\|>|(?=\{))"
)
_CUT: Final = re.compile(rf"(?:{_START}|{_CHANNEL})[^{{}}]{{0,700}}+\Z")
_TO: Final = re.compile(rf"\bto=([^\s<>=]{{1,{MAX_NAME}}}+)")
_END: Final = re.compile(rf"<\|(?:end|call|return)\|>|(?={_START}|{_CHANNEL})")
_MARKS: Final = marks(f"{_START}|{_CHANNEL}", r"<\|call\|>", r"<\|(?:end|return)\|>")
_NOBODY: Final = ("assistant", "user", "all", "system", "developer")
_SERVERS: Final = ("browser", "python", "container")
"""Tools that the model was trained with; whoever runs the model runs them."""


def take(opening: Opening) -> Taken | None:
    """Read the message that begins here, or the head of one that is text."""
    text, at = opening.text, opening.at
    head = _HEAD.match(text, at)
    if head is None:
        return _cut_head(text, at)
    role, channel = head[1] or "assistant", head[2] or ""
    to = _TO.search(f"{role} {channel}")
    author = role.split(maxsplit=1)[0] if role.strip() else "assistant"
    if author != "assistant" or (to is None and channel.lstrip().startswith("analysis")):
        return Taken(_after(text, head.end()))
    if to is None or to[1] in _NOBODY:
        return Taken(head.end())
    name = to[1].removeprefix("functions.")
    if name == to[1] and name.split(".")[0] in _SERVERS:
        return Taken(_after(text, head.end()), provider_calls=(name,))
    one, end = arguments_at(text, head.end(), name, _MARKS)
    return Taken(end, (one,))


def _after(text: str, at: int) -> int:
    """Where the message ends whose body begins here."""
    end = _END.search(text, at)
    return end.end() if end else len(text)


def _cut_head(text: str, at: int) -> Taken | None:
    if not _CUT.match(text, at):
        return None
    to = _TO.search(text, at)
    if to is None:
        return Taken(len(text))
    why = "the reply ends before its arguments"
    return Taken(len(text), (broken(to[1].removeprefix("functions."), why, truncated=True),))


DIALECT: Final = Dialect(
    name="harmony", also=("gpt_oss",), opening=rf"{_START}|{_CHANNEL}", first="<", take=take
)
