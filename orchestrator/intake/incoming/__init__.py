"""A reply that is read while it comes: pieces of a stream or of a text in, what is certain of it out.

In reading order: `reader` (`StreamReader`, which sees whether a stream, a body or a text comes), `growing` (a text that
grows: the steps of `prose` over what is there so far), `trying` (whether a step comes out the same whatever follows),
`following` (what may follow), `waiting` (when to read again what is held, so that the time stays linear), `told` (what
was let out, and the reply at the end that must agree with it).

A call is let out with the event or the end mark that completes it, and only if nothing that may follow changes it. It
needs the library regex, which says what a text could yet become; nothing else of intake does, so it is imported late.
"""

from __future__ import annotations

from orchestrator.intake.incoming.reader import StreamReader
from orchestrator.intake.streams.outlet import Piece

__all__ = ["Piece", "StreamReader"]
