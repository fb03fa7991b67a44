"""ReAct."""

from __future__ import annotations

from cases import Case, Family

ASK = "Thought: I need the weather.\nAction: weather\nAction Input: "

FAMILY = Family(
    name="react",
    title="ReAct",
    about="Steps of an agent in plain text. An input that is an object is the arguments, any other text the one "
    "argument `input`. What follows an observation that the model made up is dropped.",
    sample=ASK + '{"city": "Oslo"}',
    order=24,
    cases=(
        Case(
            "an object as input",
            ASK + '{"city": "Oslo"}',
            (("weather", {"city": "Oslo"}),),
            "Thought: I need the weather.",
        ),
        Case("a text as input", ASK + "Oslo in May", (("weather", {"input": "Oslo in May"}),)),
        Case("an input in a fence", ASK + '```json\n{"city": "Oslo"}\n```', (("weather", {"city": "Oslo"}),)),
        Case("brackets", "Action 2: Search[Emma (novel)]", (("Search", {"input": "Emma (novel)"}),), ""),
        Case(
            "an observation that the model made up",
            ASK + "Oslo\nObservation: Sun.\nThought: Now the rest.\nAction: book\nAction Input: it",
            (("weather", {"input": "Oslo"}),),
            "Thought: I need the weather.",
        ),
        Case(
            "JSON after the mark",
            'Action:\n```json\n{"action": "weather", "action_input": "Oslo"}\n```',
            (("weather", {"input": "Oslo"}),),
            "",
        ),
        Case("finishing", "Thought: Done.\nAction: Finish[It is sunny.]", (), "It is sunny."),
        Case("an input that is cut off", ASK + '{"city": "Os', errors=("truncated_call",)),
        Case("no input", "Thought: Hm.\nAction: weather\nThought: Hm.", errors=("malformed_call",)),
        Case("an answer after the action", ASK + "Oslo\nFinal Answer: Sun.", errors=("malformed_call",)),
        Case("a final answer", "Thought: Done.\nFinal Answer: Sun.", found="text"),
        Case("no action", "Thought: Nothing to do.\nAction: None", found="text"),
        Case("notes for people", "Action: call Bob\nOwner: Ann", found="text"),
    ),
)
