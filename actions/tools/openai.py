"""A tool of OpenAI's chat completions, which most others understand too.

Limits: the page "Function calling" of OpenAI's guides and the reference of chat completions (name, number of tools);
1,024 characters is what older models, and those at some other hosts, take as a description.
"""

from __future__ import annotations

import re
from typing import Final

from actions.tools.form import Form
from actions.tools.plain import Plain, Problem, Tool

NAMES: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
LONGEST: Final = 1024
MOST: Final = 128


def function(plain: Plain, **fields: object) -> Tool:
    """Return a tool with these fields beside name and description."""
    return {
        "type": "function",
        "function": {"name": plain.name, "description": plain.description, **fields},
    }


def _shape(plain: Plain) -> tuple[Tool, list[Problem]]:
    return function(plain, parameters=plain.parameters), []


FORM: Final = Form("openai", _shape, NAMES, longest=LONGEST, most=MOST)
