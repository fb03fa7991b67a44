"""`<invoke name="NAME"><parameter name="key">value</parameter></invoke>`, as Claude and MiniMax write calls in text.

Any wrapper may stand around, and any prefix before the tags (`<ns:invoke>`). Raw `<` and `&` may stand in values.
"""

from __future__ import annotations

import re
from typing import Final

from orchestrator.intake.dialects.face import Dialect
from orchestrator.intake.parts import xml_elements
from orchestrator.intake.parts.marked_json import opened
from orchestrator.intake.parts.taken import Opening, Taken

_PREFIX: Final = r"(?:[A-Za-z][\w.-]{0,20}+:)?+"
_WRAPPER: Final = rf"<{_PREFIX}(?:function_calls?|tool_calls?|tools?|tool_uses?|invocations?|calls?)>"
_BETWEEN: Final = re.compile(rf"(?:\s++|{_WRAPPER}|{_WRAPPER.replace('<', '</', 1)})*+")
_FORM: Final = xml_elements.invoke(_PREFIX)
_BEGINS: Final = rf"<{_PREFIX}invoke\s"
_CUT: Final = re.compile(rf"{_WRAPPER}\s*+(?:<[\w.:-]{{0,30}}+)?+\Z")


def take(opening: Opening) -> Taken | None:
    """Read the elements that begin here."""
    text, at = opening.text, opening.at
    taken = xml_elements.elements(text, at, _BETWEEN, _FORM)
    return taken or (opened(text, at, _BETWEEN, _CUT) if _CUT.match(text, at) else None)


DIALECT: Final = Dialect(
    name="invoke",
    also=("invoke.xml", "minimax", "anthropic.xml"),
    opening=rf"{_BEGINS}|{_WRAPPER}(?=\s*+(?:{_BEGINS}|<{_PREFIX}i?n?v?\Z))|<{_PREFIX}function_calls>(?=\s*+\Z)",
    first="<",
    take=take,
)
