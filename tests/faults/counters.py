"""The crash points of lib/base/fault.h, in their order there."""

import ctypes
import mmap

from instance import until

STORE_PHASES = ("write-begun", "write-done", "commit-flush", "commit-meta", "committed")
SIGNER_PHASES = ("intent-stored", "signed")
FILE_PHASES = ("file-written", "file-flushed", "file-stored", "file-renamed", "file-durable")
PHASES = STORE_PHASES + SIGNER_PHASES + FILE_PHASES


class Counters:
    """The shared crash point counters."""

    def __init__(self, instance):
        path = instance.path("runtime/faults")
        path.write_bytes(bytes(4 * len(PHASES)))
        instance.give(path)
        with open(path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 4 * len(PHASES))
        self.values = (ctypes.c_int32 * len(PHASES)).from_buffer(self.map)

    def strike(self, phase, nth):
        """The nth process that comes to the phase dies there; returns when it has."""
        i = PHASES.index(phase)
        self.values[i] = nth
        until(lambda: self.values[i] <= 0, 90, f"a kill at {phase}")
        self.values[i] = 0
