"""The daemon measured by Triton's perf_analyzer (docs/testing.md says how to bring it in)."""
import os
import re
import shutil
import subprocess
import sys

ANALYZER = os.environ.get("CLASSIFYD_PERF_ANALYZER") or shutil.which("perf_analyzer")
if not ANALYZER:
    print("skipped: no perf_analyzer: it is not on the path, and CLASSIFYD_PERF_ANALYZER is not set")
    sys.exit(77)

import daemon

# Short windows that are taken for stable whatever they scatter by: it is to run, not to measure.
QUICK = ["--measurement-interval", "200", "--stability-percentage", "999", "--max-trials", "3"]


class PerfAnalyzer(daemon.TestCase):
    def setUp(self):
        super().setUp()
        self.write_model(size=28)
        self.write_model(version=2, size=28, seed=2)
        self.d = self.start()

    def analyze(self, *flags, data=("--input-data", "zero")):
        """What it says, and its exit status."""
        run = subprocess.run([ANALYZER, "-m", "tiny", "-i", "http", "-u", "127.0.0.1:%d" % self.d.port, *QUICK, *data,
                              *flags], timeout=2 * daemon.PATIENCE_S, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True)
        return run.stdout, run.returncode

    def test_loads(self):
        json_tensors = ["--input-tensor-format", "json", "--output-tensor-format", "json"]
        for flags in ([], json_tensors, ["--async", "--concurrency-range", "4:4"], ["-b", "4"], ["-x", "1"],
                      ["--request-rate-range", "200:200"]):
            said, status = self.analyze(*flags)
            self.assertEqual(status, 0, said)
            self.assertIn("Inferences/Second", said)
            # Both count alike, but for what is under way when it asks.
            counted = {name: int(n) for name, n in re.findall(r"(\w+(?: \w+)*) count: (\d+)", said)}
            self.assertGreater(counted["Request"], 0)
            self.assertAlmostEqual(counted["Successful request"], counted["Request"],
                                   delta=max(20, counted["Request"] // 4))
            self.assertNotIn("Failed", said)

    def test_random_bytes_are_no_numbers(self):
        """What it sends if nobody says what, and docs/api.md advises against."""
        said, status = self.analyze(data=())
        self.assertNotEqual(status, 0)
        self.assertIn("wanted finite numbers", said)


if __name__ == "__main__":
    daemon.main()
