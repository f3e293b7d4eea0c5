"""The recipes of points in a plane show what docs/theory.md says they show."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.environ["CLASSIFYD_SOURCE"], "tests", "support"))
from classify_case import ClassifyCase  # noqa: E402

RECIPES = os.path.join(os.environ["CLASSIFYD_SOURCE"], "models", "recipes")


class Lessons(ClassifyCase):
    def sweep(self, recipe, *vary):
        args = [arg for axis in vary for arg in ("--vary", axis)]
        return json.loads(self.classify("sweep", os.path.join(RECIPES, recipe), *args, "--threads", "1",
                                        "--json")[0])["cells"]

    def test_many_units_learn_the_moons_by_heart_and_a_penalty_forbids_it(self):
        few, penalised, free = self.sweep("moons.json", "hidden=2", "l2=0") + self.sweep(
            "moons.json", "l2=0.003,0", "dropout=0")
        self.assertGreater(free["training"], 0.98)
        self.assertGreater(free["gap"], 0.1)
        self.assertLess(few["gap"], 0)
        self.assertLess(penalised["gap"], free["gap"] - 0.03)
        self.assertGreaterEqual(penalised["test"], free["test"])

    def test_a_spiral_wants_more_than_three_units(self):
        three, twenty = self.sweep("spiral.json", "hidden=3,20", "l2=0")
        self.assertLess(three["training"], 0.85)
        self.assertGreater(twenty["test"], 0.95)


if __name__ == "__main__":
    unittest.main()
