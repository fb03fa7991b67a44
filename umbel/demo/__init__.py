"""`umbel demo`: three conversations on real Celery workers, one of which is killed while it works.

Nothing here is pretended but the two parties outside: the model (replies written down in the shapes that
providers send) and the exchange. Both are real HTTP servers on the loopback interface.

In reading order:

    script     a conversation written down: what the user says, what the model replies, how it should end
    loopback   a small HTTP server in a thread
    model      the model: a server that answers with the script's next reply
    exchange   the exchange: places an order once for each idempotency key, cancels it, and is sometimes busy
    stage      starts Valkey, two workers and Flower, and stops them
    board      what has happened so far, as plain values
    watch      events of the store in, changes of the board out
    play       leads the conversations, kills a worker, gathers what came of it
    checks     what has to be true at the end
    wording    a run in words and colours
    screen     the board as a table that moves, or as lines
    report     the end, for people and as one JSON document
"""
