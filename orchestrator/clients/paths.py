"""Where the service keeps things: ids in, paths out. An id is one segment of a path, whatever it holds.

Whatever takes an id also takes an answer that names the thing (`Submitted`, `Accepted`, a standing): `OfRun`, `OfTurn`,
`OfConversation`. It is read off by its field's name, so that a newer kind of answer does as well.
"""

from __future__ import annotations

from typing import Final, Literal, Protocol
from urllib.parse import quote

from actions.errors import InvalidId

Kind = Literal["run", "turn", "conv"]
"""What an id names, as it begins."""
Place = Literal["runs", "turns", "conversations"]

_FIELDS: Final[dict[Kind, str]] = {"run": "run", "turn": "turn", "conv": "conversation"}
"""Where an answer keeps an id of this kind."""
_PLACES: Final[dict[str, Place]] = {"run": "runs", "turn": "turns", "conv": "conversations"}
_LONGEST: Final = 200
"""Characters of an id or a name."""


class OfRun(Protocol):
    """What names a run: a `Submitted`, a `RunStanding`, a `Wanted`, a `DeadCall`, a `RunChange`."""

    @property
    def run(self) -> str:
        """Its id."""


class OfTurn(Protocol):
    """What names a turn: the answer of `say` and `post_reply`, a `TurnStanding`."""

    @property
    def turn(self) -> str:
        """Its id."""


class OfConversation(Protocol):
    """What names a conversation: the answer of `open_conversation`, `say` and `post_reply`, a standing."""

    @property
    def conversation(self) -> str:
        """Its id."""


def path(*parts: str) -> str:
    """A path under /v1 of words of ours and ids from outside, each one segment.

    Raises:
        InvalidId: an id is empty, too long, or stands for another place.
    """
    return "/v1/" + "/".join(map(segment, parts))


def segment(part: str) -> str:
    """One segment of a path."""
    loose: object = part
    if not isinstance(loose, str) or not loose.strip(". ") or len(loose) > _LONGEST:
        raise InvalidId(f"{loose!r:.80} is no id", fix="Use the one that the service gave")
    return quote(loose, safe="")


def id_of(given: object, *kinds: Kind) -> object:
    """The id that an answer of the service names, of the first of these kinds that it has; else what was given."""
    if isinstance(given, str):
        return given
    found = (getattr(given, _FIELDS[kind], None) for kind in kinds)
    return next((each for each in found if isinstance(each, str)), given)


def checked(given: object, kind: Kind) -> str:
    """The id, if it is one of this kind; another kind's would be asked for at the wrong place."""
    found = id_of(given, kind)
    if not isinstance(found, str) or not found.startswith(f"{kind}_"):
        raise InvalidId(f"{found!r:.80} is no id of a {_FIELDS[kind]}", fix=f"Such ids begin with {kind}_")
    return found


def placed(given: object, *kinds: Kind) -> tuple[Place, str]:
    """Where the service keeps what was given, and its id; what names several is meant as the first of these kinds."""
    found = id_of(given, *kinds)
    place = _PLACES.get(found.partition("_")[0]) if isinstance(found, str) else None
    if not isinstance(found, str) or place is None:
        raise InvalidId(f"{found!r:.80} is no id", fix="Ids begin with run_, turn_ or conv_")
    return place, found
