"""A play that went well, as plain values: an order that outlived its worker, and a chain that was undone."""

import json

import pytest

from orchestrator.store.records import ConversationRecord
from umbel.demo.board import Board, Step, Talk, Watched
from umbel.demo.exchange import Order
from umbel.demo.play import Kept, Played
from umbel.demo.script import Ending, Scene, Script, ScriptedReply

BUY = {"name": "BUY", "arguments": "{}"}
UNDONE = {"code": "undone", "error": "undone because step 3 failed"}


def step(at, status, worker="", why="", attempt=1):
    return Step(at, status, attempt, why, worker)


def script(expect, **fields: object):
    reply = ScriptedReply(body={}, expect=expect)
    given = {"about": "Orders.", "machine": None, "principal": "desk", "permissions": ("trade",)} | fields
    return Script(turns=(Scene(user="Buy.", pause_s=0, replies=(reply,)),), **given)


def kept(name, calls, **context: object):
    messages = [
        {"role": "user", "content": "Buy."},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": call, "function": BUY} for call in calls],
        },
        *({"role": "tool", "tool_call_id": call, "content": {}} for call in calls),
    ]
    texts = {key: json.dumps(value) for key, value in context.items()}
    record = ConversationRecord(f"conv_{name}", "idle", None, 3, None, 0, None, "", "desk", ("trade",), texts)
    return Kept(record, messages)


@pytest.fixture
def scripts():
    """What the trader and the broker should come to."""
    return {
        "trader": script(
            ("succeeded", "refused unknown_action"), ends=Ending(status="idle", state=None, context={"a": 1})
        ),
        "broker": script(
            ("succeeded undone", "succeeded undone", "failed handler_failed"),
            mode="chain",
            ends=Ending(status="idle", state=None, context={}),
        ),
    }


@pytest.fixture
def played():
    """All that came of it."""
    talks = {"trader": Talk("trader", 1), "broker": Talk("broker", 1, "chain")}
    board = Board(talks=talks, workers={"one@h": 2.0, "two@h": None})
    bought = Watched("run_1", "trader", leads=False, called="BUY", action="TAKE_ORDER", key="k1", result={})
    for one in (
        step(1.0, "ready", attempt=0),
        step(1.1, "running", "one@h"),
        step(9.0, "ready", why="worker_died"),
        step(9.1, "running", "two@h", attempt=2),
        step(9.2, "succeeded", attempt=2),
    ):
        board.add(bought, one)
    refused = Watched(
        "run_2", "trader", leads=False, called="SHORT", result={"error": "no", "code": "unknown_action"}
    )
    board.add(refused, step(1.0, "refused", attempt=0))
    add_chain(board)
    orders = [
        Order("ord_001", "k1", "ACME", 5, "buy", asked=2),
        Order("ord_002", "c0", "ACME", 6, "buy", cancelled=2),
        Order("ord_003", "c1", "GLOBX", 4, "buy", cancelled=1),
    ]
    conversations = {
        "trader": kept("trader", ["c1", "c2"], a=1),
        "broker": kept("broker", ["d1", "d2", "d3"]),
    }
    return Played(board, conversations, orders, 0, {"TAKE_ORDER": 4, "TAKE_ORDER.undo": 2}, 10.0)


def add_chain(board):
    """Three steps of which the last is refused, and two undos."""
    for number, end in enumerate(("succeeded", "succeeded", "failed")):
        told = UNDONE if end == "succeeded" else {"error": "no", "code": "handler_failed"}
        one = Watched(
            f"run_c.0.{number}",
            "broker",
            leads=False,
            called="BUY",
            arguments={"quantity": number},
            action="TAKE_ORDER",
            key=f"c{number}",
            note=told["error"],
            result=told,
            undo="undone" if end == "succeeded" else "",
        )
        board.add(one, step(3 + number, "running", "two@h"))
        board.add(one, step(3.5 + number, end))
    for number in (1, 0):
        undo = Watched(
            f"run_c.0.{number}.undo",
            "broker",
            leads=False,
            undoes=f"run_c.0.{number}",
            called="BUY",
            arguments={"quantity": number},
            action="TAKE_ORDER",
            key=f"c{number}",
        )
        board.add(undo, step(8 - number, "running", "two@h"))
        board.add(undo, step(8.5 - number, "succeeded"))
