"""A nearest-neighbour model from recipe to reply: train, predict, eval, inspect, neighbours, serve, reload."""
import json
import math
import os
import random
import unittest

import daemon
import tiny_files
from classify_case import ClassifyCase

SIDE = 6
LABELS = ["dark", "medium", "bright"]


def sample(rng, label):
    return [rng.randrange(60) + 90 * label for _ in range(SIDE * SIDE)]


def distance(kind, a, b):
    if kind == "L1":
        return sum(abs(x - y) for x, y in zip(a, b))
    return math.sqrt(sum((x - y) ** 2 for x, y in zip(a, b)))


class Knn(ClassifyCase, daemon.TestCase):
    def setUp(self):
        ClassifyCase.setUp(self)
        daemon.TestCase.setUp(self)
        rng = random.Random(5)
        self.labels = [i % 3 for i in range(30)]
        self.train = [sample(rng, label) for label in self.labels]
        self.test = [sample(rng, i % 3) for i in range(9)]
        tiny_files.write_idx(self.folder, SIDE, SIDE, self.train, self.labels, split="train")
        tiny_files.write_idx(self.folder, SIDE, SIDE, self.test, [i % 3 for i in range(9)])
        self.pictures = [self.write(f"{i}.png", tiny_files.png(SIDE, SIDE, p)) for i, p in enumerate(self.test)]

    def make(self, version=1, **knn):
        recipe = self.write("recipe.json", json.dumps(
            {"name": "near", "method": "knn", "labels": LABELS, "golden": 3, "knn": knn}))
        out = os.path.join(self.models, "near", str(version))
        self.classify("train", recipe, "--data", self.folder, "--out", out)
        return out

    def nearest(self, kind, picture):
        far = [(distance(kind, picture, reference), i) for i, reference in enumerate(self.train)]
        return sorted(far)

    def test_neighbours_are_those_of_a_plain_search(self):
        for kind in ("L1", "L2"):
            model = self.make(k=3, distance=kind)
            for path, picture in zip(self.pictures, self.test):
                answer = self.classify_json("neighbours", model, path, "--count", "7")
                self.assertEqual(answer["distance"], kind)
                for found, (far, index) in zip(answer["neighbours"], self.nearest(kind, picture), strict=False):
                    self.assertEqual(found["index"], index)
                    self.assertEqual(found["label"], LABELS[self.labels[index]])
                    self.assertAlmostEqual(found["distance"], far, places=4)
                self.assertEqual(len(answer["neighbours"]), 7)

    def test_more_neighbours_than_there_are(self):
        text, _ = self.classify("neighbours", self.make(), self.pictures[0], "--count", "99")
        self.assertEqual(len(text.splitlines()), 1 + len(self.train))

    def test_the_grid_is_a_picture(self):
        grid = self.path("grid.png")
        self.classify("neighbours", self.make(), self.pictures[0], "--count", "8", "--out", grid)
        answer = self.classify_json("predict", os.path.join(self.models, "near", "1"), grid)
        self.assertIn("predictions", answer["pictures"][0])

    def test_probabilities_are_votes(self):
        model = self.make(k=5, distance="L2")
        answer = self.classify_json("predict", model, *self.pictures)
        for picture, part in zip(self.test, answer["pictures"]):
            votes = [self.labels[i] for _, i in self.nearest("L2", picture)[:5]]
            for found in part["predictions"]:
                self.assertAlmostEqual(found["probability"], votes.count(found["index"]) / 5, places=6)

    def test_eval_and_inspect(self):
        model = self.make(k=3)
        self.assertEqual(self.classify_json("eval", model, "--data", self.folder)["accuracy"], 1.0)
        text, _ = self.classify("inspect", model)
        self.assertIn("KNearest", text)
        self.assertIn("output         default  'probabilities'", text)
        self.assertNotIn("guessed", text)

    def test_it_is_served_and_reloaded(self):
        self.make(k=1)
        d = self.start()
        for i, path in enumerate(self.pictures):
            with open(path, "rb") as file:
                reply = d.post("/classify/near", file.read())
            self.assertEqual(reply.status, 200, reply.body)
            best = reply.json()["predictions"][0]
            self.assertEqual((best["label"], best["probability"]), (LABELS[i % 3], 1))
        self.make(version=2, k=3, samples=12)
        self.assertEqual(d.post("/models/near/reload", admin=True).status, 200)
        with open(self.pictures[2], "rb") as file:
            reply = d.post("/classify/near", file.read()).json()
        self.assertEqual((reply["version"], reply["predictions"][0]["label"]), ("2", "bright"))

    def test_a_network_has_no_neighbours(self):
        other = self.write_quadrant_model()
        self.refused("neighbours", other, self.pictures[0], says=[other, "no neighbours", "KNearest"])


if __name__ == "__main__":
    unittest.main()
