"""Asks the test program dump_image what the engine makes of a picture."""
import os
import subprocess
import sys

try:
    import numpy as np
    from PIL import Image
except ImportError:
    print("skipped: python3-pil and python3-numpy are not installed")
    sys.exit(77)


def data_folder(name):
    """The folder of that name in CLASSIFYD_DATA; without it the test is skipped."""
    folder = os.path.join(os.environ.get("CLASSIFYD_DATA", ""), name)
    if not os.environ.get("CLASSIFYD_DATA") or not os.path.isdir(folder):
        print(f"skipped: CLASSIFYD_DATA has no folder {name}")
        sys.exit(77)
    return folder


class Refused(Exception):
    """The engine answered with an error; status is its name, the text its sentence."""

    def __init__(self, status, sentence):
        super().__init__(sentence)
        self.status = status


class Dump:
    def __init__(self):
        program = os.path.join(os.environ["CLASSIFYD_BUILD"], "tests", "dump_image")
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, request):
        self.process.stdin.write(request.encode() + b"\n")
        self.process.stdin.flush()
        head = self.process.stdout.readline().decode()
        if not head:
            raise SystemExit(f"dump_image died at: {request}")
        verdict, _, rest = head.strip().partition(" ")
        if verdict == "error":
            status, _, sentence = rest.partition(" ")
            raise Refused(status, sentence)
        width, height, channels = map(int, rest.split())
        pixels = self.process.stdout.read(width * height * channels)
        return np.frombuffer(pixels, np.uint8).reshape(height, width, channels)

    def decode(self, path):
        return self.ask(f"decode {path}")

    def prepare(self, path, color, resize, width, height, shorter=0, filter="bilinear", background="000000"):
        return self.ask(f"prepare {color} {resize} {filter} {background} {width} {height} {shorter} {path}")

    def close(self):
        self.process.stdin.close()
        assert self.process.wait() == 0, "dump_image ended with an error"


def made_up(width, height, seed=1):
    """A picture with edges, gradients and noise: [height, width, 3]."""
    y, x = np.mgrid[0:height, 0:width]
    noise = np.random.default_rng(seed).integers(0, 60, (height, width, 3))
    wave = np.stack([100 + 90 * np.sin(x / 5), 100 + 90 * np.cos(y / 3), (x // 4 + y // 4) % 2 * 180], -1)
    return np.clip(wave + noise, 0, 255).astype(np.uint8)


def pixels(image):
    """A Pillow image as [height, width, channels]."""
    a = np.asarray(image)
    return a[:, :, None] if a.ndim == 2 else a
