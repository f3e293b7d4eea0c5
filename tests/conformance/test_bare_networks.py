"""PyTorch's and Keras' ways to export, dropped bare into the models folder: JPEGs get the framework's answers.

The networks are torchvision's with random weights; the photographs are made up, one lies on its side and says so.
"""
import os
import sys

sys.path.pop(0)  # this folder: it would hide the torchvision that is meant
try:
    import numpy
    import torch
    from PIL import Image
    from torchvision import transforms
    from torch_networks import export, prepared, softmax
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)
import io
import unittest

import daemon

TOLERANCE = 1e-3  # the two resize within one level of 255
SIDEWAYS = 6  # the camera was turned: Exif's word for "rotate by 90 degrees"
MEAN, STD = torch.tensor([0.485, 0.456, 0.406])[:, None, None], torch.tensor([0.229, 0.224, 0.225])[:, None, None]


def photograph(seed):
    """320 x 240, smooth, with noise."""
    random = numpy.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 256, (9, 12, 3), dtype=numpy.uint8))
    pixels = numpy.asarray(coarse.resize((320, 240), Image.BICUBIC), numpy.float32)
    return Image.fromarray((pixels + random.normal(0, 8, pixels.shape)).clip(0, 255).astype(numpy.uint8))


def jpeg(picture, orientation=None):
    out, exif = io.BytesIO(), Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    picture.save(out, "JPEG", quality=95, exif=exif)
    return out.getvalue()


def seen(data):
    """The decoded JPEG as evaluation scripts cut it: a tensor [3, 224, 224] of 0 to 1."""
    crop = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor()])
    return crop(Image.open(io.BytesIO(data)))


class ChannelsLast(torch.nn.Module):
    """As tf2onnx exports Keras' MobileNet: [N, H, W, C] of -1 to 1; the network behind wants the usual values."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        x = x.permute(0, 3, 1, 2)
        return torch.softmax(self.network(((x + 1) / 2 - MEAN) / STD), 1)


class Normalises(torch.nn.Module):
    """Pixels of 0 to 255, or bytes: the network scales for itself."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return self.network((x.float() / 255 - MEAN) / STD)


class BareNetworks(daemon.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.network, _, _ = prepared("squeezenet1_1", 1)
        upright = jpeg(photograph(1)), jpeg(photograph(2))
        cls.jpegs = [*upright, jpeg(Image.open(io.BytesIO(upright[1])).transpose(Image.Transpose.ROTATE_90), SIDEWAYS)]
        cls.wanted = []
        for data in (*upright, upright[1]):
            with torch.no_grad():
                cls.wanted.append(softmax(cls.network(((seen(data) - MEAN) / STD)[None]).numpy())[0])

    def check(self, module, x, open_batch=False, tolerance=TOLERANCE):
        os.makedirs(f"{self.models}/net/1")
        export(module.eval(), x, f"{self.models}/net/1/model.onnx", 13, open_batch)
        server = self.start()
        for i, (data, wanted) in enumerate(zip(self.jpegs, self.wanted)):
            reply = server.post("/classify/net", data)
            self.assertEqual(reply.status, 200, reply.body)
            found = numpy.zeros(1000)
            for prediction in reply.json()["predictions"]:
                found[prediction["index"]] = prediction["probability"]
            # the sideways one was compressed twice
            self.assertLess(abs(found - wanted).max(), tolerance if i < 2 else 10 * tolerance, f"picture {i}")
            self.assertEqual(found.argmax(), wanted.argmax(), f"picture {i}")
        server.wait_for(lambda: "model guesses" in server.log(), "a warning")

    def test_the_wanted_answers_differ(self):
        self.assertGreater(abs(self.wanted[0] - self.wanted[1]).max(), 20 * TOLERANCE)

    def test_torchvision(self):
        self.check(self.network, torch.zeros(1, 3, 224, 224))

    def test_torchvision_of_open_batch(self):
        self.check(self.network, torch.zeros(2, 3, 224, 224), open_batch=True)

    def test_keras_channels_last(self):
        self.check(ChannelsLast(self.network), torch.zeros(1, 224, 224, 3))

    def test_pixels_of_255(self):
        self.check(Normalises(self.network), torch.zeros(1, 3, 224, 224))

    def test_bytes(self):
        self.check(Normalises(self.network), torch.zeros(1, 3, 224, 224, dtype=torch.uint8))


if __name__ == "__main__":
    unittest.main()
