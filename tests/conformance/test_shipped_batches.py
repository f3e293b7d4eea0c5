"""The models that ship answer four samples together with the very bits that each gets alone."""
import subprocess
import sys
import tempfile

try:
    import numpy
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)
import shipped

N = 4


def answers(folder, version, x):
    """All outputs of a raw run."""
    numpy.save(f"{folder}/x.npy", x)
    subprocess.run([shipped.CLASSIFY, "run", version, "--input", f"{folder}/x.npy", "--output-dir", folder],
                   check=True, stdout=subprocess.DEVNULL)
    return [numpy.load(f"{folder}/out_{i}.npy") for i in range(len(shipped.card(version)["outputs"]))]


def check(folder, version):
    card = shipped.card(version)
    assert card["max_batch"] >= N and "one_by_one" not in card, f"{version} takes no batches"
    shape = card["inputs"][0]["shape"]
    assert shape[0] == "N", shape
    x = numpy.random.default_rng(5).normal(size=[N] + shape[1:]).astype(numpy.float32)
    together = answers(folder, version, x)
    for i in range(N):
        for alone, row in zip(answers(folder, version, x[i:i + 1]), together):
            assert alone.shape[0] == 1 and row.shape[0] == N, (alone.shape, row.shape)
            assert alone[0].tobytes() == row[i].tobytes(), f"{version}: sample {i} differs"


versions = shipped.version_folders()
assert versions
with tempfile.TemporaryDirectory() as folder:
    for version in versions:
        check(folder, version)
print(f"{len(versions)} models")
