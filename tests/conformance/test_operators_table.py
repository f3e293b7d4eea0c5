"""docs/operators.md is what the operator table, ONNX's node tests and the refusals below give.

usage: test_operators_table.py [--write]     with --write: writes the file instead of comparing it
"""
import os
import re
import subprocess
import sys
import unittest

try:
    import numpy
    from onnx_case import Known, OnnxCase, floats
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

SOURCE = os.environ["CLASSIFYD_SOURCE"]
PAGE = os.path.join(SOURCE, "docs", "operators.md")
SKIPS = os.path.join(SOURCE, "tests", "conformance", "onnx_node_skips.txt")
PROGRAM = os.path.join(os.environ["CLASSIFYD_BUILD"], "tests", "conformance_onnx_node")

HEAD = """# Operators

`tests/conformance/test_operators_table.py --write` makes this page from the operator table (`engine/src/ops/ops.def`)
and from what ONNX's own node tests (1.12, Debian package `libonnx-testdata`) give; a test checks that it is current.

Files of opsets 7 to {newest} are read; an operator's `opsets` are those in which it exists within that range.
`gradient`: training, fine-tuning and the explanations go through it. `tests`: ONNX's cases that use it and pass, out
of those that there are. `known`: inputs that must be constants, or follow from constants and the shape of the input
alone, because the shapes of all that follows depend on them. Tensors hold float, double, bool and integers of 8 to 64
bits, of up to 8 dimensions; float16 is widened to float at reading.

| operator | opsets | gradient | tests | known |
|---|---|---|---|---|
"""

REFUSED_HEAD = """
## What is refused, and why

Refused means: the file is not served, what served before goes on, and a sentence names the node, what was found and
what is wanted.

| what | why |
|---|---|
"""

SKIPPED_HEAD = """
## ONNX's cases that cannot apply

| case | operators | why |
|---|---|---|
"""


class Listing:
    """What `conformance_onnx_node --list` says."""

    def __init__(self):
        done = subprocess.run([PROGRAM, "--list"], capture_output=True, text=True, timeout=300)
        if done.returncode == 77:
            raise unittest.SkipTest(done.stdout.strip())
        rows = [line.split("\t") for line in done.stdout.splitlines()]
        self.operators = [row[1:] for row in rows if row[0] == "operator"]
        self.cases = [row for row in rows if row[0] in ("passed", "refused") and len(row) == 4]

    def known_inputs(self, name):
        """The names of inputs without which, not being constant, a case was refused."""
        found = []
        for result, _, _, why in self.cases:
            match = re.search(rf"\({name}\): input \d+ \((\w+)\) is computed from the picture", why)
            if result == "passed" and match and match.group(1) not in found:
                found.append(match.group(1))
        return sorted(found)

    def row(self, name, domain, first, last, gradient):
        results = [result for result, _, operators, _ in self.cases if name in operators.split(",")]
        tests = f"{results.count('passed')} of {len(results)}" if results else "ONNX has none"
        opsets = f"{first} to {last}" if not domain else f"{domain} {first}"
        return f"| {name} | {opsets} | {gradient} | {tests} | {', '.join(self.known_inputs(name))} |"


def page():
    listing = Listing()
    reasons = {}
    with open(SKIPS) as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                case, reason = line.strip().split(": ", 1)
                reasons[case] = reason
    newest = max(int(row[3]) for row in listing.operators if not row[1])
    lines = [listing.row(*row) for row in sorted(listing.operators)]
    refused = [f"| {what} | {why} |" for what, why, *_ in REFUSALS + FILES_REFUSED]
    skipped = [f"| {case} | {operators.replace(',', ', ')} | {reasons[case]} |"
               for result, case, operators, _ in listing.cases if result == "refused"]
    passed = sum(row[0] == "passed" for row in listing.cases)
    total = f"\n{passed} of ONNX's {len(listing.cases)} cases of these operators pass; the others are below.\n"
    return (HEAD.format(newest=newest) + "\n".join(lines) + "\n" + total + REFUSED_HEAD + "\n".join(refused) + "\n"
            + SKIPPED_HEAD + "\n".join(skipped) + "\n")


def raw(value, *shape):
    return Known(numpy.full(shape, value))


X = floats(2, 3, 4, 4)
# what, why, words of the sentence, then the model: operator, inputs, opset, attributes
REFUSALS = [
    ("operators that are not in the table", "nothing here computes them; `Loop` and `Scan` are among them, and so are "
     "operators of sequences, optionals and strings. An `If` that constants or shapes decide becomes the nodes of its "
     "branch ([021](decisions/021-functions-and-branches.md)), any other is refused",
     ["Det", "not known"], "Det", [X], 13, {}),
    ("operators whose output's shape depends on the picture (`NonZero`, `NonMaxSuppression`, `Unique`, `Compress`)",
     "all memory is planned before the first picture comes", ["NonZero", "without its post-processing"],
     "NonZero", [X], 13, {}),
    ("opsets below 7 and above 21", "older ones broadcast in other ways; newer ones are not known",
     ["opset", "6"], "Relu", [X], 6, {}),
    ("shapes that depend on the picture's content (`Reshape`, `Expand`, `Slice`, `Resize`, `TopK`, `Range` ...)",
     "all memory is planned before the first picture comes",
     ["shape", "computed from the picture"], "Reshape", [X, numpy.array([2, -1], numpy.int64)], 13, {}),
    ("`Dropout` with training_mode true", "a served model must give the same answer twice", ["training"],
     "Dropout", [X, raw(numpy.float32(0.5)), raw(True)], 13, {}),
    ("types that do not fit each other", "the standard converts nothing by itself", ["int64"],
     "Add", [X, numpy.zeros((2, 3, 4, 4), numpy.int64)], 14, {}),
    ("shapes that do not fit", "numpy's broadcasting cannot join them", ["[2, 3, 4, 4]", "[5]"],
     "Add", [X, raw(numpy.float32(1), 5)], 14, {}),
    ("attributes that the operator does not have", "they may mean something that would be left undone",
     ["colour"], "Relu", [X], 13, {"colour": 1}),
    ("more than 8 dimensions", "no classifier has them", ["8"], "Relu", [floats(*[1] * 9)], 13, {}),
]
FILES_REFUSED = [
    ("element types string, bfloat16, complex, float8 and 4-bit integers", "only plain numbers and booleans are values"),
    ("external data, sparse initializers, functions", "one file holds the model; the sentence says how to save it so"),
]


class OperatorsTable(OnnxCase):
    def test_the_page_is_current(self):
        with open(PAGE) as file:
            shown = file.read().splitlines()
        self.assertEqual(shown, page().splitlines(),
                         "write docs/operators.md anew: tests/conformance/test_operators_table.py --write")

    def test_refusals(self):
        for what, _, says, operator, inputs, opset, attributes in REFUSALS:
            with self.subTest(what=what):
                model = self.save_model(operator, inputs, [1], opset, attributes)
                self.refused("run", model, *self.arguments(inputs), "--output-dir", self.folder, says=says)


if __name__ == "__main__":
    if "--write" in sys.argv:
        with open(PAGE, "w") as output:
            output.write(page())
    else:
        unittest.main()
