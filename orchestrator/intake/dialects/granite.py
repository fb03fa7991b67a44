"""IBM Granite: `<function_call> {json}` and `<|tool_call|>[{json}, ...]` or `<tool_call>[...]`, mostly without ends.

The same tags are written by others with an end tag (`</function_call>`, Phi-4-mini's `<|/tool_call|>`). Only where a
text has such ends somewhere does a call without one say that it was mended.
"""

from __future__ import annotations

from typing import Final

from orchestrator.intake.dialects.face import Dialect
from orchestrator.intake.parts import tag_runs
from orchestrator.intake.parts.tagged_json import tags
from orchestrator.intake.parts.taken import Opening, Taken

_OPENING: Final = r"<function_call>(?!\s*+<[\w.:-]{0,20}+invoke\b)|<\|tool_calls?\|>|<tool_call>(?=\s*+\[)"
_TAGS: Final = tags(_OPENING, r"</function_call>|<\|/tool_calls?\|>|</tool_call>", needed=False)


def take(opening: Opening) -> Taken | None:
    """Read the blocks that begin here."""
    text, at = opening.text, opening.at
    return tag_runs.run(text, at, _TAGS)


DIALECT: Final = Dialect(
    name="granite", also=("function_call", "phi4mini", "phi4_mini"), opening=_OPENING, first="<", take=take
)
