"""What goes to Redis: the kinds of values that a command or a script takes."""

Value = str | bytes | int | float
"""An argument. Text goes as UTF-8, numbers in decimal."""
