"""docs/seeds.md keeps its word: each behaviour stands there once, and the tests that it names exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "seeds.md").read_text()
ROWS = re.findall(r"^\| ([A-E]\d+) \|(.*)\|$", PAGE, re.MULTILINE)
NOT_YET = re.findall(r"^- ([A-E]\d+): \S", PAGE, re.MULTILINE)


def numbered(letter: str, *spans: tuple[int, int]) -> list[str]:
    return [f"{letter}{number}" for first, last in spans for number in range(first, last + 1)]


HERE = [
    *numbered("A", (1, 17)),
    *numbered("B", (1, 12), (16, 18)),
    *numbered("C", (1, 23)),
    *numbered("D", (1, 19)),
    *numbered("E", (1, 17)),
]
ALL = [
    *numbered("A", (1, 17)), *numbered("B", (1, 24)), *numbered("C", (1, 23)), *numbered("D", (1, 19)),
    *numbered("E", (1, 27)),
]  # fmt: skip


def cells(row: str) -> list[str]:
    """Behaviour, modules, tests, what is better."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row)]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@cache
def functions_of(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def test_each_behaviour_that_is_here_has_one_row():
    assert [row[0] for row in ROWS] == HERE


def test_each_other_behaviour_is_told_once_as_missing():
    assert sorted([*NOT_YET, *HERE]) == sorted(ALL)


@pytest.mark.parametrize(("id", "row"), ROWS, ids=[row[0] for row in ROWS])
def test_a_row_names_modules_and_tests_that_exist(id: str, row: str):  # noqa: A002
    behaviour, modules, tests, better = cells(row)
    assert behaviour
    assert better
    assert quoted(modules)
    assert all((ROOT / module).is_file() for module in quoted(modules))
    assert quoted(tests)
    for named in quoted(tests):
        path, _, test = named.partition("::")
        assert (ROOT / path).is_file(), path
        assert test.startswith("test_")
        assert test in functions_of(path), named
