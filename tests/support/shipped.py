"""The models that ship, and their inputs prepared by a second hand: plain numpy from the card."""
import gzip
import glob
import json
import os
import subprocess

import numpy

SOURCE = os.environ["CLASSIFYD_SOURCE"]
CLASSIFY = os.path.join(os.environ["CLASSIFYD_BIN"], "classify")
MODELS = os.path.join(SOURCE, "models")


def version_folders():
    return sorted(os.path.dirname(path) for path in glob.glob(f"{MODELS}/*/*/model.onnx"))


def card(folder):
    return json.loads(subprocess.run([CLASSIFY, "inspect", folder, "--json"], check=True, text=True,
                                     stdout=subprocess.PIPE).stdout)


def prepare(card, pixels):
    """[N, H, W, C] bytes of the model's size and colour -> its input, [N, C, H, W] or [N, H, W, C]."""
    pre = card["preprocess"]
    assert pixels.shape[1:3] == (pre["height"], pre["width"]) and pixels.shape[3] == len(pre["mean"])
    values = (pixels * numpy.float32(pre["scale"]) - numpy.float32(pre["mean"])) / numpy.float32(pre["std"])
    values = values.astype(numpy.float32)
    return values if pre["layout"] == "hwc" else numpy.ascontiguousarray(values.transpose(0, 3, 1, 2))


def idx_test_images(folder):
    """[10000, 28, 28, 1] bytes."""
    with gzip.open(os.path.join(folder, "t10k-images-idx3-ubyte.gz")) as file:
        return numpy.frombuffer(file.read(), numpy.uint8, offset=16).reshape(-1, 28, 28, 1)
