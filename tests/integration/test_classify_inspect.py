"""classify inspect and bench: what a model is and how fast it runs."""
import unittest

import tiny_files
from classify_case import USAGE, ClassifyCase


class Inspect(ClassifyCase):
    def test_json(self):
        found = self.classify_json("inspect", self.write_quadrant_model(softmax=False))
        self.assertEqual(found["labels"], tiny_files.QUADRANTS)
        self.assertEqual(found["classes"], 4)
        self.assertEqual(found["guessed"], ["preprocess", "softmax"])
        self.assertEqual(found["preprocess"]["color"], "gray")
        self.assertEqual(found["preprocess"]["width"], 2)
        self.assertEqual(found["inputs"], [{"name": "x", "type": "float", "shape": ["N", 1, 2, 2]}])
        self.assertEqual(found["outputs"], [{"name": "scores", "type": "float", "shape": ["N", 4]}])
        self.assertEqual([n["operator"] for n in found["nodes"]], ["Flatten", "Gemm"])
        self.assertEqual(found["parameters"], 20)
        self.assertEqual(found["nodes"][1]["parameters"], 20)
        self.assertEqual(found["flops"], sum(n["flops"] for n in found["nodes"]))
        self.assertGreaterEqual(found["nodes"][1]["flops"], 2 * 4 * 4)
        self.assertGreater(found["arena_bytes"], 0)
        self.assertEqual(found["values_bytes"], 3 * 4 * 4)
        self.assertEqual(found["at_max_batch"]["batch"], found["max_batch"])

    def test_text(self):
        text, _ = self.classify("inspect", self.write_quadrant_model())
        self.assertIn("upper left, upper right", text)
        for line in ("labels +file +4: upper left, .*", "color +guessed +gray", "size +file +2 x 2",
                     "resize +guessed +stretch", "filter +default +bilinear", "background +default +0 0 0",
                     "values +guessed +pixel x 0.00392157, mean 0, std 1", "output +default +'p'",
                     "softmax +file +not added: probabilities", "top +default +as many as are asked for"):
            self.assertRegex(text, "(?m)^%s$" % line)
        self.assertRegex(text, r"(?m)^input +'x' float \[N, 1, 2, 2\]$")
        self.assertRegex(text, r"(?m)^batches +up to 32 samples together$")
        self.assertRegex(text, r"(?m)^ +1 +Gemm +scores +\[N, 4\] +20 ")
        self.assertRegex(text, r"(?m)^memory, N = 1 +arena \d+ bytes, 0 of them scratch; all values side by side 64")

    def test_where_items_come_from(self):
        model = self.write_quadrant_model(softmax=False, metadata={
            "classifyd.preprocess": '{"color": "gray", "width": 2, "height": 2, "scale": 1}'})
        config = self.write("config.json", '{"top": 3, "preprocess": {"filter": "bicubic", "antialias": false}}')
        found = self.classify_json("inspect", model, "--config", config)
        self.assertEqual(found["origin"], {
            "labels": "file", "color": "file", "layout": "guessed", "size": "file", "resize": "default",
            "filter": "config", "background": "default", "values": "file", "output": "default", "softmax": "guessed",
            "top": "config"})
        self.assertEqual(found["guessed"], ["softmax"])
        self.assertEqual((found["preprocess"]["filter"], found["preprocess"]["antialias"]), ("bicubic", False))
        text, _ = self.classify("inspect", model, "--config", config)
        self.assertRegex(text, "(?m)^filter +config +bicubic, not antialiased$")

    def test_a_model_of_raw_tensors(self):
        path = self.write("two.onnx", tiny_files.two_input_model())
        found = self.classify_json("inspect", path)
        self.assertFalse(found["takes_images"])
        self.assertNotIn("labels", found)
        self.assertIn("only raw tensors", self.classify("inspect", path)[0])

    def test_a_model_that_runs_one_by_one(self):
        flat = tiny_files.model([tiny_files.node("Flatten", ["x"], ["y"], axis=0)], [],
                                [tiny_files.value_info("x", [1, 3, 2, 2])], [tiny_files.value_info("y", [1, 12])])
        path = self.write("flat.onnx", flat)
        found = self.classify_json("inspect", path)
        self.assertGreater(found["max_batch"], 1)
        self.assertEqual(found["at_max_batch"]["batch"], 1)
        text, _ = self.classify("inspect", path)
        self.assertEqual(text.count("memory, N = "), 1)
        self.assertRegex(text, "(?m)^batches +samples run one by one: ")

    def test_bad_files(self):
        self.refused("inspect", self.write("empty.onnx", b""), says="empty.onnx")
        data = tiny_files.quadrant_model()
        self.refused("inspect", self.write("cut.onnx", data[:len(data) // 2]), says="cut.onnx")
        unknown = tiny_files.model([tiny_files.node("Frobnicate", ["x"], ["y"])], [],
                                   [tiny_files.value_info("x", [1])], [tiny_files.value_info("y", [1])])
        self.refused("inspect", self.write("unknown.onnx", unknown), says="Frobnicate")


class Bench(ClassifyCase):
    def test_json(self):
        for threads, batch in (1, 1), (2, 7):
            found = self.classify_json("bench", self.write_quadrant_model(), "--seconds", "0.05",
                                       "--threads", str(threads), "--batch", str(batch))
            self.assertEqual((found["threads"], found["batch"]), (threads, batch))
            self.assertGreater(found["min_ms"], 0)
            self.assertLessEqual(found["min_ms"], found["median_ms"])
            self.assertLessEqual(found["median_ms"], found["p90_ms"])
            self.assertLessEqual(found["p90_ms"], found["p99_ms"])
            self.assertGreater(found["throughput"], 0)
            self.assertAlmostEqual(found["gflops"], found["flops"] / found["median_ms"] / 1e6, places=3)

    def test_any_inputs_and_text(self):
        text, _ = self.classify("bench", self.write("two.onnx", tiny_files.two_input_model()),
                                "--seconds", "0.05")
        self.assertRegex(text, r"(?m)^latency +median [\d.]+ ms")

    def test_refusals(self):
        model = self.write_quadrant_model()
        self.refused("bench", model, "--batch", "0", says="batch is 0", exit_code=USAGE)
        self.refused("bench", model, "--seconds", "nan", says="seconds", exit_code=USAGE)


if __name__ == "__main__":
    unittest.main()
