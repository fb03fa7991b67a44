"""One pass over a text: thoughts, samples and what chat templates leave behind hold no calls."""

from __future__ import annotations

import pytest
from intake_replies import chat, codes, good

from orchestrator.intake import read, read_text
from orchestrator.intake.prose import MAX_OPENINGS

TAG = '[ACTION:GO]{"a": 1}[/ACTION]'
RAN = [("GO", {"a": 1})]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"<think>{TAG}</think>Hello.", "Hello."),
        (f"{TAG}</think>Hello.", "Hello."),
        (f"<THINK>\n{TAG}\n</THINK>\n\nHello.", "Hello."),
        (f"Well. <think>{TAG}</think> Hello.", "Well.  Hello."),
        (f"Well. <think>{TAG}", "Well."),
        (f"Well.\n<think> so {TAG}", "Well."),
        (f"<thinking>{TAG}</thinking> Hello.", f"<thinking>{TAG}</thinking> Hello."),
        (f"<reasoning>{TAG}", f"<reasoning>{TAG}"),
        (f"Write `{TAG}` to go.", f"Write `{TAG}` to go."),
        (f"Write `{TAG}", f"Write `{TAG}"),
        (f"```python\n{TAG}\n```", f"```python\n{TAG}\n```"),
        (f"Look:\n```python\n{TAG}", f"Look:\n```python\n{TAG}"),
        (f"```some-language\n{TAG}\n```", f"```some-language\n{TAG}\n```"),
    ],
)
def test_what_is_thought_or_shown_is_not_done(text: str, shown: str):
    reply = read_text(text)
    assert (list(reply.calls), codes(reply), reply.text) == ([], [], shown)


@pytest.mark.parametrize(
    "text",
    [
        f"<think>Shall I?</think>{TAG}",
        f"Shall I?</think>\n{TAG}",
        f"<think>a</think><think>b</think>{TAG}",
        f"<thinking>Yes.</thinking>{TAG}",
        f"```\n{TAG}\n```",
        f"```json\n{TAG}\n```",
        f"```text\n{TAG}\n```",
        f"```python\nprint()\n```\n{TAG}",
        f"`print()` {TAG}",
        f"Use `a` and `b`:\n{TAG}",
        f"<|im_start|>assistant\n{TAG}<|im_end|>",
        f"<|start_header_id|>assistant<|end_header_id|>\n\n{TAG}<|eot_id|>",
        f"<s>{TAG}</s>",
        f"{TAG}<\uff5cend\u2581of\u2581sentence\uff5c>",
    ],
)
def test_what_stands_beside_it_is_done(text: str):
    reply = read_text(text)
    assert (good(reply), codes(reply)) == (RAN, [])
    assert not set(reply.text) & set("|\uff5c")


def test_the_text_of_a_body_is_read_the_same_way():
    assert good(read(chat(content=f"<think>{TAG}</think>"))) == []
    assert good(read(chat(content=f"<think>no</think>{TAG}"))) == RAN


def test_too_many_openings_end_the_pass_and_are_told():
    text = "[ACTION:" * (MAX_OPENINGS + 2) + TAG
    reply = read_text(text)
    assert good(reply) == []
    assert reply.errors


def test_a_text_without_calls_stays_as_it_is():
    for text in ("if a < b: c[0] = `d`", "1 < 2 > 0 [x](http://y) {z}", "```\ncode\n```", "I think </b> so"):
        reply = read_text(text)
        assert (reply.text, reply.format, reply.errors) == (text, "text", ())
