"""The one way in which a command of the lab gives up."""


class CannotLook(Exception):
    """The lab could not be looked at: one sentence for the person at the keyboard, without a traceback."""
