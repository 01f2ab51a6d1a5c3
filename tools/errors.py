"""The one exception of this package: a sentence for the user."""


class SetupError(Exception):
    """Says what is missing or wrong, and what to do about it."""
