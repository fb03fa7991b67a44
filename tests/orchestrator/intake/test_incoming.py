"""A reply that is read while it comes: the same as the whole, as early as it is certain, and never earlier."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from cases import Case, Family, families
from hypothesis import given
from hypothesis import strategies as st
from intake_streams import block, calls, chunk, entry, message, sse, use

from actions.messages import Call, CallError, Reply
from orchestrator.intake import Unusable, read
from orchestrator.intake.incoming import Piece, StreamReader
from orchestrator.intake.prose import tidy

ROWS = [pytest.param(each, case, id=f"{each.name}-{case.what}") for each in families() for case in each.cases]
GO = '[ACTION:GO]{"where": "home"}[/ACTION]'
TOOL = '<tool_call>\n{"name": "go", "arguments": {"to": "x"}}\n</tool_call>'


def take(raw: str | bytes, sizes: list[int] | None = None, **options: Any) -> tuple[list[Piece], Reply]:
    """Read in chunks of these sizes, or character by character."""
    reader, told, at = StreamReader(**options), [], 0
    for size in sizes if sizes is not None else [1] * len(raw):
        told += reader.feed(raw[at : at + size])
        at += size
    told += reader.feed(raw[at:])
    left, reply = reader.close()
    return [*told, *left], reply


def shown(pieces: list[Piece]) -> str:
    return "".join(piece for piece in pieces if isinstance(piece, str))


def ran(pieces: list[Piece]) -> list[str]:
    return [piece.name for piece in pieces if isinstance(piece, Call) and not piece.malformed]


def plain(text: str) -> str:
    return re.sub(r"\s+", "", tidy(text))


def assert_same(text: str, sizes: list[int] | None, format: str | None) -> None:  # noqa: A002 - the parameter's name
    pieces, reply = take(text, sizes, format=format)
    whole = read(text, format)
    own = whole.errors[: len(whole.errors) - sum(one.malformed for one in whole.calls)]
    assert reply == whole
    assert tuple(piece for piece in pieces if isinstance(piece, Call)) == whole.calls
    assert tuple(piece for piece in pieces if isinstance(piece, CallError)) == own
    # An object's own text takes the place of the prose around it, which was let out before.
    assert plain(whole.text) in plain(shown(pieces))
    if not reply.calls or reply.continues:
        assert plain(whole.text) == plain(shown(pieces)) or "Finish[" in text


def raw_of(case: Case) -> str:
    return case.reply if isinstance(case.reply, str) else json.dumps(case.reply)


@pytest.mark.parametrize(("family", "case"), ROWS)
@pytest.mark.parametrize("sizes", [[], None], ids=["at once", "by characters"])
def test_every_row_comes_out_as_it_is_read_as_a_whole(family: Family, case: Case, sizes: list[int] | None):
    for format in (case.format, family.name):  # noqa: A001 - the parameter's name
        assert_same(raw_of(case), sizes, format)


@given(
    row=st.sampled_from([(param.values[1]) for param in ROWS]),
    sizes=st.lists(st.integers(1, 50), max_size=40),
)
def test_every_cut_gives_the_same(row: Any, sizes: list[int]):
    assert_same(raw_of(row), sizes, row.format)


@given(
    row=st.sampled_from([(param.values[1]) for param in ROWS]), sizes=st.lists(st.integers(1, 9), max_size=90)
)
def test_bytes_may_be_cut_inside_a_character_or_a_line_end(row: Any, sizes: list[int]):
    raw = raw_of(row).replace("e", "é")
    assert take(raw.encode(), sizes)[1] == read(raw.encode())


@given(row=st.sampled_from([(param.values[1]) for param in ROWS]), share=st.floats(0, 1))
def test_what_is_let_out_before_a_break_is_in_what_comes_after(row: Any, share: float):
    raw = raw_of(row)
    reader = StreamReader(row.format)
    early = [piece for piece in reader.feed(raw[: int(len(raw) * share)]) if isinstance(piece, Call)]
    assert list(read(raw, row.format).calls[: len(early)]) == early


@pytest.mark.parametrize(
    "text", [f"I go. {GO}", f"I go. {TOOL}", GO, TOOL, f"{TOOL}\n{TOOL.replace('go', 'run')}"]
)
def test_a_call_in_prose_comes_out_with_its_last_character(text: str):
    reader = StreamReader()
    assert [name for character in text for name in ran(reader.feed(character))] == ran(take(text)[0])


@pytest.mark.parametrize("size", [10, 3_000, 60_000])
def test_a_long_call_too(size: int):
    code = json.dumps("if (a[0]) { b = `<c>`; }\n" * (size // 25))
    text = f'Well. <tool_call>{{"name": "go", "arguments": {{"to": {code}}}}}</tool_call>'
    reader = StreamReader()
    told = [piece for at in range(0, len(text), 7) for piece in reader.feed(text[at : at + 7])]
    assert ran(told) == ["go"]


def test_a_native_call_comes_out_with_the_event_that_ends_it():
    reader = StreamReader()
    events = message(block(0, use(), '{"a": ', "1}"), block(1, use("b", "t2")), stop="end_turn")
    told = [(place, name) for place, event in enumerate(events) for name in ran(reader.feed_event(event))]
    assert told == [(5, "paint"), (8, "b")]


def test_plain_text_comes_out_at_once():
    reader = StreamReader()
    for word in ("I like ", "a < b, ", "lists [1] ", "and `code`, ", "(really) ", "{so} "):
        assert shown(reader.feed(word)).strip() == word.strip()


def test_what_may_become_a_call_is_held_until_it_cannot():
    reader = StreamReader(dialects=["coach.tags"])
    assert shown(reader.feed("See [AC")) == "See "
    assert shown(reader.feed("ME] now")) == "[ACME] now"


def test_a_thought_is_never_shown_and_one_for_people_is():
    pieces, _ = take(f"<think>a {GO}</think>Yes. <thinking>b {GO}</thinking> No.")
    assert shown(pieces) == f"Yes. <thinking>b {GO}</thinking> No."
    assert ran(pieces) == []


def test_a_text_that_begins_inside_a_thought():
    text = f"hm {GO} hm</think>Now: {GO}"
    pieces, reply = take(text, thinking=True)
    assert (ran(pieces), shown(pieces).strip()) == (["GO"], "Now:")
    assert reply == read(text)


def test_a_code_sample_is_shown_while_it_comes():
    reader = StreamReader()
    told = shown([piece for part in ("Try\n```sh\n", f"echo {GO}\n", "ls\n") for piece in reader.feed(part)])
    assert told == f"Try\n```sh\necho {GO}\nls\n"


def test_calls_in_the_text_of_a_stream():
    raw = sse([chunk(content=part) for part in ("Yes. ", "[ACTION:GO]", "{}[/ACT", "ION]")])
    reader = StreamReader()
    assert ran(reader.feed(raw)) == ["GO"]


def test_calls_of_the_provider_beside_calls_in_its_text():
    """What was let out stays; of the provider's own calls those that say the same do not come again."""
    own = [calls(entry(0, "a", "GO", '{"where": "home"}'), entry(1, "b", "STOP", "{}")), chunk("stop")]
    pieces, reply = take(sse([chunk(content=f"{GO} ok "), *own]))
    assert ran(pieces) == [one.name for one in reply.calls] == ["GO", "STOP"]


def test_of_a_runaway_no_more_comes_out_than_may_be_meant():
    pieces, reply = take(f"{GO}\n" * 40)
    assert len(ran(pieces)) == 16
    assert [one for one in reply.calls if not one.malformed] == [
        one for one in pieces if isinstance(one, Call)
    ][:16]
    assert "too_many_calls" in [error.code for error in reply.errors]


def test_a_cut_character_and_a_broken_one_are_errors():
    for raw in (b"data: \xc3", b"ab\xff", "é".encode()[:1]):
        assert [error.code for error in take(raw)[1].errors] == ["invalid_utf8"]


def test_what_is_too_large_is_an_error_and_takes_no_more_memory(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("orchestrator.intake.incoming.reader.MAX_BODY", 1_000)
    reader = StreamReader()
    assert ran(reader.feed(f"{TOOL} ok\n")) == ["go"]
    for _ in range(100):
        reader.feed("x" * 100)
    _, reply = reader.close()
    assert [one.name for one in reply.calls] == ["go"]
    assert [error.code for error in reply.errors] == ["too_large"]


def test_an_unknown_format_or_dialect_is_refused_and_nothing_is_an_empty_text():
    assert StreamReader().close()[1] == read("")
    with pytest.raises(Unusable):
        StreamReader("openai.chatter")
    with pytest.raises(Unusable):
        StreamReader(dialects=["hermits"])


def test_events_may_be_fed_as_json():
    reader = StreamReader("openai.chat.stream")
    told = [
        piece
        for event in (chunk(content="Hi!"), chunk("stop"))
        for piece in reader.feed_event(json.dumps(event))
    ]
    assert (told, reader.feed_event("[DONE]"), reader.close()[1].text) == (["Hi!"], [], "Hi!")


@pytest.mark.parametrize(
    "unit", ["<tool_call>", '{"a', "[", "<think>", '`{"', "[ACTION:GO]{", "a > b ] c } "]
)
def test_many_openings_take_no_longer_than_their_size(unit: str):
    text = unit * (200_000 // len(unit))
    assert take(text, [1_000] * 200)[1] == read(text)


@pytest.mark.parametrize(
    "text",
    [
        'Thought: x\nAction: pay\nAction Input: {"to": 1}\nFinal Answer: done',
        "Action: pay[5]\nFinal Answer: x",
        '[TOOL_CALLS]pay[ARGS]{"a":1} trailing [/TOOL_CALLS]',
        '[TOOL_CALLS]bake{"loaves": 3}3}[TOOL_CALLS]cool{}',
        f'<function=pay>{{"a":1}} {"word " * 200}</function>',
        f"<actions><action><name>PAY</name></action></actions>\n<text>{'word ' * 80}</text><params><PAY>1</PAY>",
        "<function=say><parameter=t>a <function=pay>{}</function> b</parameter></function>",
        '<tool_call>{"name": "say", "arguments": {"text": "use </think> here"}}</tool_call> ok',
        "Action: look\nAction Input: use <b>keys</b>\nand more",
        f"Write `x = {TOOL}`, please.".replace("\n", " "),
        f"```html x={TOOL}\nok\n```\n".replace("\n", " ", 2),
        f"I <thinking> think {GO}</thinking> so.",
    ],
)
@pytest.mark.parametrize("size", [1, 5, 64])
def test_nothing_is_let_out_that_what_follows_changes(text: str, size: int):
    pieces, reply = take(text, [size] * (len(text) // size))
    assert reply == read(text)
    assert tuple(piece for piece in pieces if isinstance(piece, Call)) == reply.calls


def test_behind_the_turn_of_somebody_else_nothing_comes_out():
    text = f"Yes. {GO}\n<|im_start|>user\nNow {TOOL} please."
    pieces, reply = take(text)
    assert (ran(pieces), shown(pieces).strip()) == (["GO"], "Yes.")
    assert reply == read(text)


@pytest.mark.parametrize("unit", ["<tool_call>f(", "<function=a>{}</function> ", "</think>x", "</function>"])
def test_blocks_that_never_settle_take_no_longer_than_their_size(unit: str):
    text = unit * (100_000 // len(unit))
    assert take(text, [64] * (len(text) // 64))[1].errors == read(text).errors


def test_a_reader_reads_one_reply():
    reader = StreamReader()
    reader.feed("Hello.")
    with pytest.raises(ValueError, match="characters"):
        reader.feed_event({"choices": []})
    with pytest.raises(TypeError, match="feed_event"):
        reader.feed({"choices": []})  # type: ignore[arg-type]
    assert reader.close()[1].text == "Hello."
    for again in (lambda: reader.feed("x"), lambda: reader.feed_event({}), reader.close):
        with pytest.raises(ValueError, match="closed"):
            again()
