"""What a model said when it was asked for one word: its text in, the word out, or None where it said none.

These are Eliza's answers in plain text: YES or NO, and RESPOND, IGNORE or STOP. Case, quotes, Markdown, brackets and
punctuation around the word do not matter. A text with two of the words, or with none, is no answer: nobody guesses
which was meant.
"""

from __future__ import annotations

import re
from typing import Final, Literal, cast

Response = Literal["RESPOND", "IGNORE", "STOP"]
"""What to do with a message: answer it, leave it, or leave the conversation."""

_LONGEST: Final = 4_000
"""Characters of a text that are looked at; in a longer one there is no one-word answer."""
_MARKS: Final = " \t\r\"'`*_.!,;:()[]{}<>#-\u201c\u201d\u2018\u2019"
_LABEL: Final = re.compile(r"(?i:(?:final )?answer|decision|result|response|action)\s*[:=]\s*")
_YES: Final = re.compile(r"\byes\b", re.IGNORECASE)
_NO: Final = re.compile(r"\bno\b", re.IGNORECASE)
_ANSWERS: Final = ("RESPOND", "IGNORE", "STOP")
_ANSWER: Final = re.compile(r"(?<![\w-])(?:RESPOND|IGNORE|STOP)(?![\w-])")
_REFUSED: Final = re.compile(
    r"(?i:\b(?:not|never|cannot|without)|n['\u2019]t)(?:\s+\w{1,12})?\s+\W?(?:RESPOND|IGNORE|STOP)\b"
)


def yes_or_no(text: str) -> bool | None:
    """Whether the answer is YES; None if it is neither YES nor NO, or both.

    The word is the whole text, or a line of its own in one that does not hold the other word.
    """
    if len(text) > _LONGEST or (_YES.search(text) and _NO.search(text)):
        return None
    told = {line for line in map(_word, text.splitlines()) if line in {"YES", "NO"}}
    return told == {"YES"} if told else None


def respond_or_ignore(text: str) -> Response | None:
    """Whether to RESPOND, IGNORE or STOP; None if the text says none of them, or more than one.

    The first line decides if it is the word, or begins with it in brackets. Else one of the three must stand somewhere
    in capitals, and the other two nowhere.
    """
    lines = [line for line in text[:_LONGEST].splitlines() if line.strip()]
    if not lines:
        return None
    if (first := _word(lines[0])) in _ANSWERS:
        return cast("Response", first)
    bracketed = {word for word in _ANSWERS if f"[{word}]" in lines[0].upper()}
    if len(bracketed) == 1 and lines[0].lstrip(" \t*_`").startswith("["):
        return cast("Response", bracketed.pop())
    told = set(_ANSWER.findall(text[:_LONGEST]))
    if len(told) != 1 or len(text) > _LONGEST or _REFUSED.search(text):
        return None
    return cast("Response", told.pop())


def _word(line: str) -> str:
    """The line in capitals, without the marks around it and a label before it."""
    plain = line.strip(_MARKS)
    label = _LABEL.match(plain)
    return (plain[label.end() :] if label else plain).strip(_MARKS).upper()
