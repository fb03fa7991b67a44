"""What `umbel up` runs in one terminal: a plan of it in; all of it alive, told and taken down in order out.

In reading order: `claim` (one of them for a home folder), `plan` (which programs, on which ports, by which plain
commands), `first_key` (the key with which the API can be used at once), `gates` (when each of them is ready), `running`
(starts them, looks after them, starts again what died), `ready_file` (where scripts read all that), `telling` (what
people, or programs, are told), `example` (what they can try).
"""
