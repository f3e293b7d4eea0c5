"""A control group with a memory limit, below the one that the test runs in; v1 or v2, None where there can be none."""
import os
import time


def own_groups():
    with open("/proc/self/cgroup") as f:
        for line in f:
            _, controllers, path = line.rstrip("\n").split(":", 2)
            if controllers == "":
                yield "/sys/fs/cgroup" + path, "memory.max", "memory.swap.max"
            elif controllers == "memory":
                yield "/sys/fs/cgroup/memory" + path, "memory.limit_in_bytes", "memory.swappiness"


class MemoryGroup:
    def __init__(self, folder):
        self.folder = folder

    def read(self, name):
        with open(os.path.join(self.folder, name)) as f:
            return f.read()

    def write(self, name, value):
        with open(os.path.join(self.folder, name), "w") as f:
            f.write(str(value))

    def has(self, name):
        return os.path.exists(os.path.join(self.folder, name))

    def command(self):
        """What a command line begins with that is to run inside."""
        return ["/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', os.path.join(self.folder, "cgroup.procs")]

    def n_killed(self):
        text = self.read("memory.events" if self.has("memory.events") else "memory.oom_control")
        return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("oom_kill "))

    def peak_bytes(self):
        """None where the kernel does not say (v2 before 5.19)."""
        for name in ("memory.peak", "memory.max_usage_in_bytes"):
            if self.has(name):
                return int(self.read(name))
        return None

    def remove(self):
        for _ in range(100):  # until the kernel has let go of what ended
            try:
                os.rmdir(self.folder)
                return
            except OSError:
                time.sleep(0.05)
        os.rmdir(self.folder)


def make(n_bytes):
    for parent, limit, swap in own_groups():
        group = MemoryGroup(os.path.join(parent, "classifyd_test_%d" % os.getpid()))
        try:
            os.mkdir(group.folder)
        except OSError:
            continue
        try:
            group.write(limit, n_bytes)
            if group.has(swap):
                group.write(swap, 0)
            return group
        except OSError:
            group.remove()
    return None
