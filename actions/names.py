"""When two names are the same: after normalising, exactly; never by likeness.

In: a name as somebody wrote it. Out: the form that is compared. Only ASCII is folded: a look-alike letter
of another script stays what it is and meets nothing.
"""

from __future__ import annotations


def normalise(name: str) -> str:
    """Return a name in lower case, trimmed, without any underscore, space or hyphen."""
    name = name.strip().replace("_", "").replace(" ", "").replace("-", "")
    return name.lower() if name.isascii() else name
