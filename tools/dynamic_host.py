"""Runs Pulumi's host of dynamic providers, and ends it with the engine that started it.

The engine holds the other end of standard input. A killed engine cannot end its plugins, but it lets go of that.
"""

import os
import runpy
import sys
import threading

# By number: the interpreter holds a lock on sys.stdin while a thread reads it, which its own exit waits for.
STDIN = 0


def end_with_engine() -> None:
    while os.read(STDIN, 4096):
        pass
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=end_with_engine, daemon=True).start()
    sys.path[0] = os.getcwd()  # the program's folder, as python -m has it
    runpy.run_module("pulumi.dynamic", run_name="__main__", alter_sys=True)
