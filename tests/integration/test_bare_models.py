"""Files that say nothing of labels and pixels, dropped into the models folder: answers, warnings, refusals."""
import json
import math
import os
import subprocess

import daemon
import tiny_files
import tiny_onnx
from tiny_files import floats, node, value_info

CLASSIFY = os.path.join(os.environ["CLASSIFYD_BIN"], "classify")


def weights_for(n, classes):
    return [((i * 7919) % 13 - 6) / n for i in range(n * classes)]


def bare(shape, n, classes=3, last=None, dtype=tiny_files.FLOAT):
    """Flatten, Gemm and perhaps one operator more, without metadata; n numbers of each sample."""
    nodes = [node("Cast", ["x"], ["real"], to=1)] if dtype != tiny_files.FLOAT else []
    nodes += [node("Flatten", ["real" if nodes else "x"], ["flat"]), node("Gemm", ["flat", "w"], ["scores"])]
    nodes += [node(last, ["scores"], ["answers"])] if last else []
    return tiny_files.model(nodes, [floats("w", [n, classes], weights_for(n, classes))],
                            [value_info("x", shape, dtype)],
                            [value_info("answers" if last else "scores", ["N", classes])])


def scores(values, classes=3):
    w = weights_for(len(values), classes)
    return [sum(v * w[i * classes + c] for i, v in enumerate(values)) for c in range(classes)]


def softmax(numbers):
    powers = [math.exp(x - max(numbers)) for x in numbers]
    return [p / sum(powers) for p in powers]


def sigmoid(numbers):
    return [1 / (1 + math.exp(-x)) for x in numbers]


def picture(side, channels):
    """Pixels [side, side, channels] that differ everywhere."""
    return [(i * 37 + 11) % 256 for i in range(side * side * channels)]


def planes(pixels, channels):
    return [p for c in range(channels) for p in pixels[c::channels]]


class BareModels(daemon.TestCase):
    def drop(self, name, data):
        tiny_onnx.write(self.models, name, 1, data)

    def probabilities(self, server, name, side, channels):
        png = tiny_files.png(side, side, picture(side, channels), channels)
        reply = server.post(f"/classify/{name}", png)
        self.assertEqual(reply.status, 200, reply.body)
        found = {p["index"]: p for p in reply.json()["predictions"]}
        self.assertEqual([p["label"] for _, p in sorted(found.items())], [str(i) for i in range(len(found))])
        return [found[i]["probability"] for i in range(len(found))]

    def check(self, found, wanted):
        self.assertEqual(len(found), len(wanted))
        for a, b in zip(found, wanted):
            self.assertAlmostEqual(a, b, places=5)

    def test_layouts_types_and_answers(self):
        rgb, gray = picture(5, 3), picture(28, 1)
        chw, hwc = [p / 255 for p in planes(rgb, 3)], [p / 255 for p in rgb]
        open_rgb = [p / 255 for p in planes(picture(32, 3), 3)]
        cases = {
            "nchw": (bare(["N", 3, 5, 5], 75), 5, 3, softmax(scores(chw))),
            "fixed-batch": (bare([1, 3, 5, 5], 75), 5, 3, softmax(scores(chw))),
            "nhwc": (bare(["N", 5, 5, 3], 75, last="Softmax"), 5, 3, softmax(scores(hwc))),
            "logarithms": (bare(["N", 5, 5, 3], 75, last="LogSoftmax"), 5, 3, softmax(scores(hwc))),
            "bytes": (bare(["N", 5, 5, 3], 75, dtype=tiny_files.UINT8), 5, 3, softmax(scores(rgb))),
            "several": (bare(["N", 5, 5, 3], 75, last="Sigmoid"), 5, 3, sigmoid(scores(hwc))),
            "yes-or-no": (bare(["N", 5, 5, 3], 75, 1, "Sigmoid"), 5, 3, sigmoid(scores(hwc, 1))),
            "gray": (bare(["N", 1, 28, 28], 784), 28, 1, softmax(scores([p / 255 for p in gray]))),
            "flat": (bare(["N", 784], 784), 28, 1, softmax(scores([p / 255 for p in gray]))),
            "open-sides": (bare(["N", 3, "H", "W"], 3072), 32, 3, softmax(scores(open_rgb))),
            "open-all": (bare(["N", "C", "H", "W"], 3072), 32, 3, softmax(scores(open_rgb))),
        }
        for name, (data, _, _, _) in cases.items():
            self.drop(name, data)
        server = self.start()
        for name, (_, side, channels, wanted) in cases.items():
            with self.subTest(name):
                self.check(self.probabilities(server, name, side, channels), wanted)

    def test_the_log_warns_of_guesses(self):
        self.drop("bare", bare(["N", 3, 5, 5], 75))
        self.drop("stated", tiny_onnx.model(metadata={
            "classifyd.preprocess": '{"color": "gray", "layout": "chw", "width": 28, "height": 28, "scale": 1}'}))
        server = self.start()
        server.wait_for(lambda: server.log().count("result=loaded") == 2 and "guesses" in server.log(), "two lines")
        warnings = [line for line in server.log().splitlines() if "level=warn" in line]
        self.assertEqual(len(warnings), 1, warnings)
        self.assertIn('msg="model guesses" model=bare version=1 guessed="labels, color, resize, values, softmax"',
                      warnings[0])
        self.assertIn("config.json", warnings[0])
        versions = {m["name"]: m["versions"][0]["guessed"] for m in server.get("/models").json()["models"]}
        self.assertEqual(versions, {"bare": ["labels", "preprocess", "softmax"], "stated": []})

    def test_what_inspect_shows_can_be_put_beside_the_file(self):
        self.drop("bare", bare(["N", 3, "H", "W"], 3072))
        server = self.start()
        before = self.probabilities(server, "bare", 32, 3)
        folder = os.path.join(self.models, "bare", "1")
        shown = json.loads(subprocess.run([CLASSIFY, "inspect", folder, "--json"], stdout=subprocess.PIPE,
                                          check=True).stdout)
        config = shown["config_as_guessed"]
        self.assertEqual(config["preprocess"]["width"], 32)
        self.assertEqual(config["softmax"], True)
        with open(os.path.join(folder, "config.json"), "w") as file:
            json.dump(config, file)
        with open(os.path.join(folder, config["labels_file"]), "w") as file:
            file.write("0\n1\n2\n")
        self.assertEqual(server.post("/models/bare/reload", admin=True).status, 200)
        self.assertEqual(self.probabilities(server, "bare", 32, 3), before)
        self.assertEqual(server.get("/models").json()["models"][0]["versions"][0]["guessed"], [])
        server.wait_for(lambda: server.log().count("result=loaded") == 2, "the second load in the log")
        self.assertEqual(server.log().count("model guesses"), 1)

    def test_refusals_say_why(self):
        cases = {
            "four": (bare(["N", 4, 5, 5], 100), "has shape [N, 4, 5, 5]; wanted 1 or 3 channels"),
            "integers": (bare(["N", 3, 5, 5], 75, dtype=tiny_files.INT64),
                         "input 'x' holds int64; wanted floats or bytes"),
            "number": (bare(["N", 3, 5, 5], 75, 1), "gives one number, and a softmax of one score is always 1"),
            "odd": (bare(["N", 3, "H", "W"], 75), "leaves a picture's size open, and no usual size fits the graph"),
        }
        for name, (data, _) in cases.items():
            self.drop(name, data)
        server = self.start(wait=False)
        def states():
            return [m["versions"][0]["state"] for m in server.get("/models").json()["models"]]

        server.wait_for(lambda: states() == ["failed"] * len(cases), "the first load")  # none are known before it
        reasons = {m["name"]: m["versions"][0]["reason"] for m in server.get("/models", admin=True).json()["models"]}
        for name, (_, reason) in cases.items():
            self.assertIn(reason, reasons[name])

    def test_files_in_the_wrong_place_are_named(self):
        self.drop("right", bare(["N", 3, 5, 5], 75))
        for path in "stray.onnx", "right/net.onnx", "right/1/other.onnx", "right/notes.txt":
            with open(os.path.join(self.models, path), "wb") as file:
                file.write(b"x")
        server = self.start()
        server.wait_for(lambda: "result=loaded" in server.log(), "a line")
        ignored = [line for line in server.log().splitlines() if 'msg="file ignored"' in line]
        self.assertEqual(len(ignored), 2, ignored)
        self.assertTrue(any("stray.onnx" in line for line in ignored), ignored)
        self.assertTrue(any("right/net.onnx" in line for line in ignored), ignored)


if __name__ == "__main__":
    daemon.main()
