"""Actions that come with the house; each module is registered when it is named.

In reading order:

    conversation   NONE, CONTINUE, IGNORE: in every registry that is made from modules
    trading        TAKE_ORDER: an order at an exchange, over HTTP
    coach          what a life coach does, with the state machine that says when
"""
