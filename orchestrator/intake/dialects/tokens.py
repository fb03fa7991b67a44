"""Tokens around a list of calls, as several models write them: Cohere, LFM2, InternLM, and Apertus.

`<|START_ACTION|>[...]<|END_ACTION|>`, `<|tool_call_start|>[...]<|tool_call_end|>`, `<|action_start|><|plugin|>{...}`,
and `<|tools_prefix|>[{NAME: {...}}]<|tools_suffix|>`, where each object is a name with its arguments.
"""

from __future__ import annotations

from typing import Any, Final

from actions.messages import Call
from actions.strict_json import Repeated, is_object
from orchestrator.intake.calls import broken, call
from orchestrator.intake.dialects.face import Dialect
from orchestrator.intake.parts import tag_runs
from orchestrator.intake.parts.tagged_json import asked, tags
from orchestrator.intake.parts.taken import Opening, Taken

_PREFIX: Final = "<|tools_prefix|>"
_NAMED: Final = r"<\|START_ACTION\|>|<\|tool_call_start\|>|<\|action_start\|>\s*+<\|plugin\|>"
_TAGS: Final = tags(_NAMED, r"<\|END_ACTION\|>|<\|tool_call_end\|>|<\|action_end\|>")


def take(opening: Opening) -> Taken | None:
    """Read the calls between the tokens that begin here."""
    text, at = opening.text, opening.at
    return tag_runs.run(text, at, _APERTUS if text.startswith(_PREFIX, at) else _TAGS)


def _pairs(value: Any, repaired: tuple[str, ...]) -> list[Call]:
    """The call of an object that is a name and its arguments."""
    if not is_object(value) or len(value) != 1:
        return asked(value, repaired)
    name, given = next(iter(value.items()))
    if isinstance(value, Repeated) or not is_object(given):
        return [broken(name, "it is no name with an object of arguments")]
    return [call(name, given, repaired=repaired)]


_APERTUS: Final = tags(r"<\|tools_prefix\|>", r"<\|tools_suffix\|>", asks=_pairs)

DIALECT: Final = Dialect(
    name="tokens",
    also=("cohere.tokens", "lfm2", "internlm", "apertus"),
    opening=rf"{_NAMED}|<\|tools_prefix\|>",
    first="<",
    take=take,
)
