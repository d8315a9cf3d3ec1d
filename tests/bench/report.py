"""All measurements in one run, one after the other, each bounded: tables as text while they come, and
under build/bench report.txt with all of them and a picture for each question. Goes on after a failure
and ends with it. Words choose: report.py ftpd maild."""

import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import plot

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
FOLDER = TOP / "build/bench"
# What there is, and the seconds that it may take.
TABLES = {"process": 60, "activation": 200, "issuing": 80, "ftpd": 500, "chatd": 300, "maild": 300,
          "store": 120, "keeper": 150}
BUSY = 1.0


class Report:
    """What is printed and kept."""

    def __init__(self, path):
        self.file = path.open("w")

    def say(self, text):
        print(text, end="", flush=True)
        self.file.write(text)
        self.file.flush()


def machine():
    openssl = subprocess.run(["openssl", "version"], capture_output=True, text=True, check=True).stdout
    load = os.getloadavg()
    text = (f"machine: {os.cpu_count()} cores, load {load[0]:.2f}, {platform.system()} "
            f"{platform.release()}, {openssl}")
    if load[0] >= BUSY:
        text += "warning: the machine is busy; ratios hold better than figures\n"
    return text


def run(name, seconds, report):
    """Its lines as they come. Whether it came to a good end."""
    began = time.monotonic()
    command = ["timeout", "-k", "10", str(seconds), sys.executable, str(HERE / f"{name}.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=TOP,
                          env={**os.environ, "BENCH_FOLDER": str(FOLDER), "PYTHONUNBUFFERED": "1"}) as child:
        for line in child.stdout:
            report.say(line)
    report.say(f"  [{name}: {time.monotonic() - began:.0f} s"
               f"{'' if child.returncode == 0 else ', FAILED'}]\n")
    return child.returncode == 0


def draw(report):
    """A picture beside each question's figures, and their list."""
    report.say("\npictures\n")
    for path in sorted(FOLDER.glob("*.json")):
        question = json.loads(path.read_text())
        picture = path.with_suffix(".svg")
        picture.write_text(plot.svg(question))
        report.say(f"  {picture.relative_to(TOP)}: {question['question']}\n")


def main():
    chosen = sys.argv[1:] or list(TABLES)
    unknown = [name for name in chosen if name not in TABLES]
    if unknown:
        sys.exit(f"bench: no {', '.join(unknown)}; there are {', '.join(TABLES)}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in [*FOLDER.glob("*.json"), *FOLDER.glob("*.svg")]:
        old.unlink()
    report = Report(FOLDER / "report.txt")
    report.say(machine())
    good = [run(name, TABLES[name], report) for name in chosen]
    draw(report)
    report.say(f"report: {(FOLDER / 'report.txt').relative_to(TOP)}\n")
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
