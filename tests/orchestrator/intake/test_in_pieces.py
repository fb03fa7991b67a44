"""A reply that comes in pieces, cut anywhere, is the reply that it is as a whole; nothing else is let out of it."""

from __future__ import annotations

from collections.abc import Iterator

from accidents import mutated
from hypothesis import assume, given
from hypothesis import strategies as st
from intake_invariants import fragments, running, sound

from actions.messages import Call
from orchestrator.intake import read
from orchestrator.intake.asides import THOUGHT_TAG
from orchestrator.intake.incoming import StreamReader

SIZES = st.sampled_from([1, 2, 7, 30, 200])


def cut(text: str, size: int) -> Iterator[str]:
    return (text[at : at + size] for at in range(0, len(text), size))


def reader_for(text: str) -> StreamReader:
    """The reader of a text; one in which a thought ends that nothing began, but at its beginning, is left out.

    Only its end tells that it was thought: what was let out before that cannot be taken back.
    """
    unopened, open_ = [], False
    for place, tag in enumerate(THOUGHT_TAG.finditer(text)):
        closes = tag[0].startswith("</")
        unopened += [place] if closes and not open_ else []
        open_ = not closes
    assume(unopened in ([], [0]))
    return StreamReader(thinking=bool(unopened))


def assert_same_in_pieces(text: str, size: int) -> None:
    reader, whole = reader_for(text), read(text)
    told = [piece for part in cut(text, size) for piece in reader.feed(part)]
    left, reply = reader.close()
    calls = [piece for piece in (*told, *left) if isinstance(piece, Call)]
    assert sound(reply).calls == tuple(calls)
    # What a later event contradicts is refused in the whole; in pieces it may be out by then, which is an error.
    assume(not any("was told, but" in one.message for one in reply.errors))
    assert running(reply) == running(whole)
    assert [one.code for one in reply.errors] == [one.code for one in whole.errors]


@given(text=mutated(), size=SIZES)
def test_accidents(text: str, size: int):
    assert_same_in_pieces(text, size)


@given(pieces=st.lists(st.sampled_from(fragments()), max_size=40), size=SIZES)
def test_fragments(pieces: list[str], size: int):
    assert_same_in_pieces("".join(pieces), size)


@given(text=mutated(), size=SIZES)
def test_what_was_let_out_before_a_break_is_in_the_whole(text: str, size: int):
    whole = [repr(one) for one in running(read(text))]
    reader = reader_for(text)
    told = [piece for part in cut(text, size) for piece in reader.feed(part)]
    assume(not any("was told, but" in one.message for one in reader.close()[1].errors))
    ran = [repr((one.name, one.arguments)) for one in told if isinstance(one, Call) and not one.malformed]
    assert ran == whole[: len(ran)]


@given(raw=st.binary(max_size=200), size=SIZES)
def test_arbitrary_bytes(raw: bytes, size: int):
    reader = StreamReader()
    for at in range(0, len(raw), size):
        reader.feed(raw[at : at + size])
    assert running(sound(reader.close()[1])) == running(read(raw))
