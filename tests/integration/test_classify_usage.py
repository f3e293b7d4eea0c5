"""classify's own words: help, version, names that are nearly right, exit codes."""
import os
import re
import unittest

from classify_case import USAGE, ClassifyCase


def commands():
    with open(os.path.join(os.environ["CLASSIFYD_SOURCE"], "engine/tools/commands.def")) as file:
        return re.findall(r'^COMMAND\((\w+), "(.*)"\)', file.read(), re.MULTILINE)


class Usage(ClassifyCase):
    def test_every_command_is_listed_and_explains_itself(self):
        self.assertGreaterEqual(len(commands()), 5)
        listing, _ = self.classify("--help")
        self.assertEqual(listing, self.classify("help")[0])
        for name, one_line in commands():
            self.assertRegex(listing, rf"(?m)^  {name} +{re.escape(one_line)}$")
            text, _ = self.classify(name, "--help")
            self.assertIn(f"usage: classify {name} ", text)
            self.assertRegex(text, r"(?m)^  --help +\S")
            self.assertEqual(text, self.classify("help", name)[0])

    def test_the_issue_s_options_exist(self):
        for name, options in {"predict": "top json", "eval": "data json", "inspect": "json",
                              "run": "input output-dir", "bench": "threads batch seconds profile json"}.items():
            text, _ = self.classify(name, "--help")
            for option in options.split():
                self.assertIn(f"--{option}", text)

    def test_version(self):
        self.assertRegex(self.classify("--version")[0], r"^classify \d+\.\d+\.\d+\n$")

    def test_levels(self):
        model = os.path.join(os.environ["CLASSIFYD_SOURCE"], "models/mnist-mlp/1")
        bench = ["bench", model, "--seconds", "0.01"]
        self.assertRegex(self.classify("--cpu-level", "portable", *bench)[0], r"(?m)^cpu level +portable$")
        self.assertRegex(self.classify("--cpu-level", "auto", *bench)[0], r"(?m)^cpu level +\w+$")
        self.refused("--cpu-level", "mmx", *bench, says=['"mmx"', "wanted one of auto, ", "portable"], exit_code=USAGE)
        self.refused("--cpu-level", says="wants a level", exit_code=USAGE)

    def test_names_that_are_nearly_right(self):
        self.refused("pedict", says="did you mean 'predict'?", exit_code=USAGE)
        self.refused("help", "inspct", says="did you mean 'inspect'?", exit_code=USAGE)
        self.refused("predict", "--tops", "3", "m", "i", says="did you mean --top?", exit_code=USAGE)
        _, err = self.classify("quantise", exit_code=USAGE)
        self.assertNotIn("did you mean", err)

    def test_usage_errors(self):
        self.refused(says="usage:", exit_code=USAGE)
        for name, _ in commands():
            self.refused(name, "--nonsense", says=["unknown option --nonsense", f"{name} --help"],
                         exit_code=USAGE)
        self.refused("predict", "model", says="wants MODEL IMAGE", exit_code=USAGE)
        self.refused("predict", "m", "i", "--top", "0", says="1 to 1000000", exit_code=USAGE)
        self.refused("predict", "m", "i", "--top", "2x", says="'2x'", exit_code=USAGE)
        self.refused("run", "model", says="--output-dir DIR is missing", exit_code=USAGE)

    def test_a_model_that_is_not_there(self):
        missing = self.path("none.onnx")
        for args in (["predict", missing, "x.png"], ["eval", missing, "--data", self.folder],
                     ["inspect", missing], ["bench", missing],
                     ["run", missing, "--output-dir", self.folder]):
            self.refused(*args, says=missing)

    def test_full_disk_is_noticed(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        code = os.system(f"'{os.environ['CLASSIFYD_BIN']}/classify' --help >/dev/full 2>&1")
        self.assertEqual(os.waitstatus_to_exitcode(code), 1)


if __name__ == "__main__":
    unittest.main()
