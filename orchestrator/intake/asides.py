"""Places of a text that are not read for calls: thoughts, echoed results, comments, samples, turns of others.

In: a text and what was found in it. Out: what ends it, whether people see it, and whether it is only spoken of.
Fences of data (json, xml, text, none, tool_call) are no samples: models write calls in them. All patterns are linear.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from orchestrator.intake.parts.places import LOOK, RESULTS, starts_blank

# <think> is a token of reasoning models; the other words are what models write by themselves, for people to read.
_THOUGHT: Final = r"</?(?i:think|thinking|thought|reasoning|scratchpad|reflection)>"
THOUGHT_TAG: Final = re.compile(_THOUGHT)
_ASIDE: Final = rf"<!--|<(?i:pre|code)(?:\s[^<>]{{0,200}}+)?+>|<(?:{RESULTS})>"
# What chat templates put between turns; it is neither text nor a call.
SPECIAL: Final = (
    r"<\|(?:im_start|start_header_id)\|>(?:[^\S\n]*+assistant\b)?+(?:<\|end_header_id\|>)?+"
    r"|<\|(?:im_end|eot_id|eom_id|endoftext|end_of_text|begin_of_text|end_header_id|end|return|assistant|eot|eom)\|>"
    r"|<[\uff5c|](?:begin|end)\u2581of\u2581sentence[\uff5c|]>"
    r"|\A<s>(?![^<]{0,200}+</s>\s*+[^\s<])|</s>(?=(?:\s|</s>){0,16}+\Z)"
)
# Where the turn of somebody else begins: the model goes on without having been asked.
_TURN: Final = (
    r"<\|(?:im_start|start_header_id)\|>[^\S\n]*+(?:user|system|tool|ipython)\b"
    r"|<start_of_turn>user\b|<\|(?:user|observation)\|>"
)
_INST: Final = r"(?:(?<=\n)|(?<=</s>)|\A)\[INST\]"
# A fence of data, which is left to the dialects: its language, or none.
_DATA: Final = r"[^\S\n]*+(?:json|JSON|xml|XML|te?xt|plain|tool_call|function_call|\n)"
_INFO: Final = r"[^\S\n]*+(?:[A-Za-z]|\{\s*+\.?[A-Za-z])[^`\n]{0,200}+"
_SAMPLE: Final = rf"(?<!`)(?:`{{4,99}}+[^`\n]{{0,200}}+|```(?!{_DATA}){_INFO})\n"
_TILDES: Final = rf"(?<![^\s])~{{3,99}}+(?!{_DATA})[^\n]{{0,200}}+\n"
_ONE: Final = r"(?<!`)`(?!`)[^`\n]*+(?:(?!`(?!`))`++[^`\n]*+)*+`"
_TWO: Final = r"(?<!`)``(?!`)[^`\n]*+(?:(?!``(?!`))`++[^`\n]*+)*+``"
MARKS: Final = (
    ("thought", "<", _THOUGHT),
    ("aside", "<", _ASIDE),
    ("turn", "<", _TURN),
    ("special", "<", SPECIAL),
    ("inst", "[", _INST),
    ("sample", "`", _SAMPLE),
    ("tildes", "~", _TILDES),
    ("code", "`", f"{_ONE}|{_TWO}"),
)
"""What each is called, the character it begins with, and its pattern; where several match, the first is meant."""

_SAMPLE_FENCE: Final = re.compile(_SAMPLE)
_FENCE: Final = re.compile(r"\n[^\S\n]*+(`{3,}+|~{3,}+)[^\S\n]*+(?=\n|\Z)")
_RUN: Final = re.compile(r"`+|~+")
_NAME: Final = re.compile(r"\w++")
_CODE: Final = re.compile(r"[^`\n]*+`?")
_HIDDEN: Final = re.compile(rf"</?(?:(?i:think)|{RESULTS})>")
_QUOTES: Final = frozenset("\"'\u201c\u201d\u2018\u2019\u201e\u00ab\u00bb")
_BEFORE: Final = _QUOTES | frozenset(" \t(")
_BEHIND: Final = re.compile(r"[^\S\n]++\S|[,.;:!?)\"'\u201d\u2019\u00bb]")
_CITED: Final = re.compile(r"[^\S\n]*+>")


@lru_cache(maxsize=64)
def _ends(mark: str) -> re.Pattern[str]:
    return re.compile(re.escape(mark), re.IGNORECASE)


def ending(found: str) -> str:
    """What ends a thought or an aside that begins so, in any case; of a sample, its fence."""
    if found.startswith("<!--"):
        return "-->"
    if run := _RUN.match(found):
        return run[0]
    name = _NAME.search(found)
    return f"</{name[0].lower()}>" if name else ""


def end_of(text: str, mark: str, at: int) -> int:
    """The place behind the mark that ends a thought or an aside; -1 where there is none."""
    found = _ends(mark).search(text, at)
    return found.end() if found else -1


def sample_at(text: str, at: int) -> re.Match[str] | None:
    """The fence of a sample that begins here."""
    return _SAMPLE_FENCE.match(text, at)


def sample_end(text: str, begin: re.Match[str]) -> int:
    """The place behind a sample: its fence alone on a line, as long as the first at least, or the text's end."""
    mark = ending(begin[0])
    for fence in _FENCE.finditer(text, begin.end() - 1):
        if fence[1].startswith(mark):
            return fence.end()
    return len(text)


def code_end(text: str, at: int) -> int:
    """The place behind the backtick that ends what one began right before, or its line's end."""
    code = _CODE.match(text, at)
    return code.end() if code else at


def is_hidden(found: str) -> bool:
    """Whether people do not see it: thoughts of reasoning models, and what tools are said to have answered."""
    return _HIDDEN.match(found) is not None


def is_mentioned(text: str, start: int, end: int) -> bool:
    """Whether a tag is only spoken of: words or marks of a sentence stand around it on its line."""
    return start > 0 and text[start - 1] in _BEFORE and _BEHIND.match(text, end) is not None


def is_tag_only(text: str, begin: re.Match[str], *, aside: bool) -> bool:
    """Whether a tag that nothing ends is only spoken of: inside a line; a thought also needs a sentence around it."""
    start = begin.start()
    return not starts_blank(text, start) and (aside or is_mentioned(text, start, begin.end()))


def is_cited(text: str, at: int) -> bool:
    """Whether what begins here is told, not asked: right behind a quotation mark, or on a line that is a quotation."""
    if at and text[at - 1] in _QUOTES:
        return True
    begin = text.rfind("\n", max(0, at - LOOK), at) + 1
    return (begin > 0 or at < LOOK) and _CITED.match(text, begin, at) is not None
