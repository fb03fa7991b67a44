"""A tool as a server of the Model Context Protocol lists it (`tools/list`).

Limits: the page "Tools" of the specification (revision 2025-11-25): names, and JSON schema 2020-12 as it is. Of its
annotations none is given: what an action does to the world outside it does not declare, and a hint that is not known
to be true is worse than none, since clients take "destructive" for granted without it.
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
        "inputSchema": plain.parameters,
    }, []


FORM: Final = Form("mcp", _shape, re.compile(r"[A-Za-z0-9_.-]{1,128}"), plain_top=False)
