"""Imports a module, and prints how many milliseconds that took: ``import_module.py FOLDER MODULE``."""

from __future__ import annotations

import sys
import time
from importlib import import_module

if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    started = time.perf_counter()
    import_module(sys.argv[2])
    print((time.perf_counter() - started) * 1000)
