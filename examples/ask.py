"""A model's reply goes in, its results come back: in call order, one for each call."""

import asyncio

from umbel import Umbel

CALLS = [("BUY", '{"item": "tea", "quantity": "2"}'), ("BUY", '{"item": "gold"}'), ("SELL", "{}")]
REPLY = {
    "choices": [
        {
            "message": {
                "role": "assistant",
                "content": "I will order that.",
                "tool_calls": [
                    {"id": f"call_{n}", "type": "function", "function": {"name": name, "arguments": text}}
                    for n, (name, text) in enumerate(CALLS)
                ],
            }
        }
    ]
}


async def main():
    async with Umbel() as umbel:
        conversation = await umbel.open_conversation()
        posted = await umbel.post_reply(conversation, REPLY)
        await umbel.wait_for_turn(posted.turn)
        for message in await umbel.messages(conversation):
            print(message["role"], message.get("tool_call_id", ""), message["content"])


asyncio.run(main())
