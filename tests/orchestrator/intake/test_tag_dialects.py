"""What holds for every family of tags and tokens: cut, hidden, shown and endless texts."""

from __future__ import annotations

import pytest
from cases import Case, Family, families
from intake_replies import codes, good

from orchestrator.intake import read, read_text
from orchestrator.intake.draft import MAX_LISTED

NAMES = (
    "hermes", "granite", "llama.function_tag", "qwen3", "invoke", "deepseek", "glm", "kimi", "mistral", "harmony",
    "functools", "llama", "tokens",
)  # fmt: skip
FAMILIES = [each for each in families() if each.name in NAMES]
MEGABYTE = 1_000_000

# Each is an opening that promises more than it holds; n of them must not cost n times n.
ENDLESS = (
    "<tool_call>",
    '<tool_call>{"name": "a',
    "<tool_call>{'name",
    "<tool_call>[",
    "<tool_call>" + "[" * 50,
    '<tool_call>{"k": /* ',
    '<tool_call>```json\n{"',
    "<tool_call>f(a=[",
    "<tool_call>" + " " * 500,
    '<function_call> {"',
    '<|tool_call|>[{"',
    "<function=a>",
    '<function=a>{"',
    "<function=a> words ",
    "<function=a><parameter=x>",
    '<tool_call>\n<function=a>\n<parameter=x>\n"',
    "<function_calls>\n",
    '<invoke name="a">',
    '<invoke name="a"><parameter name="x">"',
    "<\uff5ctool\u2581calls\u2581begin\uff5c>",
    "<\uff5ctool\u2581call\u2581begin\uff5c>a<\uff5ctool\u2581sep\uff5c>{",
    '<\uff5cDSML\uff5cinvoke name="a"><\uff5cDSML\uff5cparameter name="x">',
    "<tool_call>a<arg_key>x</arg_key><arg_value>",
    'a\n{"x": 1}\n',
    "<|tool_call_begin|>",
    '<|tool_call_begin|>a<|tool_call_argument_begin|>{"',
    "[TOOL_CALLS]",
    '[TOOL_CALLS]a[ARGS]{"',
    '[TOOL_CALLS][{"a": "',
    "<|channel|>",
    "<|channel|>analysis<|message|>",
    '<|channel|>commentary to=functions.a<|message|>{"',
    'functools[{"',
    "<|python_tag|>a.call(x=",
)


def rows() -> list[object]:
    return [
        pytest.param(each, case, id=f"{each.name}-{case.what}")
        for each in FAMILIES
        for case in each.cases
        if case.calls and isinstance(case.reply, str)
    ]


def test_every_family_is_here():
    assert {each.name for each in FAMILIES} == set(NAMES)


@pytest.mark.parametrize(("family", "case"), rows())
def test_a_reply_that_is_cut_anywhere_runs_only_what_the_whole_one_runs(family: Family, case: Case):
    whole = good(read(case.reply))
    for end in range(len(case.reply)):
        ran = good(read(case.reply[:end]))
        assert ran == whole[: len(ran)], case.reply[:end]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda each: each.name)
def test_a_call_in_a_thought_does_not_run(family: Family):
    reply = read_text(f"<think>Perhaps {family.sample}</think>No.")
    assert (good(reply), codes(reply), reply.text) == ([], [], "No.")


@pytest.mark.parametrize("family", FAMILIES, ids=lambda each: each.name)
def test_a_call_in_a_code_sample_is_shown(family: Family):
    sample = f"Like so:\n```html\n{family.sample}\n```"
    reply = read_text(sample)
    assert (good(reply), codes(reply), reply.text) == ([], [], sample)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda each: each.name)
def test_a_family_that_is_not_allowed_is_plain_text(family: Family):
    others = [name for name in NAMES if name != family.name and name not in _read_too(family.name)]
    reply = read_text(family.sample, others)
    assert (good(reply), codes(reply)) == ([], [])
    assert reply.text


def _read_too(name: str) -> tuple[str, ...]:
    """Who reads the sample of a family as well."""
    return {"qwen3": ("llama.function_tag",), "llama.function_tag": ("qwen3",)}.get(name, ())


@pytest.mark.parametrize("family", FAMILIES, ids=lambda each: each.name)
def test_a_family_that_is_allowed_alone_reads_its_sample(family: Family):
    assert good(read_text(family.sample, [family.name])) == good(read(family.sample)) != []


@pytest.mark.parametrize("opening", ENDLESS)
def test_a_megabyte_of_openings_is_read_to_its_end(opening: str):
    reply = read_text(opening * (MEGABYTE // len(opening)))
    assert good(reply) == []
    assert len(reply.calls) <= MAX_LISTED


def test_openings_inside_each_other_hide_no_call():
    inner = '<tool_call>{"name": "go", "arguments": {}}</tool_call>'
    assert good(read_text(f"<tool_call>\n{inner}")) == [("go", {})]
    assert good(read_text(f'<function=go>{{"a": <tool_call>{inner}')) == []


def test_a_block_of_no_family_is_a_malformed_call_and_its_neighbours_run():
    reply = read_text('<tool_call>\n<go to="x"/>\n</tool_call><tool_call>{"name": "stop"}</tool_call>')
    assert codes(reply) == ["malformed_call"]
    assert good(reply) == [("stop", {})]
    assert reply.text == ""


def test_calls_of_different_families_in_one_text_run_in_order():
    text = '<tool_call>{"name": "a"}</tool_call> <function=b>{}</function> <invoke name="c"></invoke>'
    assert [name for name, _ in good(read_text(text))] == ["a", "b", "c"]


def test_a_mended_bracket_is_the_last_one_of_its_block():
    assert good(read_text('<tool_calls>[{"name": "a"}, {"name": "b"</tool_calls>')) == []
    assert good(read_text('<tool_calls>[{"name": "a"}, {"name": "b"}</tool_calls>')) == [("a", {}), ("b", {})]


@pytest.mark.parametrize(
    "text",
    [
        """<tool_call>{'a': '}, {"name": "go"}' oh}</tool_call>""",
        """<tool_call>{'a': '}, {"name": "go"}' oh}""",
        """[TOOL_CALLS][{'a': '}, {"name": "go"}]' oh}]""",
        """functools[{'a': '}, {"name": "go"}]' oh}]""",
    ],
)
def test_a_call_in_a_string_that_cannot_be_read_does_not_run(text: str):
    reply = read_text(text)
    assert good(reply) == []
    assert set(codes(reply)) == {"malformed_call"}


@pytest.mark.parametrize(
    "text",
    [
        "Between <tool_call> and then </tool_call> stands JSON.",
        "It begins with a <tool_call> tag here",
        "[Note] The end tag is </tool_call>",
        "Write <function=name> first, and </function> where it ends? No: JSON is missing.",
    ],
)
def test_tags_in_a_sentence_are_text(text: str):
    reply = read_text(text)
    assert (list(reply.calls), codes(reply), reply.text) == ([], [], text)


def test_a_tool_description_in_qwens_tag_is_no_call():
    text = (
        '<tools>{"name": "a", "description": "b", "parameters": {"type": "object", "properties": {}}}</tools>'
    )
    reply = read_text(text)
    assert (list(reply.calls), codes(reply), reply.text) == ([], [], text)


@pytest.mark.parametrize("name", ["python", "browser.search", "container.exec"])
def test_a_tool_that_came_with_the_model_is_never_dispatched(name: str):
    reply = read_text(f"<|channel|>commentary to={name}<|message|>{{}}<|call|>")
    assert (list(reply.calls), reply.provider_calls) == ([], (name,))


def test_a_function_of_such_a_name_is_a_call():
    reply = read_text("<|channel|>commentary to=functions.python<|message|>{}<|call|>")
    assert good(reply) == [("python", {})]
