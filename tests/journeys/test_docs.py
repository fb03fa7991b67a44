"""What the guides show is good Python: each block runs, what it declares fits together, what it asserts is true."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import umbel
from actions.definition import Action
from actions.registry import Registry
from orchestrator.bad_replies import note_on
from orchestrator.intake import read_text
from orchestrator.judging import decide, fit
from orchestrator.store.records import ConversationRecord

DOCS = Path(__file__).parent.parent.parent / "docs"
TICKETS = {"CLOSE_TICKET", "SEND_MAIL"}


def run(page: str) -> tuple[int, dict[str, object]]:
    """Run the blocks of a page one after another, as one module; how many there were, and what they declared."""
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(), flags=re.DOTALL)
    found: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, f"docs/{page}", "exec"), found)
    return len(blocks), found


@pytest.mark.parametrize(
    ("page", "count", "names"),
    [
        (
            "chains.md",
            6,
            {"RESERVE_ROOM", "CHARGE_CARD", "CHECK_CREDIT", "OPEN_ACCOUNT", "PUBLISH", "WIRE"} | TICKETS,
        ),
        ("tools.md", 1, {"TAKE_ORDER"}),
        ("formats.md", 2, {"PAY"}),
        ("outputs.md", 2, set()),
        ("people.md", 6, {"COUNT", "RATE", "NOTE_MOOD", "GREET", "CREATE_NOTE"}),
    ],
)  # fmt: skip
def test_the_blocks_of_a_guide_run_and_their_actions_fit_together(
    page: str, count: int, names: set[str]
) -> None:
    blocks, found = run(page)
    assert blocks == count
    registry = Registry({id(each): each for each in found.values() if isinstance(each, Action)}.values())
    assert {each.name for each in registry.actions} == names


def test_what_the_guide_to_chains_says_of_its_actions_is_declared() -> None:
    _, found = run("chains.md")
    reserve, charge, wire = found["reserve_room"], found["charge_card"], found["wire"]
    assert isinstance(reserve, Action)
    assert isinstance(charge, Action)
    assert isinstance(wire, Action)
    assert (reserve.undo_takes_none, charge.undo_takes_none) == (False, True)
    assert charge.chain is not None
    assert wire.approval is not None
    needed = [wire.approval.needed(wire.bind({"to": "Ada", "amount": amount})) for amount in (100, 101)]
    assert needed == [False, True]


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_every_name_that_a_guide_imports_is_public(page: str) -> None:
    imported = re.findall(r"^from umbel import (.+)$", (DOCS / page).read_text(), flags=re.MULTILINE)
    assert {name.strip() for line in imported for name in line.split(",")} <= set(umbel.__all__)


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_every_page_that_a_guide_links_to_is_there(page: str) -> None:
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (DOCS / page).read_text()):
        assert (DOCS / link).exists(), link


def test_what_the_page_of_formats_says_that_a_model_hears_is_what_it_is_told() -> None:
    page = (DOCS / "formats.md").read_text()
    actions = [each for each in run("formats.md")[1].values() if isinstance(each, Action)]
    record = ConversationRecord("conv_a", "idle", None, 0, None, 0, None, "", None, (), {})
    rows = re.findall(r"^\| `(\[ACTION:PA.*?)` \| `(.*?)` \| `(\w+)` \|$", page, flags=re.MULTILINE)
    assert len(rows) == 5
    for reply, error, code in rows:
        (call,) = read_text(reply).calls
        found = decide(call, record, Registry(actions))
        if found.error is None:
            fit(found, record, Registry(actions))
        assert found.error == {"error": error.replace("⏎", "\n"), "code": code}
    (flaw,) = read_text('{"weather": {"city": "Par').errors
    assert f"```json\n{json.dumps(json.loads(note_on(flaw)))}\n```" in page
