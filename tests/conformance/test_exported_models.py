"""Files that other tools exported, on real data: the accuracies and outputs that their makers give."""
import os
import sys

DATA = os.environ.get("CLASSIFYD_DATA")
if not DATA:
    print("skipped: CLASSIFYD_DATA names no folder of real data")
    sys.exit(77)
import glob
import gzip
import json
import unittest

import photos
from classify_case import ClassifyCase

try:
    import numpy
    import onnx
    from onnx import numpy_helper
except ImportError:
    onnx = None


def test_labels(name):
    with gzip.open(f"{DATA}/{name}/t10k-labels-idx1-ubyte.gz") as file:
        return list(file.read()[8:])


def cifar_labels():
    with open(f"{DATA}/cifar10/test_batch.bin", "rb") as file:
        return list(file.read()[::3073])


class Accuracy(ClassifyCase):
    def config(self, **preprocess):
        return self.write("config.json", json.dumps({"preprocess": preprocess}))

    def first_500(self, model, data, labels, *args):
        """The number of right answers among the first 500."""
        out = self.path("predictions.txt")
        self.classify("eval", f"{DATA}/onnx/{model}", "--data", f"{DATA}/{data}", "--predictions", out, *args)
        with open(out) as file:
            predictions = [int(line) for line in file]
        self.assertEqual(len(predictions), 10000)
        return sum(p == label for p, label in zip(predictions[:500], labels[:500]))

    def whole(self, model, data, config):
        answer = self.classify_json("eval", f"{DATA}/onnx/{model}", "--data", f"{DATA}/{data}", "--config", config)
        self.assertEqual(answer["samples"], 10000)
        return answer["correct"]

    def test_cntk_cnn(self):
        """98.9 %; it wants pixels 0..255, which only a config can say."""
        config = self.config(color="gray", width=28, height=28, scale=1)
        self.assertEqual(round(self.whole("mnist/mnist-8.onnx", "mnist", config) / 10000, 3), 0.989)

    def test_pytorch_mlp(self):
        self.assertEqual(self.first_500("mnist/mlp_256x2.onnx", "mnist", test_labels("mnist")), 491)

    def test_keras_mlp(self):
        labels = test_labels("fashion-mnist")
        self.assertEqual(self.first_500("fashion-mnist/keras_mlp.onnx", "fashion-mnist", labels), 443)

    def test_pytorch_resnet(self):
        config = self.config(color="rgb", width=32, height=32, scale=1 / 255, mean=[.485, .456, .406],
                             std=[.229, .224, .225])
        self.assertEqual(self.whole("cifar10/resnet20.onnx", "cifar10", config), 9172)

    def test_keras_squeezenet_channels_last(self):
        """74.6 %; the order of channels and the scale 0..1 are found in the file and guessed."""
        self.assertEqual(self.first_500("cifar10/keras_squeezenet_nhwc.onnx", "cifar10", cifar_labels()), 373)

    def photographs(self, model, config):
        answer = self.classify_json("eval", f"{DATA}/onnx/imagenet/{model}.onnx", "--data", f"{DATA}/photos",
                                    "--config", self.write("config.json", json.dumps(config)))
        self.assertEqual(answer["samples"], 56)
        return answer["correct"], answer["correct_top_5"]

    def test_mobilenet(self):
        self.assertEqual(self.photographs("mobilenetv2", photos.TORCHVISION), (48, 53))

    def test_quantised_mobilenet(self):
        self.assertEqual(self.photographs("mobilenetv2-qdq", photos.TORCHVISION), (48, 52))

    def test_squeezenet(self):
        self.assertEqual(self.photographs("squeezenet1.1", photos.SQUEEZENET)[0], 26)

    def test_squeezenet_scores_of_a_fish(self):
        """The picture has the net's size; ONNX Runtime is 8.25e-4 from these scores too."""
        folder = f"{DATA}/onnx/imagenet/squeezenet_reference"
        answer = self.classify_json("predict", f"{DATA}/onnx/imagenet/squeezenet1.1.onnx", f"{folder}/fish.png",
                                    "--top", "1000", "--config",
                                    self.write("c.json", json.dumps(photos.SQUEEZENET_FISH)))
        found = photos.probabilities(answer["pictures"][0], 1000)
        with open(f"{folder}/Squeezenet_fish_input_CPU.csv") as file:
            wanted = [float(line.split(",")[1]) for line in file.readlines()[1:]]
        self.assertEqual(len(wanted), 1000)
        self.assertLess(max(abs(a - b) for a, b in zip(found, wanted)), 1e-3)


@unittest.skipUnless(onnx, "python3-onnx is not installed")
class RecordedOutputs(ClassifyCase):
    def run_model(self, model, x):
        numpy.save(self.path("x.npy"), x)
        self.classify("run", model, "--input", self.path("x.npy"), "--output-dir", self.folder)
        return numpy.load(self.path("out_0.npy"))

    def check(self, found, wanted):
        self.assertEqual(found.shape, wanted.shape)
        numpy.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-7)

    def read(self, path):
        with open(path, "rb") as file:
            return numpy_helper.to_array(onnx.TensorProto.FromString(file.read()))

    def test_light_networks(self):
        """Their input is that of ONNX's own runner: 0, 1/n, 2/n ..."""
        paths = glob.glob(f"{DATA}/onnx/light_untrained/*.onnx")
        self.assertEqual(len(paths), 9)
        for path in sorted(paths):
            with self.subTest(model=os.path.basename(path)):
                model = onnx.load(path)
                weights = {tensor.name for tensor in model.graph.initializer}
                given, = [i for i in model.graph.input if i.name not in weights]
                shape = [d.dim_value for d in given.type.tensor_type.shape.dim]
                n = numpy.prod(shape)
                x = (numpy.arange(n).reshape(shape) / n).astype(numpy.float32)
                self.check(self.run_model(path, x), self.read(path.replace(".onnx", "_output_0.pb")))

    def test_cntk_cnn(self):
        folders = glob.glob(f"{DATA}/onnx/mnist/mnist-8_test_data_set_*")
        self.assertEqual(len(folders), 3)
        for folder in folders:
            found = self.run_model(f"{DATA}/onnx/mnist/mnist-8.onnx", self.read(f"{folder}/input_0.pb"))
            numpy.testing.assert_allclose(found, self.read(f"{folder}/output_0.pb"), rtol=1e-4, atol=1e-2)


if __name__ == "__main__":
    unittest.main()
