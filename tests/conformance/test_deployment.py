"""What lies in docker/ fits the daemon: settings and routes exist, whoever stops it waits long enough. systemd looks
at its unit where it is installed."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(os.environ["CLASSIFYD_SOURCE"])
BIN = Path(os.environ["CLASSIFYD_BIN"])
DOCKER = SOURCE / "docker"
SETTINGS = (SOURCE / "server" / "src" / "base" / "settings.def").read_text()
ROUTES = (SOURCE / "server" / "src" / "api" / "routes.def").read_text()

FILES = {
    "compose": DOCKER / "compose.yaml",
    "kubernetes": DOCKER / "kubernetes" / "classifyd.yaml",
    "systemd": DOCKER / "systemd" / "classifyd.service",
    "image": DOCKER / "Dockerfile",
}
PATIENCE = {
    "compose": r"stop_grace_period: (\d+)s",
    "kubernetes": r"terminationGracePeriodSeconds: (\d+)",
    "systemd": r"TimeoutStopSec=(\d+)",
}


def default_ms(setting):
    return int(re.search(rf"^INT\({setting}, \w+, (\d+),", SETTINGS, re.MULTILINE).group(1))


def check_settings(name, text, problems):
    for variable in re.findall(r"CLASSIFYD_([A-Z_]+)", text):
        if not re.search(rf"^(?:INT|TEXT|CHOICE)\({variable.lower()},", SETTINGS, re.MULTILINE):
            problems.append(f"{name}: there is no setting {variable.lower()}")


def check_patience(name, text, problems):
    """In seconds, with what the file itself sets."""
    patience_s = int(re.search(PATIENCE[name], text).group(1))
    needed_ms = 0
    for setting in ("lame_duck_ms", "drain_timeout_ms"):
        own = re.search(rf"CLASSIFYD_{setting.upper()}\W+(?:value:)?\W*(\d+)", text)
        needed_ms += int(own.group(1)) if own else default_ms(setting)
    if patience_s * 1000 <= needed_ms:
        problems.append(f"{name}: waits {patience_s} s for an end that may take {needed_ms} ms")


def check_paths(name, text, problems):
    for path in re.findall(r"path: (/[\w.]*)", text):
        if f'ROUTE(PUBLIC, GET, "{path}"' not in ROUTES:
            problems.append(f"{name}: there is no route {path}")


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    return done.returncode, done.stdout


def check_memory(problems):
    """The manifest's settings and the models that ship fit into its own limit, and another model beside them."""
    text = FILES["kubernetes"].read_text()
    own = dict(re.findall(r'name: (CLASSIFYD_\w+), value: "?([^"}]+)"?}', text))
    cpus, gib = re.search(r'limits: {cpu: "(\d+)", memory: (\d+)Gi}', text).groups()
    if own.get("CLASSIFYD_MEMORY_LIMIT") != "auto":
        problems.append("kubernetes: the memory limit is not heeded")
    for_another_mib = 256
    own["CLASSIFYD_MEMORY_LIMIT"] = f"{int(gib) * 1024 - for_another_mib}M"
    own["CLASSIFYD_THREADS"] = own["CLASSIFYD_HTTP_THREADS"] = cpus
    status, said = run("env", "-i", *(f"{key}={value}" for key, value in own.items()),
                       str(BIN / "classifyd"), "--models", str(SOURCE / "models"), "--check")
    if status != 0:
        problems.append(f"kubernetes: {said}")


def check_unit(problems):
    """systemd wants the program to be there."""
    if not shutil.which("systemd-analyze"):
        return print("systemd-analyze is not installed")
    with tempfile.TemporaryDirectory() as folder:
        unit = Path(folder) / "classifyd.service"
        text = FILES["systemd"].read_text().replace("/usr/local/sbin/classifyd", str(BIN / "classifyd"))
        unit.write_text(text.replace("Documentation=man:classifyd(8)\n", ""))
        status, said = run("systemd-analyze", "verify", "--recursive-errors=no", str(unit))
        if status != 0 or "classifyd.service" in said:
            problems.append(f"systemd-analyze: {said}")


def main():
    problems = []
    for name, path in FILES.items():
        text = path.read_text()
        check_settings(name, text, problems)
        check_paths(name, text, problems)
        if name in PATIENCE:
            check_patience(name, text, problems)
    check_memory(problems)
    check_unit(problems)
    print("\n".join(problems) or "docker/ fits the daemon")
    return 1 if problems else 0


sys.exit(main())
