"""precision: bf16 gives the class that float32 gives for at least 99 of 100 of 1,000 real pictures, model by
model; config.json and the daemon's setting ask for it; a level without instructions for it says so."""
import glob
import json
import os
import shutil
import unittest

import numpy
from PIL import Image

import daemon
import shipped
from classify_case import ClassifyCase

DATA = os.environ.get("CLASSIFYD_DATA", "")
N = 1000
LEAST = 0.99


def cifar_pictures(folder):
    """[N, 32, 32, 3] bytes of the test batch."""
    rows = numpy.fromfile(os.path.join(folder, "test_batch.bin"), numpy.uint8, N * 3073).reshape(N, 3073)
    return rows[:, 1:].reshape(N, 3, 32, 32).transpose(0, 2, 3, 1)


def crops(folder):
    """[100, 224, 224, 3] bytes ten times: squares of photographs, the middle and then anywhere."""
    random = numpy.random.default_rng(1)
    paths = sorted(glob.glob(os.path.join(folder, "*.[jJ]*")))
    found = []
    for i in range(N):
        picture = Image.open(paths[i % len(paths)]).convert("RGB")
        width, height = picture.size
        is_first = i < len(paths)
        side = min(width, height) * (1 if is_first else random.uniform(0.7, 1))
        left, top = (width - side, height - side) * (numpy.full(2, 0.5) if is_first else random.uniform(0, 1, 2))
        found.append(numpy.asarray(picture.resize((224, 224), Image.BICUBIC, (left, top, left + side, top + side))))
        if len(found) == 100:
            yield numpy.stack(found)
            found = []


class Precision(ClassifyCase):
    def version(self, source, config):
        """A version folder with that model and config.json."""
        folder = self.path(f"{len(os.listdir(self.folder))}")
        os.makedirs(folder)
        shutil.copy(source, os.path.join(folder, "model.onnx"))
        with open(os.path.join(folder, "config.json"), "w") as file:
            json.dump(config, file)
        return folder

    def scores(self, source, batches, precision):
        folder = self.version(source, {"engine": {"precision": precision}})
        found = []
        for x in batches:
            numpy.save(self.path("x.npy"), x)
            self.classify("run", folder, "--input", self.path("x.npy"), "--output-dir", self.path("out"))
            found.append(numpy.load(self.path("out/out_0.npy")))
        return numpy.concatenate(found)

    def check(self, source, batches):
        batches = list(batches)
        exact, rough = self.scores(source, batches, "float32"), self.scores(source, batches, "bf16")
        agree = float((exact.argmax(axis=1) == rough.argmax(axis=1)).mean())
        print(f"{source}: {100 * agree:.2f} % of {len(exact)}, scores at most {abs(exact - rough).max():.3g} apart")
        self.assertGreaterEqual(agree, LEAST)

    def test_shipped_models(self):
        if not DATA:
            self.skipTest("CLASSIFYD_DATA names no folder of real data")
        for name in ("mnist", "fashion-mnist", "cifar10", "mnist-mlp"):
            folder = os.path.join(shipped.MODELS, name, "1")
            data = os.path.join(DATA, name.replace("-mlp", ""))
            pixels = cifar_pictures(data) if name == "cifar10" else shipped.idx_test_images(data)[:N]
            self.check(os.path.join(folder, "model.onnx"), [shipped.prepare(shipped.card(folder), pixels)])

    def test_mobilenet_on_photographs(self):
        source, photos = os.path.join(DATA, "onnx", "imagenet", "mobilenetv2.onnx"), os.path.join(DATA, "photos")
        if not DATA or not os.path.exists(source) or not os.path.exists(photos):
            self.skipTest("CLASSIFYD_DATA has no ImageNet model, or no photographs")
        mean, std = numpy.float32([0.485, 0.456, 0.406]), numpy.float32([0.229, 0.224, 0.225])
        self.check(source, (numpy.ascontiguousarray(((x / numpy.float32(255) - mean) / std).transpose(0, 3, 1, 2))
                            for x in crops(photos)))

    def test_bench_says_what_is_computed_with(self):
        model = os.path.join(shipped.MODELS, "mnist", "1")
        bench = ["bench", model, "--seconds", "0.01", "--precision", "bf16"]
        report, _ = self.classify(*bench)
        level = report.split()[2]
        self.assertRegex(report, rf"(?m)^precision +{'bf16' if level == 'avx512_bf16' else 'float32'}$")
        self.assertRegex(self.classify("--cpu-level", "portable", *bench)[0], r"(?m)^precision +float32$")


class Daemon(daemon.TestCase):
    def test_a_level_without_is_warned_of(self):
        self.write_model()
        d = self.start("--cpu-level", "portable", "--precision", "bf16")
        d.wait_for(lambda: 'msg="model precision" model=tiny version=1 wanted=bf16' in d.log(), "warning")
        self.assertEqual(d.post("/classify/tiny", daemon.png()).status, 200)


if __name__ == "__main__":
    unittest.main()
