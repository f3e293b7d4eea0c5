"""Writes docs/networks.md from what torchvision.py printed.

usage: torchvision_page.py LOG...     a later line about the same network and opset replaces an earlier one
"""
import os
import re
import sys

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "networks.md")
OPSETS = [11, 13, 17]
LINE = re.compile(r"(FAILED )?(\w+) +([\d.]+) M  opset (\d+):?  ?(.*)")
HEAD = """# torchvision's classification networks

`tests/conformance/torchvision_page.py` makes this page from the output of `tests/conformance/torchvision.py --all`
(docs/testing.md), which exports every classification network of torchvision 0.14 with PyTorch 1.13 and compares
probabilities and top-1 with PyTorch's, for one picture and for four; weights are random, and scaled so that the answers
differ. Wanted is a difference below 1e-4 in each of 1000 probabilities and the same top-1. Opsets 11 and 17 are
exported with a batch of 1 in the file, opset 13 with an open batch. `batches`: whether the samples of a batch run
together. Opset 13 and the networks above 89 million parameters compare with PyTorch computing in doubles, the other
figures with its floats, and were taken before convolutions ran with channels last (decisions/022). The script compares
with doubles, because the float answers of a deep network with random weights are uncertain themselves: of resnet152
PyTorch's floats are 1.6e-4 from its doubles, and ours 0.9e-4.

| network | million parameters | opset 11 | opset 13 | opset 17 | batches |
|---|---|---|---|---|---|
"""


def read(paths):
    """{network: (parameters, {opset: text})}"""
    networks = {}
    for path in paths:
        with open(path) as file:
            for match in map(LINE.match, file):
                if match:
                    failed, name, parameters, opset, text = match.groups()
                    networks.setdefault(name, (float(parameters), {}))[1][int(opset)] = (bool(failed), text)
    return networks


def cell(result, reasons):
    if not result:
        return ""
    failed, text = result
    if failed:
        return f"FAILED: {text}"
    if text.startswith("PyTorch does not export it: "):
        reason = text.removeprefix("PyTorch does not export it: ").split(" Please")[0]
        reason = re.sub(r" to ONNX opset version \d+", "", reason).split(", try")[0].rstrip(".")
        reasons.setdefault(reason, len(reasons) + 1)
        return f"not exported ({reasons[reason]})"
    return re.search(r"difference ([\d.e+-]+)", text).group(1)


def page(networks):
    rows, reasons, n_compared = [], {}, 0
    for name, (parameters, results) in sorted(networks.items()):
        ways = {way for _, text in results.values() for way in re.findall("batches (together|one by one)", text)}
        cells = [cell(results.get(opset), reasons) for opset in OPSETS]
        rows.append(f"| {name} | {parameters:.1f} | {' | '.join(cells)} | {', '.join(sorted(ways))} |")
        n_compared += any(text and text[0].isdigit() for text in cells)
    notes = "".join(f"\n({number}) PyTorch: {reason}.\n" for reason, number in reasons.items())
    total = f"\n\n{n_compared} of {len(rows)} networks were compared; an empty cell was not tried.\n"
    return HEAD + "\n".join(rows) + total + notes


if len(sys.argv) < 2:
    sys.exit(__doc__.strip())
with open(PAGE, "w") as output:
    output.write(page(read(sys.argv[1:])))
