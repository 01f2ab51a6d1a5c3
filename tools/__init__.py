"""Sets the project up on a machine; see setup.py."""
