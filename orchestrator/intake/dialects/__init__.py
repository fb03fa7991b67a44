"""The dialects in which models write calls into a text, one module for each family.

A new one is its file and its line here; what it shares with others is in `parts`. In reading order:

    face           what a dialect is
    coach_tags     [ACTION:NAME]{...}[/ACTION]
    coach_xml      <action name="NAME"> with params
    eliza_json     {"action": NAME, "text": ...}
    eliza_xml      <response> with <actions>, <params> and <text>
    json_objects   {"name": NAME, "arguments": {...}} and lists of it, fenced or on lines of their own
    pythonic       [f(a=1)], and bare calls that are all there is
    react          Action: NAME, with its Action Input
    hermes         <tool_call>{...}</tool_call>: Hermes, Qwen and many others
    granite        <function_call> {...} and <|tool_call|>[...]: Granite, Phi-4-mini
    functools      functools[{...}]: Phi
    tokens         tokens around a list: Cohere, LFM2, InternLM, Apertus
    llama          <|python_tag|>
    mistral        [TOOL_CALLS]
    kimi           <|tool_call_begin|>functions.NAME:0
    deepseek       the same with wide bars, and DSML
    harmony        messages to functions.NAME: gpt-oss
    invoke         <invoke name="NAME">: Claude, MiniMax
    function_tags  <function=NAME>: Llama, Qwen3-Coder
    glm            <tool_call>NAME<arg_key>

The order of the table is the order in which dialects that begin alike are asked.
"""

from __future__ import annotations

from typing import Final

from orchestrator.intake.dialects import (
    coach_tags,
    coach_xml,
    deepseek,
    eliza_json,
    eliza_xml,
    function_tags,
    functools,
    glm,
    granite,
    harmony,
    hermes,
    invoke,
    json_objects,
    kimi,
    llama,
    mistral,
    pythonic,
    react,
    tokens,
)
from orchestrator.intake.dialects.face import Dialect

DIALECTS: Final[dict[str, Dialect]] = {
    one.name: one
    for one in (
        coach_tags.DIALECT,
        coach_xml.DIALECT,
        eliza_json.DIALECT,
        eliza_xml.DIALECT,
        json_objects.DIALECT,
        pythonic.DIALECT,
        react.DIALECT,
        invoke.DIALECT,
        *function_tags.DIALECTS,
        glm.DIALECT,
        hermes.DIALECT,
        granite.DIALECT,
        deepseek.DIALECT,
        kimi.DIALECT,
        mistral.DIALECT,
        harmony.DIALECT,
        functools.DIALECT,
        llama.DIALECT,
        tokens.DIALECT,
    )
}
"""Every dialect, by its name."""
