"""The clients against the whole thing: a real service on a port, a real worker, Valkey, and a network that breaks."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from actions.messages import Status
from actions.registry import Registry
from api_under_test import api_on_port, make_key
from client_under_test import value
from faults.link import Link
from orchestrator.client import AsyncClient, Client
from orchestrator.clients import errors
from orchestrator.clients.errors import Conflict, Forbidden, Invalid, NotFound, Unauthorised
from orchestrator.clients.events import Changes, RunChange, StreamEnd, StreamReset
from orchestrator.store.store import Store
from workers_under_test import eventually, settings_of, start_worker

if TYPE_CHECKING:
    from orchestrator.settings import Settings

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]
MODULES = ("workers_under_test", "chains_under_test", "shop")
NAMES = {"client": Client, "async_client": AsyncClient}
both = pytest.mark.parametrize("kind", NAMES)


@dataclass
class Service:
    """Where it is, and keys of two tenants."""

    settings: Settings
    registry: Registry
    url: str
    keys: dict[str, str]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def client(self, kind: str = "client", who: str = "ann", url: str = "") -> Any:
        return NAMES[kind](url or self.url, self.keys.get(who, who), retries=6)


class Breaking(Link):
    """A link that resets one connection after another, each when so many bytes of answers have come through."""

    def __init__(self, port: int, lengths: Iterable[int]) -> None:
        super().__init__(port)
        self._lengths = iter(lengths)
        self.broken = 0

    async def _pass(self, pair: Any, source: Any, sink: Any, *, is_request: bool) -> None:
        if is_request:
            await super()._pass(pair, source, sink, is_request=True)
            return
        left = next(self._lengths, None)
        if left is None:
            await super()._pass(pair, source, sink, is_request=False)
            return
        while left >= 0 and (data := await source.read(4_096)):
            sink.write(data[:left] if left else b"")
            await sink.drain()
            left -= len(data)
            if left <= 0:
                self.broken += 1
                break
        pair.close()


@pytest.fixture(scope="module")
def service(valkey: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    settings = settings_of(valkey, tmp_path_factory.mktemp("home"), *MODULES, linger_ms=500)

    async def keys() -> dict[str, str]:
        store = Store(settings)
        try:
            return {
                "ann": await make_key(store, tenant="acme", principal="ann"),
                "reader": await make_key(store, tenant="acme", principal="rea", scopes=("read",)),
                "eve": await make_key(store, tenant="other", principal="eve"),
                "bob": await make_key(store, tenant="bobs", principal="bob"),
            }
        finally:
            await store.close()

    made = asyncio.run(keys())
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "examples")
        registry = Registry.from_modules(MODULES)
    with start_worker(settings, extra_path=ROOT / "examples"), api_on_port(settings, registry) as url:
        yield Service(settings, registry, url, made)


@pytest.fixture
async def store(service: Service) -> AsyncIterator[Store]:
    store = Store(service.settings)
    yield store
    await store.close()


async def asked(client: Any, method: str, *given: Any, **named: Any) -> Any:
    """A method of either client; the one without asyncio does not hold the loop up that the link runs on."""
    if isinstance(client, AsyncClient):
        return await value(getattr(client, method)(*given, **named))

    def do() -> Any:
        found = getattr(client, method)(*given, **named)
        return list(found) if isinstance(found, Iterator) else found

    return await asyncio.to_thread(do)


async def closed(client: Any) -> None:
    await value(client.close())


@both
async def test_a_run_goes_from_its_submission_to_its_end(service, kind):
    client = service.client(kind)
    made = await asked(client, "submit", "SUM", {"a": 1, "b": 2})
    ended = await asked(client, "wait", made.run)
    assert (ended.status, ended.result, ended.principal, ended.tenant) == ("succeeded", 3, "ann", "acme")
    assert (await asked(client, "call", "ADD", {"a": 2, "b": 3})).result == 5
    assert (await asked(client, "run", made.run)) == ended
    listed = await asked(client, "runs", action="ADD", status=[Status.SUCCEEDED], limit=2)
    assert [each.result for each in listed] == [5, 3]
    await closed(client)


@both
async def test_the_callers_trace_reaches_the_handler(service, kind):
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    client = service.client(kind)
    assert (await asked(client, "call", "TRACE", traceparent=trace)).result == trace
    (made,) = await asked(client, "submit_all", [{"action": "TRACE"}], traceparent=trace)
    assert (await asked(client, "wait", made.run)).result == trace
    await closed(client)


@both
async def test_what_is_wrong_is_pointed_at(service, kind):
    client = service.client(kind)
    with pytest.raises(Invalid) as caught:
        await asked(client, "submit", "ADD", {"a": 1, "b": "two"})
    assert caught.value.code == "invalid_arguments"
    assert [each.pointer for each in caught.value.errors] == ["/arguments/b"]
    assert caught.value.request_id
    with pytest.raises(Invalid) as caught:
        await asked(client, "submit", "NO_SUCH_ACTION")
    assert caught.value.code == "unknown_action"
    await closed(client)


@both
async def test_a_batch_is_all_or_nothing(service, kind):
    client = service.client(kind, "bob")
    before = len(await asked(client, "runs"))
    batch = [{"action": "ADD", "arguments": {"a": n, "b": n}} for n in range(20)]
    made = await asked(client, "submit_all", batch, key=f"batch-{kind}")
    again = await asked(client, "submit_all", batch, key=f"batch-{kind}")
    assert made == again
    ends = [await asked(client, "wait", each.run) for each in made]
    assert [each.result for each in ends] == [2 * n for n in range(20)]
    batch[3] = {"action": "ADD", "arguments": {"a": 1}}
    with pytest.raises(Invalid) as caught:
        await asked(client, "submit_all", batch)
    assert [each.pointer for each in caught.value.errors] == ["/runs/3/arguments/b"]
    assert len(await asked(client, "runs")) == before + 20
    await closed(client)


@both
async def test_a_submission_whose_answer_was_lost_is_one_run(service, kind):
    async with Breaking(service.port, [0, 0, 40]) as link:
        client = service.client(kind, "bob", f"http://127.0.0.1:{link.port}")
        made = await asked(client, "submit", "REMEMBER", {"key": kind, "value": 1})
        assert link.broken == 3
        await closed(client)
    direct = service.client("client", "bob")
    mine = [each.run for each in direct.runs(action="REMEMBER") if each.run == made.run]
    assert mine == [made.run]
    assert len(list(direct.runs(action="REMEMBER"))) == list(NAMES).index(kind) + 1
    direct.close()


@both
async def test_the_same_key_is_the_same_run_and_another_request_under_it_is_none(service, kind):
    client = service.client(kind)
    made = [await asked(client, "submit", "ADD", {"a": 1, "b": 1}, key=f"k-{kind}") for _ in range(2)]
    assert made[0] == made[1]
    with pytest.raises(Invalid) as caught:
        await asked(client, "submit", "ADD", {"a": 1, "b": 2}, key=f"k-{kind}")
    assert caught.value.code == "idempotency_conflict"
    await closed(client)


REPLY = {
    "choices": [
        {
            "message": {
                "role": "assistant",
                "content": "At once.",
                "tool_calls": [
                    {"id": f"c{n}", "type": "function", "function": {"name": name, "arguments": text}}
                    for n, (name, text) in enumerate(
                        [("THIRD_TIME_LUCKY", "{}"), ("ADD", '{"a": 1, "b": 2}'), ("GIVE_UP", "{}")] * 2
                    )
                ],
            }
        }
    ]
}


@both
async def test_a_stream_that_is_cut_again_and_again_tells_each_event_once(service, store, kind):
    """What the client tells is what stands in the store's stream, entry by entry."""
    direct = service.client("async_client")
    conversation = (await direct.open_conversation()).conversation
    # each connection ends somewhere else: in the head of the answer, between events, in the middle of one
    lengths = [0, 300, 420, 500, 617, 700, 333, 450, 801, 512, 640, 390]
    async with Breaking(service.port, lengths) as link:
        client = service.client(kind, url=f"http://127.0.0.1:{link.port}")
        turn = (await direct.post_reply(conversation, REPLY, mode="sequence")).turn

        def until_done() -> list[Any]:
            found = []
            for event in client.events(conversation):
                found.append(event)
                if is_end(event, turn):
                    return found
            return found

        async def until_done_too() -> list[Any]:
            found = []
            async for event in client.events(conversation):
                found.append(event)
                if is_end(event, turn):
                    break
            return found

        told = await (asyncio.to_thread(until_done) if kind == "client" else until_done_too())
        await closed(client)
        assert link.broken >= 6
    await direct.close()
    kept: dict[str, list[dict[str, Any]]] = {}
    for event in await store.events.read(conversation):
        kept.setdefault(event.id, []).append(event.change)
    assert [each.id for each in told] == list(kept)
    assert [len(each.changes) for each in told] == [len(changes) for changes in kept.values()]


def is_end(event: Any, turn: str) -> bool:
    return isinstance(event, Changes) and any(
        getattr(each, "turn", "") == turn and each.status == "done" for each in event.changes
    )


@both
async def test_the_events_of_a_run_end_with_it_and_can_be_taken_up_later(service, kind):
    async with Breaking(service.port, [450, 600, 300]) as link:
        client = service.client(kind, url=f"http://127.0.0.1:{link.port}")
        direct = service.client("client")
        run = direct.submit("THIRD_TIME_LUCKY", delay="300ms").run
        told = await asked(client, "events", run)
        assert isinstance(told[-1], StreamEnd)
        assert told[-1].status == "succeeded"
        changes = [each for event in told[:-1] for each in event.changes]
        assert all(isinstance(each, RunChange) and each.run == run for each in changes)
        assert changes[-1].status == "succeeded"
        assert changes[-1].attempt == 3
        rest = await asked(client, "events", run, after=told[1].id)
        assert [each.id for each in rest] == [each.id for each in told[2:]]
        (reset, *_) = await asked(client, "events", run, from_now=True)
        assert isinstance(reset, StreamReset)
        assert reset.snapshot.status == "succeeded"
        await closed(client)
        direct.close()


async def test_who_waits_and_who_listens_goes_on_at_another_process_when_theirs_ends(service):
    first = api_on_port(service.settings, service.registry)
    port = int(first.__enter__().rpartition(":")[2])
    async with Link(port) as link, service.client("async_client") as direct:
        url = f"http://127.0.0.1:{link.port}"
        with service.client("client", url=url) as listens:
            async with service.client("async_client", url=url) as waits:
                run = (await direct.submit("SLEEP", {"seconds": 1.5, "note": "slept"})).run
                end = asyncio.create_task(waits.wait(run))
                told = asyncio.create_task(asked(listens, "events", run))
                await eventually(lambda: len(link) == 2)
                await asyncio.to_thread(first.__exit__, None, None, None)
                assert not end.done()
                link._target = ("127.0.0.1", service.port)
                assert (await end).result == "slept"
                *_, last, over = await told
                assert [each.status for each in last.changes] == ["succeeded"]
                assert isinstance(over, StreamEnd)


@both
async def test_a_person_approves_one_and_denies_another(service, kind):
    client = service.client(kind)
    yes, no = [(await asked(client, "submit", "PAYS", {"amount": n})).run for n in (1, 2)]

    async def both_ask() -> dict[str, Any]:  # when a worker has made ready what is to be approved
        found = {each.run: each for each in await asked(client, "approvals")}
        return found if {yes, no} <= found.keys() else {}

    waiting: Any = await eventually(both_ask)
    assert waiting[yes].arguments == {"amount": 100}
    with pytest.raises(Conflict) as caught:
        await asked(client, "approve", yes, digest="another")
    assert caught.value.code == "changed"
    for _ in range(2):
        assert (await asked(client, "approve", waiting[yes])).verdict == "approved"
        assert (await asked(client, "deny", no, "too much")).verdict == "denied"
    with pytest.raises(Conflict):
        await asked(client, "approve", no)
    assert (await asked(client, "wait", yes)).result == "paid 100"
    assert (await asked(client, "wait", no)).status == "denied"
    await closed(client)


@both
async def test_what_takes_too_long_is_not_waited_for_and_can_be_cancelled(service, kind):
    client = service.client(kind)
    run = (await asked(client, "submit", "SLEEP", {"seconds": 60})).run
    with pytest.raises(TimeoutError, match=run):
        await asked(client, "wait", run, timeout_s=0.3)
    assert (await asked(client, "cancel", run)).verdict in {"cancelling", "cancelled"}
    assert (await asked(client, "wait", run)).status == "cancelled"
    assert (await asked(client, "cancel", run)).verdict == "cancelled"
    await closed(client)


@both
async def test_the_dead_are_listed_edited_and_replayed_once(service, kind):
    client = service.client(kind)
    failed = await asked(client, "call", "GIVE_UP")
    assert failed.status == "failed"
    (dead,) = [each for each in await asked(client, "dead", action="GIVE_UP") if each.run == failed.run]
    assert dead.error["error"] == "the shelf is empty"
    made = [await asked(client, "replay", failed.run) for _ in range(2)]
    assert made[0] == made[1]
    again = await asked(client, "wait", made[0].run)
    assert (again.status, again.replay_of) == ("failed", failed.run)
    done = await asked(client, "discard_dead", runs=[again.run])
    assert ([each.run for each in done.done], done.failed) == ([again.run], ())
    assert not [each for each in await asked(client, "dead") if each.run == again.run]
    await closed(client)


@both
async def test_a_conversation_is_led_by_replies_and_forgotten(service, kind):
    client = service.client(kind)
    opened = await asked(client, "open_conversation", machine="door", context={"hour": 9}, key=f"room-{kind}")
    assert opened == await asked(
        client, "open_conversation", machine="door", context={"hour": 9}, key=f"room-{kind}"
    )
    conversation = opened.conversation
    posted = await asked(client, "post_reply", conversation, REPLY)
    ended = await asked(client, "wait_for_turn", posted.turn)
    assert ended.status == "done"
    roles = [each["role"] for each in await asked(client, "messages", conversation)]
    assert roles == ["assistant", *["tool"] * 6]
    (only,) = await asked(client, "rounds", posted.turn)
    assert [each.action for each in only.runs] == ["THIRD_TIME_LUCKY", "ADD", "GIVE_UP"] * 2
    assert (await asked(client, "state", conversation)).state == "OPEN"
    assert (await asked(client, "context", conversation))["hour"] == 9
    assert [each.turn for each in await asked(client, "turns", conversation)] == [posted.turn]
    assert (await asked(client, "conversation", conversation)).status == "idle"
    with pytest.raises(Invalid) as caught:
        await asked(client, "say", conversation, "Hello")
    assert caught.value.code == "no_model"
    await asked(client, "forget", conversation)
    with pytest.raises(NotFound):
        await asked(client, "conversation", conversation)
    await closed(client)


@both
async def test_the_house_can_be_looked_at_and_its_limits_changed(service, kind):
    client = service.client(kind)
    cards = {each.name: each for each in await asked(client, "actions")}
    assert cards["ADD"].similes == ("SUM",)
    assert await asked(client, "action", "SUM") == cards["ADD"]
    names = {each["function"]["name"] for each in (await asked(client, "tools", "openai")).tools}
    assert "ADD" in names
    assert "actions" in {each.queue for each in await asked(client, "queues")}
    assert (await asked(client, "limits")).changed == ()
    assert await asked(client, "undos") == []
    with pytest.raises(NotFound):
        await asked(client, "set_limit", "nothing", 1, "1m")
    await closed(client)


@both
async def test_a_key_opens_what_it_may_and_nothing_of_others(service, kind):
    owner = service.client("client")
    run = owner.call("ADD", {"a": 1, "b": 1}).run
    owner.close()
    for who, method, error in (
        ("eve", "run", NotFound),
        ("eve", "cancel", NotFound),
        ("eve", "events", NotFound),
        ("reader", "cancel", Forbidden),
        ("umb_000000000000_unknown", "run", Unauthorised),
        ("", "run", Unauthorised),
    ):
        client = service.client(kind, who)
        with pytest.raises(error):
            await asked(client, method, run)
        await closed(client)


def test_the_client_of_the_readme_prints_what_it_says(service, monkeypatch, capsys):
    page = (ROOT / "README.md").read_text()
    [(code, printed)] = re.findall(
        r"```python\n(from umbel import Client\n.*?)```\n\n```\n(.*?)```", page, flags=re.DOTALL
    )
    for shown, here in (("http://127.0.0.1:8700", service.url), ("umb_…", service.keys["ann"])):
        assert f'"{shown}"' in code
        code = code.replace(f'"{shown}"', f'"{here}"')
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out == printed


@both
async def test_a_reply_of_no_known_shape_is_refused_and_nothing_of_it_stays(service, kind):
    client = service.client(kind)
    opened = await asked(client, "open_conversation")
    for reply in (
        {"tool_calls": [{"arguments": {"a": 1, "b": 2}}]},
        {"choices": []},
        {"nonsense": 1},
    ):
        with pytest.raises(Invalid) as caught:
            await asked(client, "post_reply", opened, reply)
        assert caught.value.code == "unusable_reply"
    assert await asked(client, "messages", opened) == []
    await closed(client)


@both
async def test_what_one_method_gave_goes_into_the_next(service, kind):
    client = service.client(kind)
    made = await asked(client, "submit", "ADD", {"a": 1, "b": 2}, key=f"two words {kind}")
    ended = await asked(client, "wait", made)
    assert (ended.run, ended.result) == (made.run, 3)
    assert await asked(client, "run", ended) == ended
    assert isinstance((await asked(client, "events", made))[-1], StreamEnd)
    assert (await asked(client, "cancel", made)).verdict == "terminal"
    posted = await asked(client, "post_reply", await asked(client, "open_conversation"), REPLY)
    assert (await asked(client, "wait_for_turn", posted)).status == "done"
    await closed(client)


def test_the_blocks_of_the_guide_run_and_print_what_it_says(service, monkeypatch, capsys):
    """One after another, as one module; the blocks without a language are what the one before printed."""
    monkeypatch.setenv("UMBEL_API_URL", service.url)
    monkeypatch.setenv("UMBEL_API_KEY", service.keys["bob"])
    page = (ROOT / "docs" / "client.md").read_text()
    blocks = re.findall(r"```(python)?\n(.*?)```", page, flags=re.DOTALL)
    found: dict[str, Any] = {}
    for kind, block in blocks:
        if kind:
            exec(compile(block, "docs/client.md", "exec"), found)
        else:
            assert capsys.readouterr().out == block
    assert [kind for kind, _ in blocks].count("python") == 6
    assert [each["item"] for each in asyncio.run(found["order"](["tea", "rice"]))] == ["tea", "rice"]
    for name, setting in service.settings.environ().items():
        monkeypatch.setenv(name, setting)
    run = asyncio.run(found["submit_straight"](service.settings.store_url))
    assert run.startswith("run_")


def test_the_guide_names_every_method_and_every_error():
    page = (ROOT / "docs" / "client.md").read_text()
    named = set(re.findall(r"`(\w+)`", page))
    assert {name for name in vars(Client) if not name.startswith("_")} - {"close"} <= named
    kinds = {each.__name__ for each in vars(errors).values() if isinstance(each, type)}
    assert {each for each in kinds if issubclass(getattr(errors, each), errors.ApiError)} <= named
