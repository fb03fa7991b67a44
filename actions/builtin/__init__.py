"""Actions that come with the house; each module but `conversation` is registered when `UMBEL_ACTIONS` names it.

In reading order:

    conversation   NONE, CONTINUE, IGNORE: in every registry that is made from modules
    trading        TAKE_ORDER: an order at an exchange, over HTTP
    rooms          FOLLOW, UNFOLLOW, MUTE, UNMUTE: whether the agent takes part in a conversation
    coach          what a life coach does, with the state machine that says when
"""
