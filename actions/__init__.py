"""The ground: what an action is, and nothing about who runs it.

An action is a declared capability. A typed function goes in; out comes an `Action` with a name, params
that are validated strictly, a policy, and a schema that any provider understands. Only the standard library,
pydantic and docstring_parser are used here: no I/O, no work at import.

In reading order:

    signals      how a handler steers its run, how a validator says no
    errors       the whole error tree, split by who has to act (`root` and `refusals` hold parts of it)
    policy       durations, retries, clocks and isolation, as arithmetic
    payload      what rides in a run's record to the worker
    messages     ids, statuses, and what a reply's calls were read into
    canonical    a value as plain data, and as one text that equal values share
    templates    the templates that keys of limits and locks are made of
    limits       rate limits, locks and dedupe, as arithmetic
    directives   effects that a handler returns beside its result
    services     what handlers may ask for: HTTP, a model, secrets
    context      what one attempt may touch
    docstrings   the texts a docstring gives to an action and its parameters
    signature    a function's signature as a params model
    scalars      coercion without loss, value by value
    coercion     these rules written into a params model's schema
    declaration  the checks on what is declared beside a handler
    parts        the functions beside a handler: validate, check, undo, pre- and postprocess
    guarantees   an action's limits, locks, clocks and retries, checked
    definition   `@action` makes an Action out of a function
    params       raw arguments to validated params, or an error worded for the model
    validation   may this call run? permissions and the action's own validator
    results      a handler's value as the JSON that the model reads
    schema       an Action as a tool of OpenAI or Anthropic
    names        when two names are the same
    states       the state machine of a conversation (pure)
    ranks        the order in which locks and limits are taken
    registry     names and similes to Actions, exact and frozen
    builtin      actions that come with the house
"""
