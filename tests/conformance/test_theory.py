"""docs/theory.md names only files, functions and sections that exist, and functions in the files that hold them.

The numbers in it are checked by tests/unit/theory. Before the document is judged, a made-up one with one mistake
of each kind is: the rules must find them all."""

import os
import re
import sys
from pathlib import Path

ROOT = Path(os.environ.get("CLASSIFYD_SOURCE", Path(__file__).parents[2]))
SPAN = re.compile(r"`([^`\n]+)`")
FUNCTION = re.compile(r"(\w+)\(\)")
PLACED = re.compile(r"`(\w+)\(\)`(?:\s+and\s+`(\w+)\(\)`)?\s+in\s+`([\w./-]+)`")
LINK = re.compile(r"\]\(([^)]+)\)")
PATH = re.compile(r"[\w.-]+(/[\w.-]*)+")


def defines(text, function):
    """A definition begins a line, has its parameters, and goes on with a body."""
    return re.search(rf"^(?!\s|#|//)[^;{{}}=\n]*\b{function}\([^;{{}}]*\)\s*\{{", text, re.MULTILINE) is not None


def anchor(heading):
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def problems(text, sources):
    found = []
    anchors = {anchor(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}
    for span in SPAN.findall(text):
        function = FUNCTION.fullmatch(span)
        if function and not any(defines(source, function[1]) for source in sources.values()):
            found.append(f"{span}: no such function")
        if PATH.fullmatch(span) and not (ROOT / span).exists():
            found.append(f"{span}: no such file")
    for first, second, path in PLACED.findall(text):
        for function in filter(None, (first, second)):
            if not defines(sources.get(path, ""), function):
                found.append(f"{function}() is not in {path}")
    for link in LINK.findall(text):
        if link.startswith("#"):
            if link[1:] not in anchors:
                found.append(f"{link}: no such section")
        elif not (ROOT / "docs" / link).exists():
            found.append(f"{link}: no such file")
    return found


MADE_UP = """
## A section
[well](#a-section) [badly](#another) [well](theory.md) [badly](nowhere.md)
`eng_softmax_forward()` in `engine/src/kernels/softmax.c`, `eng_loss_run()` in `engine/src/kernels/softmax.c`,
`eng_no_such_thing()`, `engine/src/none.c`, `tests/unit/theory/`
"""


def main():
    sources = {str(p.relative_to(ROOT)): p.read_text() for p in (ROOT / "engine").rglob("*.c")}
    made_up = problems(MADE_UP, sources)
    wanted = ["eng_no_such_thing(): no such", "engine/src/none.c: no such", "eng_loss_run() is not in", "#another",
              "nowhere.md"]
    if len(made_up) != len(wanted) or not all(any(w in m for m in made_up) for w in wanted):
        print("self check:", made_up)
        return 1
    text = (ROOT / "docs" / "theory.md").read_text()
    found = problems(text, sources)
    print("\n".join(found))
    n_functions = len({s for s in SPAN.findall(text) if FUNCTION.fullmatch(s)})
    print(f"{n_functions} functions, {len(found)} problems")
    return 1 if found or n_functions < 12 else 0


sys.exit(main())
