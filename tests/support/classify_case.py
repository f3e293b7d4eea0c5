"""A test case with a folder of its own that runs the classify command."""
import json
import os
import subprocess
import tempfile
import unittest

import tiny_files

CLASSIFY = os.path.join(os.environ["CLASSIFYD_BIN"], "classify")
OK, FAILED, USAGE = 0, 1, 2


class ClassifyCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, data):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as file:
            file.write(data if isinstance(data, bytes) else data.encode())
        return self.path(name)

    def write_quadrant_model(self, **options):
        return self.write("quadrant.onnx", tiny_files.quadrant_model(**options))

    def classify(self, *args, exit_code=OK):
        """Returns stdout and stderr after checking the exit code."""
        done = subprocess.run([CLASSIFY, *args], capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, exit_code, f"classify {args}:\n{done.stderr}{done.stdout}")
        return done.stdout, done.stderr

    def classify_json(self, *args, exit_code=OK):
        return json.loads(self.classify(*args, "--json", exit_code=exit_code)[0])

    def refused(self, *args, says, exit_code=FAILED):
        """The command fails and its sentence holds every text of says."""
        _, err = self.classify(*args, exit_code=exit_code)
        for text in [says] if isinstance(says, str) else says:
            self.assertIn(text, err)
