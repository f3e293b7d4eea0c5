"""Files that would harm: each is refused by a sentence, in little time and memory, and what was served goes on."""
import os
import resource
import subprocess
import sys
import unittest

try:
    import hostile_models
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)
import daemon
import tiny_onnx
from classify_case import CLASSIFY, FAILED, OK, ClassifyCase

MAX_ADDRESS_SPACE = 600 << 20
MAX_CPU_S = 5  # even where ten others share the processor's caches; refusals take milliseconds


def is_sanitized(program):
    """The sanitizers reserve address space without end, and are slow."""
    with open(program, "rb") as file:
        contents = file.read()
    return b"__asan_init" in contents or b"__tsan_init" in contents


def limit():
    resource.setrlimit(resource.RLIMIT_AS, (MAX_ADDRESS_SPACE, MAX_ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_S, MAX_CPU_S))


class Command(ClassifyCase):
    bounds = {} if is_sanitized(CLASSIFY) else {"preexec_fn": limit}

    def run_bounded(self, data, command, *more):
        path = self.write("model.onnx", data)
        return subprocess.run([CLASSIFY, command, path, *more], capture_output=True, timeout=300, **self.bounds)

    def sentence(self, data, *command):
        """The one line that refuses the model."""
        done = self.run_bounded(data, *command)
        text = done.stderr.decode()
        self.assertEqual(done.returncode, FAILED, text)
        self.assertEqual(text.count("\n"), 1, text)
        self.assertLess(len(text), 2000)
        return text

    def test_sentences(self):
        for name, data, says in hostile_models.refused():
            with self.subTest(name):
                text = self.sentence(data, "inspect")
                for part in says:
                    self.assertIn(part, text)

    def test_run_refuses_the_same(self):
        for name, data, says in hostile_models.refused():
            if "10 GB" not in name and "opset" not in name:
                continue
            with self.subTest(name):
                text = self.sentence(data, "run", "--output-dir", self.path("out"))
                for part in says:
                    self.assertIn(part, text)

    def test_cut_at_every_byte(self):
        data = hostile_models.small()
        self.assertEqual(self.run_bounded(data, "inspect").returncode, OK)
        for n in range(len(data)):
            with self.subTest(bytes=n):
                self.sentence(data[:n], "inspect")

    def test_lengths_that_lie(self):
        """Beyond the file they are refused; within it another model may come out, but no crash."""
        for i, data in enumerate(hostile_models.lengthened()):
            with self.subTest(i):
                if i % 4 >= 2:
                    self.sentence(data, "inspect")
                else:
                    self.assertIn(self.run_bounded(data, "inspect").returncode, (OK, FAILED))


class Served(daemon.TestCase):
    def test_the_old_version_goes_on(self):
        self.write_model()
        d = self.start("--access-log", "off", "--log-level", "error")
        before, n, memory = d.post("/classify", daemon.png()).json(), 0, 0
        for name, data, says in hostile_models.refused():
            if len(data) > 1 << 20:  # half a minute of copying megabytes shows nothing more
                continue
            with self.subTest(name):
                n += 1
                tiny_onnx.write(self.models, "tiny", 1, data)
                reply = d.post("/models/tiny/reload", admin=True)
                row, = self.check_error(reply, 422, "model_rejected")["models"]
                for part in says:
                    self.assertIn(part, row["reason"])
                self.assertEqual(d.post("/classify", daemon.png()).json(), before)
            memory = memory or d.resident_bytes()
        self.assertGreater(n, 100)
        if not is_sanitized(daemon.PROGRAM):
            self.assertLess(d.resident_bytes(), memory + (64 << 20))
        self.assertEqual(d.metric('classifyd_model_reloads_total{model="tiny",result="rejected"}'), n)

    def test_beside_a_version_that_is_served(self):
        self.write_model()
        d = self.start()
        before = d.post("/classify", daemon.png()).json()
        for name, data, _ in hostile_models.refused():
            if name not in ("a cycle", "Expand of 10 GB", "an external path upwards"):
                continue
            tiny_onnx.write(self.models, "tiny", 2, data)
            self.check_error(d.post("/models/tiny/reload", admin=True), 422, "model_rejected")
            self.assertEqual(d.post("/classify", daemon.png()).json(), before)
        self.assertEqual(d.get("/readyz").status, 200)


if __name__ == "__main__":
    unittest.main()
