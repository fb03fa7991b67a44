"""The formats that intake knows, one module each; a new one is its file and its line here.

In reading order: `body` (the face of formats that are JSON bodies; `intake.prose` has the face of those in
prose), `openai_chat`, `anthropic_messages`, `eliza_json` (both a body and prose), `coach_tags`, `coach_xml`.
The order of a table is the order in which its formats are tried.
"""

from __future__ import annotations

from typing import Final

from orchestrator.intake.formats import anthropic_messages, coach_tags, coach_xml, eliza_json, openai_chat
from orchestrator.intake.formats.body import BodyFormat
from orchestrator.intake.prose import ProseFormat

BODIES: Final[dict[str, BodyFormat]] = {
    one.name: one for one in (openai_chat.BODY, anthropic_messages.BODY, eliza_json.BODY)
}
"""Formats whose replies are JSON bodies."""

PROSE: Final[dict[str, ProseFormat]] = {
    one.name: one for one in (coach_tags.PROSE, coach_xml.PROSE, eliza_json.PROSE)
}
"""Formats that stand in a text. All of them are looked for in one pass, so one text may mix them."""

TEXT: Final = "text"
"""The format of a text in which no calls are looked for, and of one in which none were found."""

KNOWN: Final = tuple(sorted({*BODIES, *PROSE, TEXT}))
"""Every name that may be asked for."""
