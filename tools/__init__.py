"""Sets the project up on a machine; see setup.py."""

import sys

# Before any other module: an older Python cannot even compile some of them, and a traceback helps nobody.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(
        "setup: Python {}.{}.{} is too old: Python 3.11 or newer is needed. "
        "`make PYTHON=python3.12 ...` uses another one.".format(*sys.version_info[:3])
    )
