"""classify train on vectors: toys, tables of classes and of numbers; eval, inspect and run take the models."""
import json
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.join(os.environ["CLASSIFYD_SOURCE"], "tests", "support"))
import daemon  # noqa: E402
from classify_case import ClassifyCase  # noqa: E402

HIDDEN = [{"op": "Gemm", "outputs": 24}, {"op": "Relu"}]


class Vectors(ClassifyCase):
    def train(self, *args, **recipe):
        recipe = {"name": "tiny", "batch": 20, "shards": 2,
                  "optimiser": {"kind": "Adam", "learning_rate": 0.02}, **recipe}
        self.classify("train", self.write("recipe.json", json.dumps(recipe)), "--out", self.path("out/1"),
                      "--quiet", *args)
        return self.path("out/1")

    def refuse_training(self, says, *args, **recipe):
        recipe = {"name": "tiny", "batch": 2, "layers": [{"op": "Gemm", "outputs": 2}], **recipe}
        self.refused("train", self.write("recipe.json", json.dumps(recipe)), "--out", self.path("out/1"),
                     *args, says=says)

    def test_a_toy_needs_no_data(self):
        toy = {"kind": "moons", "samples": 400, "noise": 0.05}
        model = self.train(toy=toy, validation=0.1, epochs=40, layers=HIDDEN + [{"op": "Gemm", "outputs": 2}])
        answer = self.classify_json("eval", model)
        self.assertEqual(answer["samples"], 400)
        self.assertGreater(answer["accuracy"], 0.97)
        shown = self.classify_json("inspect", model)
        self.assertEqual((shown["features"], shown["labels"], shown["takes_images"]),
                         (["x", "y"], ["0", "1"], False))
        self.assertEqual(shown["inputs"][0]["shape"], ["N", 2])
        self.assertEqual(shown["inputs"][0]["name"], "features")
        text, _ = self.classify("inspect", model)
        self.assertRegex(text, r"(?m)^features +x, y$")
        self.refused("predict", model, __file__, says=["takes no pictures", "vectors of features"])

    def test_a_toys_model_takes_a_table_too(self):
        model = self.train(toy={"kind": "moons", "noise": 0.05}, epochs=40,
                           layers=HIDDEN + [{"op": "Gemm", "outputs": 2}])
        # Columns and classes go by their names: here y stands before x, and class 0 is missing.
        table = self.write("points.csv", "y,moon,x\n-0.5,1,1.0\n0.4,1,2.0\n1.0,1,0.0\n")
        out = self.path("classes.txt")
        answer = self.classify_json("eval", model, "--data", table, "--predictions", out)
        self.assertEqual((answer["samples"], answer["correct"]), (3, 2))
        with open(out) as file:
            self.assertEqual(file.read(), "1\n1\n0\n")
        for says, text in (
                ("2 of 3 columns are none of the model's 2 features", "x,moon,z\n1,1,2\n"),
                ("2 of 4 columns are none of the model's 2 features", "x,y,moon,z\n1,1,2,2\n"),
                ("class sun is not one of the model's 2; wanted 0, 1", "x,y,moon\n1,1,0\n1,1,sun\n"),
                ("class 2 is not one of the model's", "x,y,moon\n1,1,2\n")):
            self.refused("eval", model, "--data", self.write("points.csv", text), says=["points.csv", says])
        self.refused("eval", model, "--data", self.path("none"), says="none: no such file or folder")
        self.refuse_training("the recipe's toy makes its points itself", "--data", table, toy={})

    def test_a_table_of_classes(self):
        rng = random.Random(3)
        rows = [(kind, rng.gauss(mean, 1), rng.gauss(0, 100))
                for kind, mean in (("wide", 8), ("narrow", 2)) for _ in range(100)]
        rng.shuffle(rows)
        table = "kind,width,other\n" + "".join(f"{k},{w:.4f},{o:.4f}\n" for k, w, o in rows)
        path = self.write("plants.csv", table)
        model = self.train("--data", path, csv={"target": "kind", "test_share": 0.25}, epochs=30,
                           layers=[{"op": "Gemm", "outputs": 2}])
        answer = self.classify_json("eval", model, "--data", path)
        self.assertEqual(answer["samples"], 50)
        self.assertGreater(answer["accuracy"], 0.95)
        self.assertEqual([c["label"] for c in answer["classes"]], ["narrow", "wide"])
        self.assertEqual(self.classify_json("eval", model, "--data", path, "--split", "train")["samples"], 150)
        self.refused("eval", model, says="no data; wanted --data")
        # Only some of the classes, and columns in another order.
        self.write("few/train.csv", "other,kind,width\n0,wide,8\n0,wide,7.9\n")
        self.write("few/test.csv", "other,kind,width\n0,wide,8.1\n1,wide,9\n")
        answer = self.classify_json("eval", model, "--data", self.path("few"))
        self.assertEqual((answer["samples"], answer["correct"]), (2, 2))
        self.write("few/train.csv", "other,kind,height\n0,wide,8\n")
        self.write("few/test.csv", "other,kind,height\n0,wide,8\n")
        self.refused("eval", model, "--data", self.path("few"), says="no feature is called width")

    def test_a_table_of_numbers(self):
        rng = random.Random(4)
        rows = [(rng.uniform(0, 10), rng.uniform(-1, 1)) for _ in range(200)]
        table = "a,b,y\n" + "".join(f"{a},{b},{3 * a - 2 * b + 7}\n" for a, b in rows)
        self.write("numbers.csv", table)
        model = self.train("--data", self.folder, csv={"target": "y", "test_share": 0.2}, epochs=150,
                           loss={"kind": "mean_squared_error"}, layers=[{"op": "Gemm", "outputs": 1}],
                           optimiser={"kind": "SGD", "learning_rate": 0.1})
        out = self.path("values.txt")
        answer = self.classify_json("eval", model, "--data", self.folder, "--predictions", out)
        self.assertLess(answer["mean_squared_error"], 1e-6)
        self.assertGreater(answer["r_squared"], 0.999999)
        self.assertNotIn("accuracy", answer)
        with open(out) as file:
            self.assertEqual(len(file.readlines()), 40)
        shown = self.classify_json("inspect", model)
        self.assertEqual((shown["features"], shown["classes"]), (["a", "b"], 0))
        self.assertEqual((shown["outputs"][0]["name"], shown["outputs"][0]["shape"]), ("prediction", ["N", 1]))
        text, _ = self.classify("eval", model, "--data", self.folder)
        self.assertRegex(text, r"(?m)^r squared +(1|0\.999)")

    def test_the_daemon_refuses_vectors(self):
        self.train(toy={}, epochs=1, layers=[{"op": "Gemm", "outputs": 2}])
        os.makedirs(self.path("models/toy"))
        os.rename(self.path("out/1"), self.path("models/toy/1"))
        server = daemon.Daemon(self.path("models"), wait=False)
        self.addCleanup(server.stop)
        server.wait_for(lambda: "takes vectors of 2 features, not pictures" in server.log(), "refusal")

    def test_features_must_fit_the_graph(self):
        def refuse(says, **metadata):
            path = self.write_quadrant_model(metadata={f"classifyd.{k}": v for k, v in metadata.items()})
            self.refused("inspect", path, says=says)
        refuse(["2 features are named, but input", "wanted one input [N, 2] of floats or bytes"], features='["a", "b"]')
        refuse("classifyd.features", features='"a"')
        refuse("both features and preprocessing are given", features='["a"]', preprocess='{"scale": 1}')

    def test_what_does_not_fit(self):
        self.refuse_training("no data; wanted --data")
        path = self.write("t.csv", "x,y\n1,a\n2,b\n3,a\n4,b\nfive,a\n")
        csv = {"target": "y", "test_share": 0.2}
        self.refuse_training("csv.target is missing", "--data", path, csv={})
        self.refuse_training(["t.csv: line 6: column x is \"five\"", "wanted a number"], "--data", path, csv=csv)
        self.write("t.csv", "x,y\n1,a\n2,b\n3,a\n4,b\n")
        self.refuse_training(["column y is \"", "wanted a number"], "--data", path, csv=csv,
                             loss={"kind": "mean_squared_error"})
        self.refuse_training("loss.kind is \"mean_squared_error\"", toy={}, loss={"kind": "mean_squared_error"})
        self.refuse_training("both csv and toy", "--data", path, csv=csv, toy={})
        self.refuse_training("toy.classes is 3; wanted 2 for a moons", toy={"kind": "moons", "classes": 3})
        self.refuse_training("toy.kind", toy={"kind": "moon"})
        self.refuse_training("the last layer gives [1, 2] for one sample; wanted [1, 3]",
                             toy={"kind": "spiral", "classes": 3})


if __name__ == "__main__":
    unittest.main()
