"""A control group with a limit, below the one that the test runs in; v1 or v2, None where there can be none."""
import os
import time

PERIOD_US = 100000


def own_groups(controller):
    """The folders of this process's groups that may have the controller, and whether that is version 2."""
    with open("/proc/self/cgroup") as f:
        for line in f:
            _, controllers, path = line.rstrip("\n").split(":", 2)
            if controllers == "":
                yield "/sys/fs/cgroup" + path, True
            elif controller in controllers.split(","):
                yield "/sys/fs/cgroup/" + controllers + path, False


class ControlGroup:
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

    def remove(self):
        """May be called again."""
        if not os.path.exists(self.folder):
            return
        for _ in range(100):  # until the kernel has let go of what ended
            try:
                os.rmdir(self.folder)
                return
            except OSError:
                time.sleep(0.05)
        os.rmdir(self.folder)


def make(controller, values_v1, values_v2):
    """values: (file, value); of those behind the first a file that is not there is passed over."""
    for parent, is_v2 in own_groups(controller):
        group = ControlGroup(os.path.join(parent, "classifyd_test_%d" % os.getpid()))
        try:
            os.mkdir(group.folder)
        except OSError:
            continue
        try:
            for i, (name, value) in enumerate(values_v2 if is_v2 else values_v1):
                if i == 0 or group.has(name):
                    group.write(name, value)
            return group
        except OSError:
            group.remove()
    return None


def make_memory(n_bytes):
    return make("memory", [("memory.limit_in_bytes", n_bytes), ("memory.swappiness", 0)],
                [("memory.max", n_bytes), ("memory.swap.max", 0)])


def make_cpu(quota_us):
    return make("cpu", [("cpu.cfs_period_us", PERIOD_US), ("cpu.cfs_quota_us", quota_us)],
                [("cpu.max", "%d %d" % (quota_us, PERIOD_US))])
