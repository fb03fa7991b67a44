"""Outputs: a model's text in, an object of the wanted form out, for answers that are data and ask for no action.

In reading order: `json_text` (the JSON in a text, and what was mended), `values` (the JSON in an answer, without its
thoughts), `keys` (its keys become the expected ones), `parsing` (all of it, then validation). More may be mended here
than in a call: nothing runs because of it, and the caller is told what was mended. Still nothing is guessed. The
operation that also asks a model is `orchestrator.operations.parse`.
"""

from __future__ import annotations

from orchestrator.outputs.json_text import ReadJson, read_json
from orchestrator.outputs.keys import KeyRules, KeysMatched, match_keys
from orchestrator.outputs.parsing import Parsed, parse_text
from orchestrator.outputs.unfit import NoJson, UnfitKeys, UnfitOutput
from orchestrator.outputs.values import json_in, list_in, object_in

__all__ = [
    "KeyRules", "KeysMatched", "NoJson", "Parsed", "ReadJson", "UnfitKeys", "UnfitOutput", "json_in", "list_in",
    "match_keys", "object_in", "parse_text", "read_json",
]  # fmt: skip
