"""classify train on a folder of class folders: the folders' names are the model's labels."""
import json
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.join(os.environ["CLASSIFYD_SOURCE"], "tests", "support"))
import tiny_files  # noqa: E402
from classify_case import ClassifyCase  # noqa: E402

CLASSES = {"blue": 2, "green": 1, "red": 0}  # and the channel that is the brightest


class Folder(ClassifyCase):
    def setUp(self):
        super().setUp()
        self.rng = random.Random(6)

    def picture(self, name, width=8, height=6):
        pixels = [self.rng.randrange(100) + (150 if k % 3 == CLASSES[name] else 0)
                  for k in range(width * height * 3)]
        return tiny_files.png(width, height, pixels, 3)

    def write_pictures(self, below, n, **size):
        for name in CLASSES:
            for i in range(n):
                self.write(os.path.join(below, name, f"{i}.png"), self.picture(name, **size))

    def recipe(self, **changes):
        recipe = {"name": "colours", "dataset": "colours", "epochs": 4, "batch": 10,
                  "optimiser": {"kind": "Adam", "learning_rate": 0.01},
                  "layers": [{"op": "Conv", "outputs": 6, "kernel_shape": [3, 3]}, {"op": "Relu"},
                             {"op": "GlobalAveragePool"}, {"op": "Flatten"}, {"op": "Gemm", "outputs": 3}],
                  **changes}
        return self.write("recipe.json", json.dumps(recipe))

    def train(self, **changes):
        self.classify("train", self.recipe(**changes), "--data", self.folder, "--out", self.path("out/1"),
                      "--quiet")
        return self.path("out/1")

    def refuse(self, says, **changes):
        self.refused("train", self.recipe(**changes), "--data", self.folder, "--out", self.path("none"), says=says)

    def check(self, model, n):
        answer = self.classify_json("eval", model, "--data", self.folder)
        self.assertEqual(answer["samples"], n)
        self.assertGreater(answer["accuracy"], 0.95)
        self.assertEqual([c["label"] for c in answer["classes"]], sorted(CLASSES))
        path = self.write("new.png", self.picture("green"))
        best = self.classify_json("predict", model, path)["pictures"][0]["predictions"][0]
        self.assertEqual(best["label"], "green")

    def test_train_and_test_folders(self):
        self.write_pictures("colours/train", 20)
        self.write_pictures("colours/test", 5)
        self.check(self.train(), 15)

    def test_a_share_of_one_folder_at_another_size(self):
        self.write_pictures("colours", 20, width=11, height=9)
        self.write("colours/red/0.png", self.picture("red", width=30, height=20))
        model = self.train(test_share=0.25, input={"size": [6, 8], "channels": 3, "standardise": "pixel"})
        self.check(model, 15)
        shown = self.classify_json("inspect", model)
        self.assertEqual(shown["inputs"][0]["shape"][1:], [3, 6, 8])

    def write_renamed(self, below, names):
        """Pictures in folders of other names: names[n] is shown by those of colour n."""
        for split in "train", "test":
            for colour, name in names.items():
                for i in range(3):
                    self.write(f"{below}/{split}/{name}/{i}.png", self.picture(colour))

    def correct(self, model, data):
        answer = self.classify_json("eval", model, "--data", self.path(data))
        self.assertEqual(answer["samples"], 6)
        return answer["correct"]

    def test_eval_goes_by_the_names_of_classes(self):
        self.write_pictures("colours/train", 20)
        self.write_pictures("colours/test", 5)
        model = self.train(epochs=8)
        self.write_renamed("two", {"green": "green", "red": "red"})  # numbers 0 and 1, the model's 1 and 2
        self.assertEqual(self.correct(model, "two"), 6)
        self.write_renamed("wrong", {"green": "green", "red": "violet"})
        self.refused("eval", model, "--data", self.path("wrong"), says="class violet is not one of the model's 3")
        self.write_renamed("numbers", {"blue": "azure", "green": "lime"})  # none of the model's names
        self.assertEqual(self.correct(model, "numbers"), 6)
        # Labels that the recipe gives stand for the classes of their numbers; two may be alike.
        model = self.train(epochs=8, labels=["azure", "green", "green"])
        self.write_renamed("given", {"blue": "blue", "green": "green"})
        self.assertEqual(self.correct(model, "given"), 6)
        self.write_renamed("moved", {"green": "a", "blue": "azure"})
        self.refused("eval", model, "--data", self.path("moved"), says="class a is not one of the model's 3")

    def test_what_is_wrong_is_named(self):
        self.write_pictures("colours/train", 4)
        self.write_pictures("colours/test", 1)
        path = self.write("colours/train/green/2.png", b"GIF89a")
        self.refuse([path, "neither PNG nor JPEG"])
        self.write("colours/train/green/2.png", self.picture("green", width=9))
        self.refuse([path, "9 x 6 pixels; wanted 8 x 6 as the first picture has"])
        os.remove(path)
        self.refuse("wanted 0 to 1, ", labels=["one", "two"])
        os.remove(self.path("colours/test/red/0.png"))
        self.refuse([self.path("colours/test/red"), "no pictures"])
        os.rmdir(self.path("colours/test/red"))
        self.refuse([self.path("colours/test/red"), "no such folder"])
        for changes, says in (({"input": {"size": [0, 8]}}, "input.size is [0,8]; wanted [height, width]"),
                              ({"input": {"channels": 2}}, "input.channels is 2; wanted 1 (grey) or 3"),
                              ({"input": {"standardise": "row"}}, 'wanted true, false, "channel" or "pixel"'),
                              ({"test_share": 1}, "test_share"), ({"cifar100_labels": "some"}, "fine")):
            self.refuse(says, **changes)


if __name__ == "__main__":
    unittest.main()
