"""Llama's python tag."""

from __future__ import annotations

from cases import Case, Family

ROW = '{"name": "row", "parameters": {"boat": "red"}}'
ROWED, REST = ("row", {"boat": "red"}), ("rest", {})

FAMILY = Family(
    name="llama",
    title="Llama's python tag",
    about="Llama 3 puts the token `<|python_tag|>` before JSON, or before `NAME.call(...)`. Other code behind it is "
    "for an interpreter that is not there.",
    sample=f"<|python_tag|>{ROW}",
    order=130,
    cases=(
        Case("JSON", f"<|python_tag|>{ROW}<|eom_id|>", (ROWED,), ""),
        Case(
            "several objects",
            f'<|python_tag|>{ROW}; {{"name": "rest", "parameters": {{}}}}',
            (ROWED, REST),
            "",
        ),
        Case("calls", '<|python_tag|>row.call(boat="red"); rest.call()<|eom_id|>', (ROWED, REST), ""),
        Case(
            "single quotes",
            f"<|python_tag|>{ROW}".replace('"', "'"),
            (ROWED,),
            "",
            repaired=("single quotes",),
        ),
        Case("a variable for a value", "<|python_tag|>row.call(boat=mine)", (), "", ("malformed_call",)),
        Case("code", "<|python_tag|>import os\nprint(os.name)<|eom_id|>", (), "", ("malformed_call",)),
        Case("JSON that is cut off", f"<|python_tag|>{ROW[:-1]}", (), "", ("truncated_call",)),
        Case("a call that is cut off", '<|python_tag|>row.call(boat="re', (), "", ("truncated_call",)),
        Case("the reply cut off behind the token", "<|python_tag|>", (), "", ("truncated_call",)),
    ),
)
