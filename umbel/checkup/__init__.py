"""What `umbel doctor` looks at: an environment in; a finding for each thing that was looked at, with what to do, out.

In reading order: `findings` (what is said), `examination` (the order in which things can go wrong), `machine`
(versions, settings, actions, folders of this machine), `server` (Redis, asked over a bare socket before any client
library is of use), `house` (what stands in it: queues, keys) and `service` (the HTTP API). Nothing is changed and
nothing is started, and where one thing does not answer the others are looked at all the same.
"""
