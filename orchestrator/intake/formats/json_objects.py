"""Calls in JSON as a whole body: `{"name": ..., "arguments": {...}}`, `{"tool_calls": [...]}`, or a list of such.

Which objects ask for actions stands in `intake.objects`; inside a text they are the dialect of the same name.
"""

from __future__ import annotations

from typing import Any, Final

from orchestrator.intake.draft import Draft
from orchestrator.intake.formats.body import BodyFormat
from orchestrator.intake.objects import calls_in, text_in


def _matches(body: dict[str, Any]) -> bool:
    return calls_in(body, alone=True) is not None


def _read(body: dict[str, Any] | list[Any]) -> Draft:
    return Draft(text=text_in(body) or "", calls=calls_in(body, alone=True) or [])


BODY: Final = BodyFormat(name="json", matches=_matches, read=_read, continues=True, lists=True)
