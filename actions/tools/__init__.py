"""Actions as tools, in the words of each provider: actions in, what stands under `tools` in a request out.

What a provider does not understand is rewritten where the meaning is kept, and told as a problem where it is not; no
part of a schema is lost without a word. What no model may call never becomes a tool.

In reading order: `plain` (a tool before it is anybody's, and a problem with it), `form` (what is to be known of a
provider), `words` (what a schema cannot say, said in a description), `structure` (what no narrow schema has a form
for), `openai`, `openai_strict`, `anthropic`, `gemini` and `mcp` (one form each), `checks` (names, keys and lengths),
`exporting` (the table of the forms, and the way through).
"""

from __future__ import annotations

from actions.tools.exporting import FORMATS, Exported, export
from actions.tools.plain import Problem

__all__ = ["FORMATS", "Exported", "Problem", "export"]
