"""classify inspect and bench: what a model is and how fast it runs."""
import math
import re
import subprocess
import unittest

import tiny_files
from classify_case import CLASSIFY, FAILED, USAGE, ClassifyCase


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
        for line in ("labels +file +4: upper left, .*", "color +file +gray", "size +file +2 x 2",
                     "resize +guessed +stretch", "filter +default +bilinear", "background +default +0 0 0",
                     "values +guessed +pixel x 0.00392157, mean 0, std 1", "output +default +'p'",
                     "softmax +file +not added: probabilities", "top +default +as many as are asked for"):
            self.assertRegex(text, "(?m)^%s$" % line)
        self.assertIn('{"preprocess": {"resize": "stretch", "scale": 0.003921569, "mean": [0.0], "std": [1.0]}}', text)
        self.assertRegex(text, r"(?m)^input +'x' float \[N, 1, 2, 2\]$")
        self.assertRegex(text, r"(?m)^batches +up to 32 samples together$")
        self.assertRegex(text, r"(?m)^nodes +3 in the file; 3 run$")
        self.assertRegex(text, r"(?m)^ +1 +Gemm +scores +\[N, 4\] +20 ")
        self.assertRegex(text, r"(?m)^memory, N = 1 +arena \d+ bytes, 0 of them scratch; all values side by side 64")

    def test_where_items_come_from(self):
        model = self.write_quadrant_model(softmax=False, metadata={
            "classifyd.preprocess": '{"color": "gray", "width": 2, "height": 2, "scale": 1}'})
        config = self.write("config.json", '{"top": 3, "preprocess": {"filter": "bicubic", "antialias": false}}')
        found = self.classify_json("inspect", model, "--config", config)
        self.assertEqual(found["origin"], {
            "labels": "file", "color": "file", "layout": "file", "size": "file", "resize": "default",
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
        self.assertEqual(found["no_pictures"], "the graph has 2 inputs; wanted one, of pictures")
        self.assertIn("only raw tensors can be run: the graph has 2 inputs", self.classify("inspect", path)[0])
        self.refused("predict", path, self.path("any.png"), says="takes no pictures: the graph has 2 inputs")

    def test_nodes_that_do_not_run(self):
        nodes = [tiny_files.node("Identity", ["x"], ["i"]), tiny_files.node("Shape", ["x"], ["s"]),
                 tiny_files.node("Expand", ["x", "s"], ["r"], name="/a/long/name/that/goes/on/and/ends/here"),
                 tiny_files.node("Identity", ["r"], ["n"]), tiny_files.node("Neg", ["n"], ["y"])]
        path = self.write("known.onnx", tiny_files.model(nodes, [], [tiny_files.value_info("x", ["N", 4])],
                                                         [tiny_files.value_info("y", ["N", 4])]))
        found = self.classify_json("inspect", path)
        self.assertEqual([(n["operator"], n["known"]) for n in found["nodes"]],
                         [("Shape", True), ("Expand", False), ("Neg", False)])
        self.assertEqual(found["imported_nodes"], 5)
        text, _ = self.classify("inspect", path)
        self.assertRegex(text, r"(?m)^nodes +5 in the file; 2 run, 1 follow from shapes and are computed while "
                               r"planning, 2 are folded into others$")
        self.assertRegex(text, r"(?m)^ +1 +Expand +\.\./goes/on/and/ends/here ")
        self.assertNotRegex(text, r"(?m)^ +0 +Shape")

    def test_a_model_that_runs_one_by_one(self):
        flat = tiny_files.model([tiny_files.node("Flatten", ["x"], ["y"], axis=0)], [],
                                [tiny_files.value_info("x", [1, 3, 2, 2])], [tiny_files.value_info("y", [1, 12])])
        path = self.write("flat.onnx", flat)
        found = self.classify_json("inspect", path)
        self.assertGreater(found["max_batch"], 1)
        self.assertEqual(found["at_max_batch"]["batch"], 1)
        text, _ = self.classify("inspect", path)
        self.assertEqual(text.count("memory, N = "), 1)
        self.assertRegex(text, r"(?m)^batches +samples run one by one: output 'y' has shape \[1, ")
        self.assertIn("output 'y'", found["one_by_one"])
        bench = self.classify_json("bench", path, "--seconds", "0.02", "--batch", "3")
        self.assertEqual(bench["flops"], 3 * found["flops"])

    def test_a_model_that_mixes_samples(self):
        mixing = tiny_files.model([tiny_files.node("Softmax", ["x"], ["m"], name="over_all", axis=0),
                                   tiny_files.node("Sub", ["x", "m"], ["y"])], [],
                                  [tiny_files.value_info("x", ["N", 4])], [tiny_files.value_info("y", ["N", 4])])
        text, _ = self.classify("inspect", self.write("mixing.onnx", mixing))
        self.assertRegex(text, r"(?m)^batches +samples run one by one: two samples together give other answers than "
                               r"each alone; node 'over_all' \(Softmax\) may mix them$")

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

    def write_conv_model(self):
        """Convolutions of both groupings, an activation that is fused, a view, a product."""
        nodes = [tiny_files.node("Conv", ["x", "w1"], ["wide"], "first"),
                 tiny_files.node("Relu", ["wide"], ["positive"]),
                 tiny_files.node("Conv", ["positive", "w2"], ["deep"], "second", group=3),
                 tiny_files.node("Conv", ["deep", "w3"], ["mixed"], "third"),
                 tiny_files.node("Flatten", ["mixed"], ["flat"], "flat"),
                 tiny_files.node("Gemm", ["flat", "w4"], ["y"], "scores")]
        shapes = {"w1": [3, 2, 1, 1], "w2": [3, 1, 3, 3], "w3": [1, 3, 2, 2], "w4": [9, 4]}
        weights = [tiny_files.floats(name, dims, [0.5] * math.prod(dims)) for name, dims in shapes.items()]
        return self.write("conv.onnx", tiny_files.model(nodes, weights, [tiny_files.value_info("x", ["N", 2, 6, 6])],
                                                        [tiny_files.value_info("y", ["N", 4])]))

    def test_load(self):
        path = self.write_conv_model()
        load = self.classify_json("bench", path, "--seconds", "0.02", "--threads", "1", "--load")["load"]
        steps = [load[f"{step}_ms"] for step in
                 ("read", "graph", "batch", "pack", "plan", "card", "digest", "session", "first_run")]
        self.assertGreater(min(steps), 0)
        self.assertAlmostEqual(sum(steps), load["total_ms"])
        self.assertGreater(load["peak_bytes"], load["arena_bytes"])
        text, _ = self.classify("bench", path, "--seconds", "0.02", "--threads", "1", "--load")
        self.assertRegex(text, r"(?m)^  first run +[\d.]+ ms")
        self.assertRegex(text, r"(?m)^memory +peak [\d.]+ MiB, arena [\d.]+ MiB$")
        self.assertNotIn("load", self.classify_json("bench", path, "--seconds", "0.02"))

    def test_profile(self):
        for batch in 1, 5:
            found = self.classify_json("bench", self.write_conv_model(), "--seconds", "0.05", "--profile",
                                       "--threads", "1", "--batch", str(batch))
            profile = found["profile"]
            nodes = {node["name"]: node for node in profile["nodes"]}
            self.assertEqual({name: (node["operator"], node["algorithm"]) for name, node in nodes.items()},
                             {"first": ("Conv + Relu", "product 1x1"), "second": ("Conv", "direct 3x3, depthwise"),
                              "third": ("Conv", "direct 2x2"), "flat": ("Flatten", "shares memory"),
                              "scores": ("Gemm", "packed product")})
            self.assertEqual(nodes["first"]["bytes"], 4 * (batch * 2 * 36 + 6 + batch * 3 * 36))
            self.assertEqual(nodes["second"]["flops"], batch * 2 * 3 * 16 * 9)
            self.assertEqual((nodes["flat"]["ms"], nodes["flat"]["bytes"]), (0, 0))
            for node in nodes.values():
                self.assertEqual(node["ms"] > 0, node["name"] != "flat")
                self.assertAlmostEqual(node["share"], node["ms"] / profile["ms"])
                if node["ms"] > 0:
                    self.assertAlmostEqual(node["gflops"], node["flops"] / node["ms"] / 1e6)
                    self.assertAlmostEqual(node["gbytes_per_s"], node["bytes"] / node["ms"] / 1e6)
            self.assertAlmostEqual(sum(node["ms"] for node in nodes.values()), profile["ms"])
            self.assertGreater(profile["runs"], 1)
            self.assertEqual(len(profile["kinds"]), 5)
            self.assertEqual(profile["kinds"], sorted(profile["kinds"], key=lambda kind: -kind["ms"]))

    def test_kinds_of_nodes_in_text(self):
        nodes = [tiny_files.node("MatMul", [f"x{i}", "w"], [f"x{i + 1}"]) for i in range(3)]
        model = tiny_files.model(nodes, [tiny_files.floats("w", [3, 3], [0.5] * 9)],
                                 [tiny_files.value_info("x0", ["N", 3])], [tiny_files.value_info("x3", ["N", 3])])
        text, _ = self.classify("bench", self.write("chain.onnx", model), "--seconds", "0.05", "--profile")
        figures = r"(?m)^ +[\d.]+ +[\d.]+ +[\d.]+ +[\d.]+ +[\d.]+  "
        self.assertEqual(len(re.findall(figures + "packed product +Gemm +x[123]$", text)), 3)
        self.assertEqual(len(re.findall(figures + "packed product +Gemm +3$", text)), 1)
        self.assertRegex(text, r"(?m)^profile +[\d.]+ ms in nodes, medians of \d+ runs$")

    def test_the_way_back_through_a_convolution(self):
        model = tiny_files.model([tiny_files.node("ConvTranspose", ["x", "w"], ["y"])],
                                 [tiny_files.floats("w", [2, 3, 3, 3], [0.5] * 54)],
                                 [tiny_files.value_info("x", ["N", 2, 4, 4])],
                                 [tiny_files.value_info("y", ["N", 3, 6, 6])])
        found = self.classify_json("bench", self.write("back.onnx", model), "--seconds", "0.01", "--profile")
        self.assertEqual(found["profile"]["nodes"][0]["algorithm"], "direct 3x3")

    def test_samples_that_run_one_by_one(self):
        flat = tiny_files.model([tiny_files.node("Flatten", ["x"], ["y"], axis=0),
                                 tiny_files.node("Softmax", ["y"], ["z"], axis=1)], [],
                                [tiny_files.value_info("x", [1, 3, 2, 2])], [tiny_files.value_info("z", [1, 12])])
        found = self.classify_json("bench", self.write("flat.onnx", flat), "--batch", "6", "--seconds", "0.05",
                                   "--profile")
        self.assertEqual(found["flops"], 6 * (12 + 12))
        self.assertEqual(found["profile"]["nodes"][1]["bytes"], 6 * 2 * 12 * 4)

    def turns(self, lines, exit_code=0):
        done = subprocess.run([CLASSIFY, "bench", self.write_quadrant_model(), "--turns", "--threads", "1"],
                              input=lines, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, exit_code, done.stderr)
        return done.stdout.splitlines(), done.stderr

    def test_turns(self):
        ready, *answers = self.turns("3\n1\n200\n")[0]
        self.assertRegex(ready, r"^ready flops \d+$")
        self.assertEqual(len(answers), 3)
        for answer in answers:
            median_ms, min_ms = re.fullmatch(r"median_ms ([\d.]+) min_ms ([\d.]+)", answer).groups()
            self.assertGreater(float(min_ms), 0)
            self.assertLessEqual(float(min_ms), float(median_ms))
        for line in "0\n", "x\n", "3 4\n", "10000001\n", "\n", "9" * 100:
            answers, err = self.turns(line, exit_code=FAILED)
            self.assertEqual(len(answers), 1)
            self.assertIn("1 to 10000000 is wanted", err)

    def test_refusals(self):
        model = self.write_quadrant_model()
        self.refused("bench", model, "--turns", "--json", says="--turns goes without")
        self.refused("bench", model, "--batch", "0", says="batch is 0", exit_code=USAGE)
        self.refused("bench", model, "--seconds", "nan", says="seconds", exit_code=USAGE)


if __name__ == "__main__":
    unittest.main()
