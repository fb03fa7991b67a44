"""A dead run is edited and replayed on a real worker, and its conversation hears of it."""

from __future__ import annotations

import json

from orchestrator.settings import Settings
from umbel import Umbel
from umbel.supervisor import Process


async def test_a_run_that_was_too_slow_is_edited_and_succeeds_in_its_second_life(
    shared_settings: Settings, worker: Process
):
    async with Umbel(shared_settings) as umbel:
        conversation = await umbel.open_conversation(principal="ann")
        call = {"action": "OUTLIVE", "parameters": {"seconds": 0.7}}
        posted = await umbel.post_reply(conversation, {"role": "assistant", "content": json.dumps(call)})
        assert await umbel.wait_for_turn(posted.turn) == "done"
        [dead] = [each for each in await umbel.dead() if each.run == posted.runs[0]]
        assert dead.status == "timed_out"
        before = await umbel.messages(conversation)
        await umbel.edit(dead.run, {"seconds": 0}, by="bob")
        fresh = await umbel.replay(dead.run, by="bob")
        assert (await umbel.wait(fresh)).status == "succeeded"
        after = await umbel.messages(conversation)
        assert after[: len(before)] == before
        [note] = after[len(before) :]
        assert "succeeded" in note["content"]
        lines = [line.fields for line in await umbel._store.audit.read() if line.fields["run"] == fresh]
        assert [(line["what"], line.get("status")) for line in lines] == [
            ("replay", None),
            ("ended", "succeeded"),
        ]
