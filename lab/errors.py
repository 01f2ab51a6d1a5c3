"""The one exception of this package for the user."""


class LabError(Exception):
    """Says in one sentence why a command of the lab cannot go on; it is shown without a traceback."""
