"""tests/bench/engine.sh measures a model of any kind that ships, and its table is whole. Skipped without its peers."""
import ctypes
import os
import shutil
import subprocess
import sys
import unittest

try:
    import onnxruntime
    ctypes.CDLL("libopenblas.so.0")
except (ImportError, OSError) as error:
    print(f"skipped: {error}")
    sys.exit(77)

SOURCE = os.environ["CLASSIFYD_SOURCE"]
if not (onnxruntime.is_here() and shutil.which("npm") and shutil.which("cc")):
    print("skipped: npm, onnxruntime-node or cc is missing")
    sys.exit(77)


class EngineBench(unittest.TestCase):
    def run_bench(self, *args):
        return subprocess.run([f"{SOURCE}/tests/bench/engine.sh", "--bin", os.environ["CLASSIFYD_BIN"], "--rounds", "1",
                               *args], capture_output=True, text=True, timeout=300)

    def test_tables(self):
        done = self.run_bench("--quick", "--models", "mnist-mlp", "--batch", "1,3")
        self.assertEqual(done.returncode, 0, done.stderr)
        tables = [block.splitlines() for block in done.stdout.split("\n\n") if block.startswith("|")]
        goals, speed, loading = [[[cell.strip() for cell in line.strip("|").split("|")] for line in table]
                                 for table in tables]
        self.assertEqual([row[:3] for row in goals[2:]], [["shipped", "1", "1"], ["shipped", "1", "3"]])
        self.assertEqual([row[:3] for row in speed[2:]], [["mnist-mlp", "1", "1"], ["mnist-mlp", "1", "3"]])
        for row in speed[2:]:
            of = dict(zip(speed[0], row))
            self.assertAlmostEqual(float(of["ratio"]), float(of["ORT ms"]) / float(of["ms"]), delta=0.05)
            self.assertLessEqual(float(of["difference"]), 1e-4)
        self.assertEqual([row[0] for row in loading[2:]], ["mnist-mlp"])

    def test_a_model_that_is_not_there(self):
        done = self.run_bench("--quick", "--models", "/nowhere/lost.onnx")
        self.assertEqual(done.returncode, 1)
        self.assertIn("lost", done.stderr)


if __name__ == "__main__":
    unittest.main()
