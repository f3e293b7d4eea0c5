"""classify eval on listed pictures: a folder with a classes.tsv, pictures of any size, top-5."""
import json
import os
import random
import unittest

import tiny_files
import tiny_onnx
from classify_case import ClassifyCase


def quadrant_picture(width, height, bright):
    """Dark but for one quarter."""
    pixels = [220 if (y >= height // 2) * 2 + (x >= width // 2) == bright else 30
              for y in range(height) for x in range(width)]
    return tiny_files.png(width, height, pixels)


class ListedPictures(ClassifyCase):
    def setUp(self):
        super().setUp()
        self.model = self.write_quadrant_model()

    def write_pictures(self, rows):
        """rows: (file, width, height, bright quarter)."""
        for name, width, height, bright in rows:
            self.write(f"data/{name}", quadrant_picture(width, height, bright))

    def listed(self, text):
        self.write("data/classes.tsv", text)
        return self.path("data")

    def test_pictures_of_any_size(self):
        self.write_pictures([("a.png", 2, 2, 0), ("deep/b.png", 8, 6, 1), ("c d.png", 40, 20, 2), ("e", 4, 4, 3),
                             ("unlisted.png", 4, 4, 3)])
        data = self.listed("shown\tfile\tclass_index\r\nfox\ta.png\t0\r\n\r\nhen, or so\tdeep/b.png\t1\n"
                           "\tc d.png\t3\nlast\te\t3")
        out = self.path("predictions.txt")
        answer = self.classify_json("eval", self.model, "--data", data, "--predictions", out)
        self.assertEqual((answer["samples"], answer["correct"]), (4, 3))
        self.assertEqual([row["samples"] for row in answer["classes"]], [1, 1, 0, 2])
        self.assertNotIn("correct_top_5", answer)
        with open(out) as file:
            self.assertEqual(file.read().split(), ["0", "1", "2", "3"])

    def test_prepared_as_the_model_says(self):
        """The bright quarter of the middle, not of the whole."""
        pixels = [240 if y < 2 and 12 <= x < 14 else 20 for y in range(4) for x in range(24)]
        self.write("data/wide.png", tiny_files.png(24, 4, pixels))
        data = self.listed("file\tclass_index\nwide.png\t1\n")
        crop = {"color": "gray", "resize": "center_crop", "width": 2, "height": 2, "shorter_side": 2}
        config = self.write("config.json", json.dumps({"preprocess": crop}))
        answer = self.classify_json("eval", self.model, "--data", data, "--config", config)
        self.assertEqual(answer["correct"], 1)

    def test_top_5(self):
        model = self.write("dozen.onnx", tiny_onnx.model(n_classes=12, size=8, seed=3))
        generator, rows, first, among = random.Random(5), ["file\tclass_index"], 0, 0
        for i in range(40):
            pixels = [generator.randrange(256) for _ in range(64)]
            path = self.write(f"data/{i}.png", tiny_files.png(8, 8, pixels))
            top = self.classify_json("predict", model, path, "--top", "5")["pictures"][0]["predictions"]
            label = generator.randrange(12)
            first += top[0]["index"] == label
            among += label in [prediction["index"] for prediction in top]
            rows.append(f"{i}.png\t{label}")
        data = self.listed("\n".join(rows))
        answer = self.classify_json("eval", model, "--data", data)
        self.assertEqual((answer["correct"], answer["correct_top_5"]), (first, among))
        self.assertAlmostEqual(answer["accuracy_top_5"], among / 40)
        text, _ = self.classify("eval", model, "--data", data)
        self.assertRegex(text, rf"(?m)^top-5 +{among / 40 * 100:.2f} %$")

    def test_refusals(self):
        self.write_pictures([("a.png", 2, 2, 0)])
        for text, says in [
            ("", "no column 'file'"), ("name\tclass_index\n", "no column 'file'"),
            ("file\tclass\na.png\t0\n", "no column 'class_index'"), ("file\tclass_index\n", "lists no pictures"),
            ("file\tclass_index\na.png\n", "line 2 has 1 columns, wanted at least 2"),
            ("file\tclass_index\na.png\t-1\n", "line 2: class_index is '-1'"),
            ("file\tclass_index\na.png\t70000\n", "line 2: class_index is '70000', wanted 0 to 65535"),
            ("file\tclass_index\na.png\t1x\n", "line 2: class_index is '1x'"),
            ("file\tclass_index\n\t1\n", "line 2: file is ''"),
            ("file\tclass_index\na.png\t4\n", ["a.png", "class 4", "0 to 3"]),
            ("file\tclass_index\nnone.png\t1\n", "none.png"),
            ("file\tclass_index\nclasses.tsv\t1\n", "classes.tsv"),
            ("file\tclass_index" + "\t" * 70, "line 1 has more than 64 columns"),
        ]:
            with self.subTest(text=text):
                self.refused("eval", self.model, "--data", self.listed(text), says=says)
        data = self.listed("file\tclass_index\na.png\t0\n")
        self.refused("eval", self.model, "--data", data, "--split", "train", says="one set")
        self.refused("eval", self.write("two.onnx", tiny_files.two_input_model()), "--data", data,
                     says="does not classify pictures")


if __name__ == "__main__":
    unittest.main()
