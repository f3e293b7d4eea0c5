"""The man pages and --help name the same options, for the tool, the daemon and every command."""

import os
import re
import subprocess
import sys
from pathlib import Path

BIN = Path(os.environ["CLASSIFYD_BIN"])
MAN = Path(os.environ["CLASSIFYD_SOURCE"]) / "docs" / "man"
COMMANDS = re.compile(r"^COMMAND\((\w+)", re.MULTILINE)
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")


# CLASSIFYD_BIN and the like would be unknown settings to the daemon.
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("CLASSIFYD_")}


def help_text(*command):
    done = subprocess.run(
        command + ("--help",), env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


def options(text):
    return set(OPTION.findall(text.replace("\\-", "-")))


def main():
    problems = []

    def compare(what, documented, known, optional=frozenset()):
        for option in sorted(documented - known):
            problems.append(f"{what}: the man page has {option}, --help does not")
        for option in sorted(known - documented - optional):
            problems.append(f"{what}: --help has {option}, the man page does not")

    table = MAN.parents[1] / "engine" / "tools" / "commands.def"
    commands = COMMANDS.findall(table.read_text())
    page = (MAN / "classify.1").read_text()
    sections = dict(re.findall(r"^\.SS classify (\w+)(.*?)(?=^\.S[SH] )", page, re.MULTILINE | re.DOTALL))
    shared = options(page.split(".SH OPTIONS")[1].split(".SH ")[0]) | {"--json"}
    for name in commands:
        known = options(help_text(BIN / "classify", name))
        compare(f"classify {name}", options(sections.get(name, "")) - {"--json"}, known, shared)
    if set(sections) != set(commands):
        problems.append(f"classify.1 describes {sorted(sections)}, the tool has {sorted(commands)}")

    # Settings may be left to --help: the page shows the ones needed first.
    commands_help, settings_help = help_text(BIN / "classifyd").split("settings:")
    documented = options((MAN / "classifyd.8").read_text()) - {"--key"}
    settings = options(settings_help)
    compare("classifyd", documented, options(commands_help) - {"--key"} | settings, settings)

    print("\n".join(problems) or "the man pages agree with --help")
    return 1 if problems else 0


sys.exit(main())
