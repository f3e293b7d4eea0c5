"""The daemon driven by TensorFlow Serving's example client (docs/testing.md says how to bring it in)."""
import contextlib
import importlib.util
import io
import os
import sys
from unittest import mock

WHERE = os.environ.get("CLASSIFYD_TFSERVING", "")
if not WHERE:
    print("skipped: no sources of TensorFlow Serving: CLASSIFYD_TFSERVING is not set")
    sys.exit(77)
SPEC = importlib.util.spec_from_file_location(
    "resnet_client", os.path.join(WHERE, "tensorflow_serving", "example", "resnet_client.py"))
client = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(client)

import daemon
import tiny_files
import tiny_onnx

WIDTH, HEIGHT, CLASSES = 40, 30, 4
N = HEIGHT * WIDTH * 3
PICTURE = daemon.png(WIDTH, HEIGHT, lambda x, y: (x * 9 + y * 5) % 256, channels=3)


class ResnetClient(daemon.TestCase):
    def setUp(self):
        super().setUp()
        weights = tiny_files.floats("w", [N, CLASSES], [((i * 7) % 11 - 5) / 500 for i in range(N * CLASSES)])
        tiny_onnx.write(self.models, "resnet", 1, tiny_files.model(
            [tiny_files.node("Flatten", ["x"], ["flat"]), tiny_files.node("Gemm", ["flat", "w", "b"], ["scores"]),
             tiny_files.node("Softmax", ["scores"], ["p"])],
            [weights, tiny_files.floats("b", [CLASSES], [0] * CLASSES)],
            [tiny_files.value_info("x", ["N", HEIGHT, WIDTH, 3])], [tiny_files.value_info("p", ["N", CLASSES])],
            opset=13))
        self.d = self.start()

    def said(self, as_base64):
        """What it prints of the picture that it downloads, which it gets from us here."""
        client.SERVER_URL = "http://127.0.0.1:%d/v1/models/resnet:predict" % self.d.port
        client.MODEL_ACCEPT_JPG = as_base64
        text = io.StringIO()
        with mock.patch.object(client.requests, "get", return_value=mock.Mock(content=PICTURE)):
            with contextlib.redirect_stdout(text):
                client.main()
        return text.getvalue()

    def test_base64_and_an_array(self):
        wanted = self.d.post("/classify/resnet", PICTURE).json()["predictions"][0]["index"]
        for as_base64 in (True, False):
            self.assertRegex(self.said(as_base64), r"^Prediction class: %d, avg latency: " % wanted)


if __name__ == "__main__":
    daemon.main()
