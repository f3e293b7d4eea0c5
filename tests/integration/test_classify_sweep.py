"""classify sweep: a grid of small runs, compared; failures, Ctrl-C, what is kept."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.environ["CLASSIFYD_SOURCE"], "tests", "support"))
import tiny_files  # noqa: E402
from classify_case import CLASSIFY, FAILED, USAGE, ClassifyCase  # noqa: E402

RECIPE = {
    "name": "rings", "toy": {"kind": "circle", "samples": 200, "noise": 0.1},
    "variables": {"hidden": 2, "rate": 0.02}, "epochs": 30, "batch": 20, "shards": 1,
    "optimiser": {"kind": "Adam", "learning_rate": "$rate"},
    "layers": [{"op": "Gemm", "outputs": "$hidden"}, {"op": "Relu"}, {"op": "Gemm", "outputs": 2}]}


class Sweep(ClassifyCase):
    def sweep(self, *args, **kwargs):
        return self.classify("sweep", self.write("rings.json", json.dumps(RECIPE)), *args, **kwargs)

    def sweep_json(self, *args, **kwargs):
        return json.loads(self.sweep(*args, "--json", **kwargs)[0])

    def test_a_table_with_a_row_for_each_combination(self):
        text = self.sweep("--vary", "hidden=1,12", "--vary", "rate=0.001,0.02")[0]
        lines = text.splitlines()
        self.assertEqual(lines[0].split(), ["#", "hidden", "rate", "training", "validation", "test", "gap",
                                            "seconds"])
        self.assertEqual([line.split()[:3] for line in lines[1:]],
                         [["1", "1", "0.001"], ["2", "1", "0.02"], ["3", "12", "0.001"], ["4", "12", "0.02"]])
        for line in lines[1:]:
            self.assertRegex(line, r" +\d+\.\d\d % +- +\d+\.\d\d % +-?\d+\.\d\d % +\d+\.\d$")

    def test_json_agrees_with_eval(self):
        answer = self.sweep_json("--vary", "hidden=1,12", "--out", self.path("grid"))
        self.assertEqual(answer["measure"], "accuracy")
        few, many = answer["cells"]
        self.assertEqual((few["values"], many["values"]), ({"hidden": 1}, {"hidden": 12}))
        self.assertGreater(many["test"], few["test"] + 0.02)
        for cell in answer["cells"]:
            folder = self.path(f"grid/{cell['number']}")
            for split, key in ("train", "training"), ("test", "test"):
                found = self.classify_json("eval", folder, "--split", split)
                self.assertAlmostEqual(found["accuracy"], cell[key], places=7)
            self.assertAlmostEqual(cell["gap"], cell["training"] - cell["test"], places=7)
            with open(folder + "/card.json") as file:
                self.assertEqual(json.load(file)["recipe"]["layers"][0]["outputs"], cell["values"]["hidden"])

    def test_decision_regions_of_one_and_of_all(self):
        self.sweep("--vary", "hidden=1,4,12", "--vary", "epochs=1,2", "--out", self.path("grid"))
        one, grid = (tiny_files.png_size(self.path(name)) for name in ("grid/1/regions.png", "grid/regions.png"))
        self.assertEqual(one[0], one[1])
        self.assertGreater(grid[1] / grid[0], 1.5)  # three rows of two
        with open(self.path("grid/1/README.md")) as file:
            self.assertIn("(regions.png)", file.read())

    def test_shared_settings_and_the_recipe_as_train_runs_it(self):
        cells = self.sweep_json("--vary", "hidden=5", "--set", "rate=0.01", "--epochs", "3", "--seed", "4",
                                "--out", self.path("grid"))["cells"]
        self.assertEqual(cells[0]["epochs"], 3)
        self.classify("train", self.path("rings.json"), "--set", "hidden=5", "rate=0.01", "--epochs", "3",
                      "--seed", "4", "--quiet", "--out", self.path("alone"))
        with open(self.path("alone/model.onnx"), "rb") as alone, open(self.path("grid/1/model.onnx"), "rb") as cell:
            self.assertEqual(alone.read(), cell.read())

    def test_one_failure_does_not_stop_the_others(self):
        out, err = self.sweep("--vary", "hidden=3,many,4", "--epochs", "1", exit_code=FAILED)
        lines = out.splitlines()
        self.assertRegex(lines[2], r"^ +2 +many  failed: .*hidden=many is a text; wanted a number")
        self.assertRegex(lines[3], r"^ +3 +4 .*%")
        self.assertIn("not every run could be done", err)
        cells = self.sweep_json("--vary", "hidden=many,4", "--epochs", "1", exit_code=FAILED)["cells"]
        self.assertIn("wanted a number", cells[0]["error"])
        self.assertNotIn("error", cells[1])

    def test_without_out_nothing_stays(self):
        with tempfile.TemporaryDirectory() as folder:
            environment = {**os.environ, "TMPDIR": folder}
            recipe = self.write("rings.json", json.dumps(RECIPE))
            subprocess.run([CLASSIFY, "sweep", recipe, "--vary", "hidden=2,3", "--epochs", "1"], check=True,
                           env=environment, stdout=subprocess.DEVNULL)
            self.assertEqual(os.listdir(folder), [])

    def test_interrupt_keeps_what_is_done(self):
        recipe = self.write("rings.json", json.dumps(RECIPE))
        child = subprocess.Popen([CLASSIFY, "sweep", recipe, "--vary", "epochs=1,100000"], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True)
        head, first = child.stdout.readline(), child.stdout.readline()
        child.send_signal(signal.SIGINT)
        rest, err = child.communicate(timeout=60)
        self.assertEqual(child.returncode, FAILED)
        self.assertIn("epochs", head)
        self.assertIn("%", first)
        self.assertIn("stopped", rest + err)
        self.assertIn("stopped before all runs were done", err)

    def test_usage(self):
        self.sweep(exit_code=USAGE)
        self.sweep("--vary", "hidden", exit_code=USAGE)
        self.sweep("--vary", "hidden=1", "hidden=2", exit_code=USAGE)

    def test_what_no_run_could_read_is_refused_before_training(self):
        for vary, says in ((["hiden=2,3,4"], "the recipe has no hiden; did you mean hidden?"),
                           (["hidden=2,3", "optimiser.learning_rat=0.1,0.2"], "did you mean learning_rate?"),
                           (["epoch=1,2"], "did you mean epochs?"),
                           (["hidden=many,more"], "hidden=many is a text; wanted a number")):
            args = [text for setting in vary for text in ("--vary", setting)]
            out, err = self.sweep(*args, "--out", self.path("grid"), exit_code=FAILED)
            self.assertEqual(out, "")
            self.assertIn(says, err)
            self.assertEqual(len(err.splitlines()), 1)
            self.assertFalse(os.path.exists(self.path("grid")))
        self.refused("sweep", self.path("none.json"), "--vary", "a=1", says="none.json: cannot open")


if __name__ == "__main__":
    unittest.main()
