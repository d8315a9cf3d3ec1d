"""A place where podman works here: a mount namespace that shows cgroup2 only, as crun wants it, and a
network namespace of its own, with its images and containers below build/container.

All that runs in it ends with it.
"""

import os
import shlex
import shutil
import subprocess

ULIMITS = ["--ulimit", "nofile=20000:20000", "--ulimit", "nproc=30000:30000"]
# as compose.yaml and quintet.yaml have it
WALLS = ["--read-only", "--cap-drop=all", "--security-opt", "no-new-privileges"]
PREPARE = (
    "umount -R /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup && ip link set lo up && "
    "echo ready && exec sleep 1200"
)


class Place:
    """with Place(folder) as p: p.podman("ps")"""

    def __init__(self, folder):
        self.folder = folder
        self.storage = folder / "storage"
        self.run_folder = folder / "run"
        self.holder = None

    def __enter__(self):
        self._hold()
        if self.podman("info", check=False).returncode != 0:  # no overlay on this file system
            self.storage = self.folder / "storage-vfs"
            self.podman("info")
        return self

    def _hold(self):
        self.storage.mkdir(parents=True, exist_ok=True)
        self.run_folder.mkdir(exist_ok=True)
        command = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--net", "sh", "-c", PREPARE]
        self.holder = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.holder.stdout.readline() == "ready\n", self.holder.stderr.read()

    def __exit__(self, *_):
        self.podman("rm", "--all", "--force", "--time", "1", check=False)
        self.podman("volume", "rm", "--all", check=False)
        self.holder.kill()
        self.holder.wait(10)
        shutil.rmtree(self.run_folder, ignore_errors=True)

    def podman_command(self):
        """For units/container/build, which takes it from PODMAN."""
        options = ["--root", self.storage, "--runroot", self.run_folder, "--runtime", "crun"]
        if self.storage.name.endswith("vfs"):
            options += ["--storage-driver", "vfs"]
        return ["podman", *map(str, options), "--cgroup-manager", "cgroupfs"]

    def podman(self, *arguments, **more):
        return self.inside(*self.podman_command(), *arguments, **more)

    def inside(self, *command, check=True, timeout=120, env=None):
        """A program of this host, in here; its standard error is in stdout, too."""
        result = subprocess.run(
            ["nsenter", "-t", str(self.holder.pid), "-m", "-n", "--", *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            env={**os.environ, **(env or {})},
            text=True,
            check=False,
        )
        if check and result.returncode != 0:
            words = shlex.join(map(str, command))
            raise RuntimeError(f"{words}: exit {result.returncode}\n{result.stdout}")
        return result

    def start(self, image, *options, name="quintet", volume="state", background=True):
        """podman run, with the walls; the volume is a named one."""
        options = [*WALLS, *ULIMITS, "--cgroups=disabled", "--network=host", "--no-healthcheck", *options]
        options += ["--name", name, "--volume", f"{volume}:/var/lib/quintet"]
        return self.podman("run", *(["--detach"] if background else []), *options, image, check=background)
