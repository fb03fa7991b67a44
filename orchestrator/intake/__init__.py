"""Intake: a model's reply in, exact calls or exact errors out. It never raises on content, and never guesses.

In reading order: `reading` (the way in: caps, the body, which format), `formats` (one module each, and the
table), `prose` (the one pass over a text), `objects` (JSON objects that ask for actions), `calls` (a name and
arguments -> a call or its error), `strict` and `tolerant` (the two readers of JSON), `draft` (what was found
so far, and the caps of a reply), `lines` (many replies as JSON lines, for `umbel parse`).
"""

from __future__ import annotations

from orchestrator.intake.draft import MAX_CALLS, Unusable
from orchestrator.intake.formats import KNOWN
from orchestrator.intake.reading import MAX_BODY, parse, read, read_text, unusable

__all__ = ["KNOWN", "MAX_BODY", "MAX_CALLS", "Unusable", "parse", "read", "read_text", "unusable"]
