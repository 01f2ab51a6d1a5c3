"""For every tier."""

import signal

# A shell that starts the tests in the background has them ignore Ctrl-C, and so would every command that they strike.
signal.signal(signal.SIGINT, signal.default_int_handler)
