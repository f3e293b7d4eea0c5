"""classify train --resume: killed at any moment, a run ends with the bytes of one that was left alone."""
import fcntl
import glob
import json
import os
import random
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.environ["CLASSIFYD_SOURCE"], "tests", "support"))
import tiny_files  # noqa: E402
from classify_case import CLASSIFY, FAILED, ClassifyCase  # noqa: E402

SIDE, N_TRAIN, N_TEST, EPOCHS = 6, 1000, 100, 24

# Everything that a checkpoint must hold: moments, running statistics, average, best epoch; and every
# kind of random number.
RECIPE = {
    "name": "quarters", "epochs": EPOCHS, "batch": 20, "validation": 0.2, "evaluate_every_epochs": 3,
    "augment": {"shift_px": 0.4, "flip_horizontal": True},
    "optimiser": {"kind": "Adam", "learning_rate": 0.001},
    "schedule": {"kind": "cosine", "warmup_epochs": 1},
    "average": {"decay": 0.99, "every_steps": 2},
    "early_stopping": {"patience_epochs": EPOCHS, "min_delta": 0.0001},
    "layers": [{"op": "Conv", "outputs": 8, "kernel_shape": [3, 3], "pads": [1, 1, 1, 1]},
               {"op": "BatchNormalization"}, {"op": "Relu"}, {"op": "Flatten"},
               {"op": "Dropout", "ratio": 0.3}, {"op": "Gemm", "outputs": 4}]}

# For runs that a test ends.
ENDLESS = {"epochs": 100000, "early_stopping": {"patience_epochs": 100000, "min_delta": 0}}


def picture(rng, label):
    """Noise, and a little more in the quarter that is the label."""
    return [rng.randrange(100) + (40 if y // 3 * 2 + x // 3 == label else 0)
            for y in range(SIDE) for x in range(SIDE)]


class Resume(ClassifyCase):
    def setUp(self):
        super().setUp()
        self.write_data("data", 5)

    def write_data(self, name, seed):
        rng = random.Random(seed)
        os.mkdir(self.path(name))
        for split, n in ("train", N_TRAIN), ("t10k", N_TEST):
            labels = [rng.randrange(4) for _ in range(n)]
            tiny_files.write_idx(self.path(name), SIDE, SIDE, [picture(rng, label) for label in labels],
                                 labels, split)

    def command(self, out, *args, data="data", recipe=None, **changes):
        recipe = recipe or self.write(f"{out}.json", json.dumps({**RECIPE, **changes}))
        return ["train", recipe, "--data", self.path(data), "--out", self.path(out), *args]

    def train(self, out, *args, **changes):
        return self.classify(*self.command(out, *args, **changes))[0]

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def end_early(self, out, number, *args, after_s=0, **changes):
        """Starts a run, ends it by a signal some time after it has a (new) checkpoint. Returns stderr."""
        checkpoint = self.path(f"{out}/checkpoint")
        before = os.stat(checkpoint).st_mtime_ns if os.path.exists(checkpoint) else 0
        child = subprocess.Popen([CLASSIFY, *self.command(out, *args, **changes), "--quiet"],
                                 stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 120
        while not os.path.exists(checkpoint) or os.stat(checkpoint).st_mtime_ns == before:
            self.assertIsNone(child.poll(), "the run ended before its checkpoint was seen")
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.001)
        time.sleep(after_s)
        child.send_signal(number)
        err = child.communicate(timeout=60)[1]
        self.assertTrue(os.path.exists(checkpoint))
        return child.returncode, err

    def test_killed_again_and_again(self):
        self.train("whole", "--quiet", "--threads", "2")
        rng = random.Random(11)
        for args in ["--threads", "1"], ["--resume"], ["--resume", "--threads", "3"]:
            code, _ = self.end_early("parts", signal.SIGKILL, *args, after_s=rng.random() / 100)
            self.assertEqual(code, -signal.SIGKILL)
            self.assertFalse(os.path.exists(self.path("parts/model.onnx")))
        text = self.train("parts", "--resume", "--threads", "2")
        self.assertRegex(text, r"^goes on after epoch [3-9]")
        self.assertNotRegex(text, "epoch +[1-3]/")
        self.assertEqual(self.read("parts/model.onnx"), self.read("whole/model.onnx"))
        self.assertFalse(os.path.exists(self.path("parts/checkpoint")))

    def test_interrupted(self):
        for number in signal.SIGINT, signal.SIGTERM:
            code, err = self.end_early("parts", number, **ENDLESS)
            self.assertEqual(code, FAILED)
            self.assertRegex(err, r"stopped in epoch \d+, step \d+; .*/parts/checkpoint holds the state "
                                  r"after epoch \d+: --resume goes on from there")
            self.assertEqual(os.listdir(self.path("parts")), ["checkpoint"])
            os.remove(self.path("parts/checkpoint"))

    def test_one_run_in_a_folder(self):
        child = subprocess.Popen([CLASSIFY, *self.command("parts", **ENDLESS), "--quiet"],
                                 stderr=subprocess.PIPE, text=True)
        self.addCleanup(child.stderr.close)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        deadline = time.monotonic() + 120
        while not os.path.exists(self.path("parts/checkpoint")):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        for args in [], ["--resume"], ["--restart"]:
            self.refused(*self.command("parts", *args, epochs=1), says="parts: another run is writing to this folder")
        self.assertIsNone(child.poll())
        self.assertFalse(os.path.exists(self.path("parts/model.onnx")))
        self.train("other", "--quiet", epochs=1)  # beside it
        child.kill()
        child.wait()
        self.train("parts", "--quiet", "--restart", epochs=1)  # the dead hold no lock

    def test_what_dead_runs_left_is_removed(self):
        self.write("parts/.classifyd-dead12", "half")
        stay = ["parts/.classifyd-alive1", "parts/.classifyd-notours", "parts/classifyd-abcdef"]
        for name in stay:
            self.write(name, "")
        os.mkdir(self.path("parts/.classifyd-folder"))
        with open(self.path(stay[0]), "rb") as alive:
            fcntl.flock(alive, fcntl.LOCK_EX)
            self.train("parts", "--quiet", epochs=1)
        self.assertFalse(os.path.exists(self.path("parts/.classifyd-dead12")))
        for name in [*stay, "parts/.classifyd-folder"]:
            self.assertTrue(os.path.exists(self.path(name)), name)

    def test_a_temporary_file_is_locked_by_its_writer(self):
        large = [{"op": "Flatten"}, {"op": "Gemm", "outputs": 20000}, {"op": "Relu"}, {"op": "Gemm", "outputs": 4}]
        child = subprocess.Popen([CLASSIFY, *self.command("parts", layers=large, **ENDLESS), "--quiet"])
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        deadline = time.monotonic() + 120
        n_seen = 0
        while n_seen == 0:
            self.assertLess(time.monotonic(), deadline)
            # Where nothing is synchronised with a disk the file is there for milliseconds: stop and look.
            child.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, child.pid, os.WSTOPPED)
            for path in glob.glob(self.path("parts/.classifyd-??????")):
                with open(path, "rb") as file:
                    try:
                        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    except BlockingIOError:
                        n_seen += 1
            child.send_signal(signal.SIGCONT)
            time.sleep(random.uniform(0, 0.002))

    def test_without_a_checkpoint_resume_begins(self):
        self.train("a", "--quiet", "--resume", epochs=2)
        self.train("b", "--quiet", epochs=2)
        self.assertEqual(self.read("a/model.onnx"), self.read("b/model.onnx"))

    def refuse(self, *args, says, **changes):
        before = self.read("parts/checkpoint")
        self.refused(*self.command("parts", *args, **changes), says=says)
        self.assertEqual(self.read("parts/checkpoint"), before)

    def test_what_is_refused(self):
        self.write_data("other", 6)
        self.end_early("parts", signal.SIGKILL)
        self.refuse(says=["parts/checkpoint holds a run that did not end", "--resume", "--restart"])
        self.refuse("--resume", "--restart", says="not both")
        self.refuse("--resume", data="other", says=["began with other bytes of training data", "other has "])
        self.refuse("--resume", "--seed", "4", says="its seed is not given; ")
        self.refuse("--resume", "--set", "layers.4.ratio=0.4",
                    says=["its layers.4.ratio is 0.3; ", "parts.json has 0.4"])
        self.refuse("--resume", augment={}, says="its augment.shift_px is 0.4; ")
        # Of what nobody can know which part is true.
        whole = self.read("parts/checkpoint")
        for damaged, says in [(whole[:-1], "a damaged checkpoint"), (b"", "not a checkpoint"),
                              (whole[:100] + b"?" + whole[101:], "a damaged checkpoint"),
                              (whole[:21] + b"\x07" + whole[22:], "a checkpoint of version 7; wanted 1")]:
            self.write("parts/checkpoint", damaged)
            self.refuse("--resume", says=["parts/checkpoint", says])

    def test_a_fine_tuning_is_bound_to_its_model(self):
        def begin(seed):
            self.train("base", "--quiet", "--restart", "--seed", seed, epochs=1)

        begin("1")
        tuned = {**RECIPE, "from": self.path("base/model.onnx")}
        del tuned["layers"]
        recipe = self.write("tuned.json", json.dumps(tuned))
        args = ["train", recipe, "--data", self.path("data"), "--quiet", "--out"]
        self.classify(*args, self.path("whole"))
        self.end_early("parts", signal.SIGKILL, recipe=recipe)
        begin("2")
        self.refused(*args, self.path("parts"), "--resume",
                     says=["began with other bytes of a model to go on from", "base/model.onnx has"])
        begin("1")
        self.classify(*args, self.path("parts"), "--resume")
        self.assertEqual(self.read("parts/model.onnx"), self.read("whole/model.onnx"))

    def test_a_change_that_is_allowed_is_told(self):
        self.end_early("parts", signal.SIGKILL)
        self.train("parts", "--resume", "--quiet", "--set", "optimiser.learning_rate=0.0001",
                   "--set", f"epochs={EPOCHS + 1}")
        history = self.classify_json("inspect", self.path("parts"))["history"]
        self.assertEqual(len(history["epochs"]), EPOCHS + 1)
        first, second = sorted(history["changes"])
        self.assertRegex(first, r"^from epoch \d+ on epochs is 25; it was 24$")
        self.assertRegex(second, r"^from epoch \d+ on optimiser.learning_rate is 0.0001; it was 0.001$")

    def test_divergence_leaves_the_last_good_state(self):
        wild = {"epochs": 100000, "optimiser": {"kind": "SGD", "learning_rate": 0.01},
                "layers": [{"op": "Flatten"}, {"op": "Gemm", "outputs": 8}, {"op": "Gemm", "outputs": 4}]}
        self.end_early("parts", signal.SIGKILL, **wild)
        _, err = self.classify(*self.command("parts", "--resume", "--set", "optimiser.learning_rate=1000",
                                             **wild), exit_code=FAILED)
        self.assertRegex(err, r"epoch \d+, step \d+: the (loss|length of the gradient) is (infinite|not a number|"
                              r"[\d.e+]+, more than 10000 times as high as at the start), at learning rate "
                              r"1000. .*/parts/checkpoint holds the state after epoch \d+: "
                              r"--resume --set optimiser.learning_rate=100 goes on from there")
        done = int(err.split("the state after epoch ")[1].split(":")[0])
        text = self.train("parts", "--resume", "--epochs", str(done + 1), **wild)
        self.assertIn(f"goes on after epoch {done}\n", text)
        self.assertTrue(os.path.exists(self.path("parts/model.onnx")))

    def test_restart_begins_anew(self):
        self.end_early("parts", signal.SIGKILL, **ENDLESS)
        text = self.train("parts", "--restart", epochs=2)
        self.assertIn("epoch   1/2 ", text)
        self.assertFalse(os.path.exists(self.path("parts/checkpoint")))


if __name__ == "__main__":
    unittest.main()
