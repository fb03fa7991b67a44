"""The door to Redis: the only package that imports redis.

Every change of a run or a conversation is one Lua script (`lua/`, one transition a file), called through one typed
method here. What comes out are plain values; what Redis refuses comes out as `StoreUnavailable` or `StoreRefused`.

Reading order: `keys` (the legend of all keys), `scripts` (how the Lua files are joined and sent), `connection`,
`records` (what goes in and comes out), `runs`, `conversations`, `events`, and `store`, which holds them together.
"""
