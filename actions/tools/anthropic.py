"""A tool of Anthropic's messages, which take JSON schema as it is.

Limits: the page "Define tools" of the Claude documentation (name). The API itself refuses keys of arguments that do not
match the pattern below, and schemas with `anyOf`, `oneOf` or `allOf` at their top.
"""

from __future__ import annotations

import re
from typing import Final

from actions.tools.form import Form
from actions.tools.plain import Plain, Problem, Tool


def _shape(plain: Plain) -> tuple[Tool, list[Problem]]:
    return {
        "name": plain.name,
        "description": plain.description,
        "input_schema": plain.parameters,
    }, []


FORM: Final = Form(
    "anthropic",
    _shape,
    re.compile(r"[A-Za-z0-9_-]{1,128}"),
    keys=re.compile(r"[A-Za-z0-9_.-]{1,64}"),
)
