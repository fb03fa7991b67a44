"""What the dialects share: each part reads one kind of thing from a place in a text on, and says where it ends.

None of them knows a dialect; a dialect is mostly its patterns, given to one of these. In reading order:

    taken          what a dialect is asked (`Opening`) and what it answers (`Taken`)
    places         whether something stands on lines of its own
    marked_json    JSON between marks of a format's own, and calls one after the other
    tagged_json    the tags of formats that put calls as JSON between them, and what such a value asks for
    tag_runs       one run of such tags, with all that models write between them
    xml_elements   calls in tags, with each argument in a tag of its own
    xml_sections   elements one after the other, without attributes
    json_values    where JSON that may ask for actions begins in a text, and its value
    json_lists     JSON calls that cannot be read as a whole: cut-off lists, bad entries
    python_values  Python literals as JSON values; nothing is evaluated
    python_calls   calls written as Python, with such literals as arguments
"""
