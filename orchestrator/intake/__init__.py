"""Intake: a model's reply in, exact calls or exact errors out. It never raises on content, and never guesses.

In reading order: `reading` (the way in: caps, the body, which format) and `names` (what may be asked for);
`formats` (whole bodies), `streams` (the same in events, with `sse` and `streaming`), `provider_errors`; `prose`
(the one pass over a text), `looking` and `asides` (what it looks for, and what it never reads), `dialects` (the ways
of writing calls into it) and `parts` (what these share), `copies` (what a runaway repeats), `cutting` (what a text
that was cut off leaves half); `objects` (JSON objects that ask for actions), `kinds` (which could),
`schemas` (descriptions of tools, which are none), `calls` (a name and arguments -> a call or its error);
`strict` and `repair` (the two readers of JSON), `brackets` (JSON that comes in pieces);
`draft` (what was found so far, and the caps of a reply); `incoming` (a reply that is read while it comes);
`lines` (many replies as JSON lines, for `umbel parse`).
"""

from __future__ import annotations

from orchestrator.intake.draft import MAX_CALLS, Unusable
from orchestrator.intake.names import KNOWN
from orchestrator.intake.reading import MAX_BODY, parse, read, read_text, unusable

__all__ = ["KNOWN", "MAX_BODY", "MAX_CALLS", "Unusable", "parse", "read", "read_text", "unusable"]
