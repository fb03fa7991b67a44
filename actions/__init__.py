"""The ground: what an action is, and nothing about who runs it.

An action is a declared capability. A typed function goes in; out comes an `Action` with a name, params
that are validated strictly, a policy, and a schema that any provider understands. Only the standard library,
pydantic and docstring_parser are used here: no I/O, no work at import.

In reading order:

    directives   effects that a handler returns beside its result
    signals      how a handler steers its run, how a validator says no
    errors       the whole error tree, split by who has to act (`root`, `refusals` and `order_refusals` are parts of it)
    policy       durations, retries, clocks and isolation, as arithmetic
    payload      what rides in a run's record to the worker
    messages     ids, statuses, and what a reply's calls were read into
    canonical    a value as plain data, and as one text that equal values share
    templates    the templates that keys of limits and locks are made of
    limits       rate limits, locks and dedupe, as arithmetic
    chains       an action that runs only in a chain, and the locks of that chain
    approvals    when a person has to say yes before a run starts
    services     what handlers may ask for: HTTP, a model, secrets, a cache
    caching      the cache, kept apart for each tenant
    enhancing    a basic result that an optional service makes better
    context      what one attempt may touch
    docstrings   the texts a docstring gives to an action and its parameters
    signature    a function's signature as a params model
    strict_json  strict JSON: text in, a value out, and never half of what was written
    scalars      coercion without loss, value by value
    absent       null that only says that something is not given
    coercion     these rules written into a params model's schema
    declaration  the checks on what is declared beside a handler
    parts        the functions beside a handler: validate, check, pre- and postprocess
    hooks        functions around the stations of a run
    guarantees   an action's limits, locks, clocks and retries, checked
    undoing      what takes an effect back, what makes good a failure
    dependencies what an action needs of others: their success, values of their results
    conditions   when an action may run at all, and who may ask for it
    definition   `@action` makes an Action out of a function
    params       raw arguments to validated params, or an error worded for the model
    validation   may this call run? permissions and the action's own validator
    results      a handler's value as the JSON that the model reads
    schema       what an Action takes, as JSON schema
    tools        Actions as tools, in the words of each provider
    catalogue    what there is to know of an Action, as data
    names        when two names are the same
    states       the state machine of a conversation (pure)
    ranks        the order in which locks and limits are taken
    name_index   actions by their names and similes
    registry     names and similes to Actions, exact and frozen
    builtin      actions that come with the house
"""
