"""The one way in which setting up ends badly: a sentence for the user."""


class Refusal(Exception):
    """What is missing or wrong, and what to do about it, in one plain sentence."""
