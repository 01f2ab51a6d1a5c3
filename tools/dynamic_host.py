"""Runs Pulumi's host of dynamic providers, and ends it together with the engine that started it."""

import os
import runpy
import sys
import threading

# By number: the interpreter holds a lock on sys.stdin while a thread reads it, which its own exit waits for.
STDIN = 0


def end_with_engine() -> None:
    """End this process when its engine ends, also when that is killed.

    The engine holds the other end of standard input. A killed engine cannot end its plugins, but the system closes
    that end.
    """

    def watch() -> None:
        while os.read(STDIN, 4096):
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    end_with_engine()
    sys.path[0] = os.getcwd()  # the program's folder, as python -m has it
    runpy.run_module("pulumi.dynamic", run_name="__main__", alter_sys=True)
