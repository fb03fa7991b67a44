"""Who takes part in a conversation, and whether the one that the model speaks for keeps silent.

In: a conversation's record and the user's text. Out: yes or no. A participant whose state is "muted" does not lead a
turn until somebody says its name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from unicodedata import normalize

if TYPE_CHECKING:
    from orchestrator.store.records import ConversationRecord

AGENT: Final = "agent"
"""Whom the model speaks for, in a conversation that does not say it."""
FOLLOWED: Final = "followed"
"""Takes part without being asked."""
MUTED: Final = "muted"
"""Is silent until it is named."""


def agent_of(record: ConversationRecord) -> str:
    """The participant that the model speaks for."""
    return record.agent or AGENT


def is_silent(record: ConversationRecord, last_user_text: str) -> bool:
    """Whether the model has to leave this message unanswered: its participant is muted and is not named in it."""
    if not record.participants:
        return False
    agent = agent_of(record)
    return record.participants.get(agent) == MUTED and not is_named(agent, last_user_text)


def is_named(name: str, text: str) -> bool:
    """Whether a text names somebody: as a whole word, in any case; with `@` before it or without."""
    wanted = _folded(name).strip()
    return bool(wanted) and re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", _folded(text)) is not None


def _folded(text: str) -> str:
    """A text as it is compared: one form for equal letters, no difference of case, single spaces."""
    return " ".join(normalize("NFKC", text).casefold().split())
