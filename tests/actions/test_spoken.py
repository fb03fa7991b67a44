from __future__ import annotations

import pytest

from actions.spoken import respond_or_ignore, yes_or_no


@pytest.mark.parametrize(
    "text",
    [
        "YES",
        "yes",
        " Yes.\n",
        '"YES"',
        "**Yes!**",
        "`yes`",
        "[YES]",
        "Answer: YES",
        "They speak of me.\n\nYES",
    ],
)
def test_yes_is_told_in_one_word(text: str):
    assert yes_or_no(text) is True


@pytest.mark.parametrize(
    "text", ["NO", "no.", "_No_", "'NO'", "NO\nThe user wants to be left alone.", "answer = no"]
)
def test_no_is_told_in_one_word(text: str):
    assert yes_or_no(text) is False


@pytest.mark.parametrize(
    "text",
    [
        "",
        "maybe",
        "YES or NO",
        "NO\nYES",
        "Yes, but not now",
        "no problem",
        "I know",
        "yesterday",
        "YES " * 2_000,
        "YES\n\nThough no one asked.",
        "y",
        "true",
        "Yes/No",
    ],
)
def test_anything_else_is_neither(text: str):
    assert yes_or_no(text) is None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[RESPOND]", "RESPOND"),
        ("[IGNORE]\nThey RESPOND to each other.", "IGNORE"),
        ("  **[stop]** the user asked for silence", "STOP"),
        ("RESPOND", "RESPOND"),
        ('"Ignore."', "IGNORE"),
        ("Action: STOP", "STOP"),
        ("\n\nstop\n", "STOP"),
        ("The message is for me, so I choose RESPOND.", "RESPOND"),
        ("They talk to others. IGNORE", "IGNORE"),
    ],
)
def test_an_answer_is_found(text: str, wanted: str):
    assert respond_or_ignore(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello!",
        "RESPOND or IGNORE?",  # the seed's order would answer the first
        "[RESPOND] or [IGNORE]",
        "I will not RESPOND to this.",
        "You shouldn't STOP now.",
        "RESPONDING takes long",
        "I would ignore it or respond to it",
        "x" * 5_000 + " STOP",
    ],
)
def test_what_names_none_or_several_is_no_answer(text: str):
    assert respond_or_ignore(text) is None
