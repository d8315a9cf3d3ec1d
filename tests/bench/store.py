"""What chat and mail cost in the store alone, with the disk waited for: two programs, a table each."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
PROGRAMS = (("chat_store", "100", "400"), ("mail_store", "200", "4096"))


def main():
    for name, *words in PROGRAMS:
        # On the disk where the tree is: what /tmp is made of differs.
        with tempfile.TemporaryDirectory(dir=TOP / "build") as folder:
            print(f"\n{name}: {' '.join(words)}", flush=True)
            done = subprocess.run([TOP / "build/release/tests/bench" / name, os.path.join(folder, "store"),
                                   *words], check=False)
        if done.returncode != 0:
            sys.exit(f"bench: {name} failed")


if __name__ == "__main__":
    main()
