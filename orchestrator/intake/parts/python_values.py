"""Python literals as models write them: a text and a place in, a JSON value out, or `Unreadable`.

Read token by token; nothing is evaluated, and variables, calls, arithmetic, f-strings, bytes and sets are refused. A
tuple becomes a list; JSON's true, false and null and line breaks in plain quotes are taken; all three are told. Linear.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from typing import Any, Final

from actions.strict_json import MAX_DEPTH, TooDeep, Unreadable, encodes, marked
from orchestrator.intake.repair import BREAKS, ESCAPES

TUPLES: Final = "tuples"
WORDS: Final = "JSON literals"

_BLANK: Final = re.compile(r"(?:\s|\\\n|#[^\n]*+)*+")
_QUOTE: Final = re.compile(r"([rRuU]?)(\"\"\"|'''|\"|')")
_TEXTS: Final = {
    '"""': re.compile(r'([^"\\]*+(?:(?:\\.|"(?!""))[^"\\]*+)*+)"""', re.DOTALL),
    "'''": re.compile(r"([^'\\]*+(?:(?:\\.|'(?!''))[^'\\]*+)*+)'''", re.DOTALL),
    '"': re.compile(r'([^"\\]*+(?:\\.[^"\\]*+)*+)"', re.DOTALL),
    "'": re.compile(r"([^'\\]*+(?:\\.[^'\\]*+)*+)'", re.DOTALL),
}
_NUMBER: Final = re.compile(
    r"([+-]?(?:0[xX][0-9a-fA-F_]{1,500}+|0[oO][0-7_]{1,500}+|0[bB][01_]{1,500}+))(?![\w.])"
    r"|([+-]?(?:0|[1-9][0-9_]{0,999}+))(?![\w.])"
    r"|([+-]?(?:[0-9][0-9_]{0,999}+\.?[0-9]{0,999}+|\.[0-9]{1,999}+)(?:[eE][+-]?[0-9]{1,9}+)?)(?![\w.])"
)
_ZERO_LED: Final = re.compile(r"[+-]?0[0-9_]++(?![.eE])")
_WORD: Final = re.compile(r"\w++")
_KNOWN: Final = {"True": True, "False": False, "None": None}
_JSON: Final = {"true": True, "false": False, "null": None}
_ESCAPE: Final = re.compile(
    r"\\(?:(\r?\n)|([\\'\"abfnrtv])|([0-7]{1,3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})"
    r"|N\{([^}]{1,80})\}|([xuUN])|(.))",
    re.DOTALL,
)
_PLAIN: Final = dict(zip("\\'\"abfnrtv", "\\'\"\a\b\f\n\r\t\v", strict=True))
_MARKDOWN: Final = "_*#[]()~`>-+.!"


def passed(text: str, at: int) -> int:
    """The next place that is neither blank nor a comment."""
    blank = _BLANK.match(text, at)
    return blank.end() if blank else at


class Values:
    """Reads values one after the other; `at` is always the next character that nobody has read."""

    __slots__ = ("at", "escaped", "muddled", "text", "told")

    def __init__(self, text: str, at: int) -> None:
        self.text = text
        self.at = at
        self.escaped = False
        self.muddled = False
        self.told: list[str] = []

    def next(self) -> str:
        """Step over blanks and comments and show the character there, "" at the end of the text."""
        self.at = passed(self.text, self.at)
        return self.text[self.at : self.at + 1]

    def value(self, room: int = MAX_DEPTH) -> Any:
        """Read the value that begins here."""
        mark = self.next()
        if mark and mark in "[({":
            return self._inside(mark, room)
        if quote := _QUOTE.match(self.text, self.at):
            return self._string(quote)
        return self._scalar()

    def _inside(self, mark: str, room: int) -> Any:
        if room <= 0:
            raise TooDeep
        self.at += 1
        if mark == "{":
            return self.pairs(room)
        found, comma = self._items("]" if mark == "[" else ")", room)
        if mark == "(" and len(found) == 1 and not comma:
            return found[0]
        if mark == "(":
            self.told.append(TUPLES)
        return found

    def _items(self, close: str, room: int) -> tuple[list[Any], bool]:
        """The items up to the bracket, and whether a comma stands before it."""
        found: list[Any] = []
        comma = False
        while self.next() != close:
            found.append(self.value(room - 1))
            comma = self.parted(close)
        self.at += 1
        return found, comma

    def pairs(self, room: int = MAX_DEPTH) -> dict[str, Any]:
        """Read a dictionary whose bracket has been read; its keys are texts."""
        found: dict[str, Any] = {}
        twice: set[str] = set()
        while self.next() != "}":
            quote = _QUOTE.match(self.text, self.at)
            if quote is None:
                raise self.wrong("a key in quotes is wanted")
            key = self._string(quote)
            if self.next() != ":":
                raise self.wrong("a ':' is wanted")
            self.at += 1
            value = self.value(room - 1)
            twice.update({key} & found.keys())
            found[key] = value
            self.parted("}")
        self.at += 1
        return marked(found, twice) if twice else found

    def parted(self, close: str) -> bool:
        """Step over a comma and say True; say False where the closing bracket stands."""
        mark = self.next()
        if mark == close:
            return False
        if mark != ",":
            self.muddled = self.text[max(0, self.at - 80) : self.at].rstrip()[-1:] in {'"', "'"}
            if self.muddled:
                raise self.wrong(
                    f"a ',' or {close!r} is wanted after a text (a quote inside one needs a backslash)"
                )
            raise self.wrong(f"a plain value is wanted, then ',' or {close!r}: no variables, calls or sums")
        self.at += 1
        return True

    def wrong(self, wanted: str) -> Unreadable:
        """The error that says what is missing here."""
        return Unreadable(f"{wanted} at character {self.at}", truncated=self.at >= len(self.text))

    def _scalar(self) -> Any:
        number = _NUMBER.match(self.text, self.at)
        if number and not _ZERO_LED.match(self.text, self.at):
            self.at = number.end()
            try:
                if number[1]:
                    return int(number[1], 0)
                return int(number[2]) if number[2] else float(number[3])
            except ValueError:  # underscores where none may stand
                raise self.wrong("a number is wanted") from None
        word = _WORD.match(self.text, self.at)
        if word and word[0] in _KNOWN:
            self.at = word.end()
            return _KNOWN[word[0]]
        if word and word[0] in _JSON:
            self.at = word.end()
            self.told.append(WORDS)
            return _JSON[word[0]]
        if word and word.end() >= len(self.text):
            self.at = word.end()
        raise self.wrong("a plain value is wanted, no variable, call or sum,")

    def _string(self, quote: re.Match[str]) -> str:
        match = _TEXTS[quote[2]].match(self.text, quote.end())
        if match is None:
            self.at = len(self.text)
            raise Unreadable("a text in quotes is not closed", truncated=True)
        self.at = match.end()
        inner: str = match[1]
        if "\n" in inner and len(quote[2]) == 1:
            self.told.append(BREAKS)
        if "\\" in inner and quote[1].lower() != "r":
            inner = self._unescaped(inner)
        return inner

    def _unescaped(self, inner: str) -> str:
        found = _ESCAPE.sub(self._character, inner)
        if encodes(found):
            return found
        try:
            return found.encode("utf-16", "surrogatepass").decode(
                "utf-16"
            )  # two halves that make one character
        except UnicodeDecodeError:
            raise Unreadable("half a surrogate pair stands in a text") from None

    def _character(self, escape: re.Match[str]) -> str:
        _, plain, octal, *hexes, name, bad, other = escape.groups()
        if plain:
            return _PLAIN[plain]
        if code := next(filter(None, hexes), None) or octal:
            number = int(code, 8 if code is octal else 16)
            if number <= sys.maxunicode:
                return chr(number)
        if name:
            try:
                return unicodedata.lookup(name)
            except KeyError:
                pass
        if code or name or bad:
            raise Unreadable("a text in quotes is escaped wrongly")
        if not other:
            return ""
        if self.escaped and other in _MARKDOWN:
            self.told.append(ESCAPES)
            return str(other)
        return escape[0]
