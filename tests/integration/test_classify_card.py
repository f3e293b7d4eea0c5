"""classify card: a table of models, and a card that is about another file."""
import json
import os
import shutil
import sys
import unittest

sys.path.insert(0, os.path.join(os.environ["CLASSIFYD_SOURCE"], "tests", "support"))
from classify_case import USAGE, ClassifyCase  # noqa: E402

RECIPE = {
    "name": "ri|ngs", "description": "Two rings", "toy": {"kind": "circle", "samples": 40},
    "epochs": 2, "batch": 20, "shards": 1, "layers": [{"op": "Gemm", "outputs": 2}]}


class Card(ClassifyCase):
    def setUp(self):
        super().setUp()
        recipe = self.write("rings.json", json.dumps(RECIPE))
        for folder, seed in ("rings/1", "1"), ("rings/2", "2"):
            self.classify("train", recipe, "--quiet", "--seed", seed, "--out", self.path(folder))

    def card(self, folder):
        with open(self.path(folder + "/card.json")) as file:
            return json.load(file)

    def test_a_row_for_each_model(self):
        lines = self.classify("card", self.path("rings/1"), self.path("rings/2"))[0].splitlines()
        self.assertEqual(lines[0], "| model | what | multiply-adds | file | test accuracy |")
        self.assertEqual(len(lines), 4)
        size, card = os.path.getsize(self.path("rings/2/model.onnx")), self.card("rings/2")
        shown = f"{size / 1000:.2f} kB" if size < 9995 else f"{size / 1000:.1f} kB"
        self.assertRegex(lines[3], r"^\| ri\\\|ngs \| Two rings \| \d+ \| " + shown.replace(".", r"\.") + r" \| "
                         + f"{100 * card['test_accuracy']:.2f} %" + r" \|$")

    def test_json_gives_the_cards(self):
        answer = json.loads(self.classify("card", self.path("rings/1"), "--json")[0])
        self.assertEqual(answer[0]["file"], self.card("rings/1")["file"])

    def test_a_card_must_be_about_the_model_beside_it(self):
        shutil.copy(self.path("rings/1/card.json"), self.path("rings/2/card.json"))
        digest = self.card("rings/1")["file"]["sha256"]
        self.refused("card", self.path("rings/1"), self.path("rings/2"),
                     says=["rings/2/card.json is about a model.onnx with SHA-256 " + digest[:16]])

    def test_refusals(self):
        os.remove(self.path("rings/1/card.json"))
        self.refused("card", self.path("rings/1"), says="card.json")
        self.write("rings/1/card.json", "{\"file\": 3}")
        self.refused("card", self.path("rings/1"), says="SHA-256 (none)")
        self.write("rings/1/card.json", "{")
        self.refused("card", self.path("rings/1"), says=["card.json", "line 1"])
        self.classify("card", exit_code=USAGE)


if __name__ == "__main__":
    unittest.main()
