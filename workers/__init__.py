"""The top floor: does the work, and is the only home of Celery and kombu.

What comes in is a nudge ("there is work on this queue"); what goes out are finished runs. The record in the
store is the truth: a nudge that is lost, late or doubled changes nothing but time.

In reading order: `app`, `main`, `tasks`, `nudge`, `steward` (a worker and its parent); `child`, `pump`, `rooms`,
`doze`, `keeper` (one process); `flights`, `flight`, `ghosts`, `endings` (what it carries out); `execution`, `context`,
`charges`, `leading`, `outcome` (one attempt); `boxes`, `isolated`, `frames` (one in a process of its own).
"""
