"""The top floor: does the work, and is the only home of Celery and kombu.

What comes in is a nudge ("there is work on this queue"); what goes out are finished runs. The record in the
store is the truth: a nudge that is lost, late or doubled changes nothing but time.

In reading order: `app`, `main`, `tasks`, `nudge`, `steward` (a worker and its parent); `child`, `pump`, `rooms`,
`doze`, `keeper` (one process); `flights`, `flight`, `terms`, `timers`, `places`, `ghosts`, `endings`, `finishes` (what
it carries out); `execution`, `means`, `threads`, `context`, `arguments`, `hooks`, `checking`, `aside`, `following`,
`effects`, `charges`, `leading`, `outcome` (one attempt); `boxes`, `isolated`, `frames` (one in a process of its own);
`events`, `control` (what Celery's people see); `points` (where tests let a process die).
"""
