"""Measures the lab, and writes the figures into docs/performance.md; `python -m benchmarks --help`."""
