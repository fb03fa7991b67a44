"""The middle floor: leads the conversation. It knows no Celery.

What comes in is a model's reply; what goes out are runs in the store, and later one result for each call.
In reading order: `settings` (how this process was started), `store` (the only door to Redis), `intake` (reply ->
calls), `planning` (calls -> runs and refusals: `judging` decides on one, `references`, `dependencies` and `modes` on
what they are to each other, `chaining` on a chain), `guards` and `drafting` (what a run has to pass, and its record),
`chat_shape` (replies and results as messages), `turns` (the loop, written once; `accepting` and `bad_replies` say
which replies it goes on with), `follow_ups` and `evaluators` (what comes after), `conductor` (the face for those who
hand work in); `instructions`, `plans` and `workflows` are what these may write. `outputs` reads what is no call:
values, and answers in a word or a list.
`clients` is the HTTP API from the other side (`client` its face, `wire` what both sides say); it needs none of these.
"""
