"""The forms of what callers choose and keys are made of: a text in, nothing out, or an `InvalidId`.

Ids stand in keys, between colons and spaces: one that is free text could name somebody else's record.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, cast

from actions.errors import InvalidId

if TYPE_CHECKING:
    from collections.abc import Iterable

_CONVERSATION: Final = re.compile(r"conv_[A-Za-z0-9._-]{1,75}")
_RUN: Final = re.compile(r"run_[A-Za-z0-9]{1,76}")
"""Without a dot: the runs of a round have dots, and nobody else's shall be one of those."""
_TENANT: Final = re.compile(r"[A-Za-z0-9._@-]{0,80}")
_PERMISSION: Final = re.compile(r"[!-~]{1,80}")


def kind(given: str) -> Literal["run", "turn", "conv"]:
    """What an id names, by its prefix.

    Raises:
        InvalidId: it begins with no prefix of ours.
    """
    prefix, mark, rest = given.partition("_")
    if (
        prefix not in {"run", "turn", "conv"}
        or not mark
        or not rest
        or not rest.isascii()
        or not rest.isprintable()
    ):
        raise InvalidId(f"{given[:80]!r} is no id", fix="Ids begin with run_, turn_ or conv_")
    return cast('Literal["run", "turn", "conv"]', prefix)


def check_conversation(given: str) -> None:
    """Raise InvalidId for what is no id of a conversation."""
    _check(given, _CONVERSATION, "conv_ and letters, digits, . _ -")


def check_run(given: str) -> None:
    """Raise InvalidId for what is no id of a run outside conversations."""
    _check(given, _RUN, "run_ and letters and digits")


def check_tenant(given: str) -> None:
    """Raise InvalidId for what is no name of a tenant; empty is the default one."""
    _check(given, _TENANT, "letters, digits and . _ - @", "tenant")


def check_permissions(given: Iterable[str]) -> None:
    """Raise InvalidId if one is not a word: they are kept with spaces between them."""
    for permission in given:
        _check(permission, _PERMISSION, "a word without spaces", "permission")


def _check(given: str, form: re.Pattern[str], words: str, what: str = "id") -> None:
    loose: object = given
    if not isinstance(loose, str) or form.fullmatch(loose) is None:
        article = "An" if what == "id" else "A"
        raise InvalidId(
            f"{loose!r:.82} is no {what}", fix=f"{article} {what} is {words}, at most 80 characters"
        )
