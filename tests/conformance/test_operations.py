"""docs/operations.md names every error, alert and field of the access log that there is, and no setting that is not."""

import os
import re
import sys
from pathlib import Path

SOURCE = Path(os.environ["CLASSIFYD_SOURCE"])
BASE = SOURCE / "server" / "src" / "base"


def names(path, pattern):
    found = re.findall(pattern, path.read_text(), re.MULTILINE)
    assert found, f"{path}: nothing looks like {pattern}"
    return set(found)


def section(page, title):
    return page.split(f"\n## {title}\n")[1].split("\n## ")[0]


def first_cells(text):
    """The names in the first column of a section's tables."""
    return {name for row in re.findall(r"^\| (.*?) \|", text, re.MULTILINE) for name in re.findall(r"`([^`]+)`", row)}


def main():
    page = (SOURCE / "docs" / "operations.md").read_text()
    errors = names(BASE / "codes.def", r'^CODE\(\w+, \d+, "(\w+)"') - {"ok"} | {"client_closed"}
    alerts = names(SOURCE / "docker" / "alerts.yml", r"- alert: (\w+)")
    settings = names(BASE / "settings.def", r"^(?:INT|TEXT|CHOICE)\((\w+)")
    fields = names(SOURCE / "server" / "src" / "http" / "record.c", r'\(&?line, SRV_LOG_KEY\("(\w+)"')
    fields |= {"time", "level", "msg"}
    problems = []

    def compare(what, documented, known):
        problems.extend(f"{what}: the page lacks {name}" for name in sorted(known - documented))
        problems.extend(f"{what}: there is no {name}" for name in sorted(documented - known))

    compare("errors", first_cells(section(page, "Errors")), errors)
    compare("alerts", {n for n in first_cells(section(page, "What to watch")) if n.startswith("Classifyd")}, alerts)
    compare("log", first_cells(section(page, "Log")), fields)
    limits = first_cells(section(page, "Limits, and what each protects"))
    problems += [f"limits: there is no setting {name}" for name in sorted(limits - settings)]
    must_be_there = {name for name in settings if name.startswith(("max_", "rate_limit"))} - {"max_delay_us"}
    problems += [f"limits: the page lacks {name}" for name in sorted(must_be_there - limits)]
    for link in re.findall(r"\]\(([\w./-]+)\)", page):
        if not (SOURCE / "docs" / link).is_file():
            problems.append(f"there is no {link}")
    for path in re.findall(r"`(docker/[\w./-]+)`", page):
        if not (SOURCE / path).is_file():
            problems.append(f"there is no {path}")

    print("\n".join(problems) or "the page names what there is")
    return 1 if problems else 0


sys.exit(main())
