"""One picture by every road, and the answers bit for bit the same: our own dialect, V2, V1 and TorchServe."""
import base64
import json
import struct

import daemon
import tiny_onnx
from daemon import png

SIZE = 28
VALUES = [(x * 9 + y * 5) % 256 for y in range(SIZE) for x in range(SIZE)]
PICTURES = [png(value=lambda x, y: VALUES[y * SIZE + x]), png(51, 40, lambda x, y: (x * y) % 256, channels=3), png()]
HEADER_LENGTH = "Inference-Header-Content-Length"


def float32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def tensor_of(values):
    """What preprocessing makes of a picture in the model's size."""
    return [float32(float32(1 / 255) * v) for v in values]


def text(picture):
    return base64.b64encode(picture).decode()


def elements(pictures):
    return b"".join(struct.pack("<I", len(p)) + p for p in pictures)


def form(pictures):
    parts = [b'--b1y2\r\nContent-Disposition: form-data; name="data"; filename="kitten.png"\r\n\r\n' + p + b"\r\n"
             for p in pictures]
    return b"".join(parts) + b"--b1y2--\r\n", {"Content-Type": "multipart/form-data; boundary=b1y2"}


class Dialects(daemon.TestCase):
    """Answers are compared as the decimals that they were written with, and those are checked to be the bits of the
    float32 that binary answers have."""

    def setUp(self):
        super().setUp()
        self.write_model(size=SIZE, prefix="c")
        self.d = self.start("--default-model", "tiny")

    def post(self, path, body, headers=None):
        reply = self.d.post(path, body if isinstance(body, bytes) else json.dumps(body), headers=headers)
        self.assertEqual(reply.status, 200, reply.body)
        return reply

    def decimals(self, reply):
        """The reply with its numbers as they stand there."""
        return json.loads(reply.body, parse_float=str)

    def own(self, body, headers=None, path="/classify/tiny"):
        """Rows of probabilities in the order of the classes, of what one or several pictures are answered with."""
        rows = self.decimals(self.post(path, body, headers))["predictions"]
        rows = rows if isinstance(rows[0], list) else [rows]
        return [[p["probability"] for p in sorted(row, key=lambda p: p["index"])] for row in rows]

    def torchserve(self, body, headers=None, path="/predictions/tiny?top=10"):
        answers = self.decimals(self.post(path, body, headers))
        answers = answers if isinstance(answers, list) else [answers]
        return [[answer["c%d" % i] for i in range(10)] for answer in answers]

    def v1(self, body, member, path="/v1/models/tiny:predict"):
        return self.decimals(self.post(path, body))[member]

    def v1_classes(self, body):
        results = self.decimals(self.post("/v1/models/tiny:classify", body))["results"]
        return [[dict(map(tuple, row))["c%d" % i] for i in range(10)] for row in results]

    def v2(self, head, tail=b"", headers=None, path="/v2/models/tiny/infer"):
        body = json.dumps(head).encode()
        headers = {HEADER_LENGTH: str(len(body))} if tail else headers
        output = self.decimals(self.post(path, body + tail, headers))["outputs"][0]
        self.assertEqual(output["shape"], [len(output["data"]) // 10, 10])
        return [output["data"][i:i + 10] for i in range(0, len(output["data"]), 10)]

    def v2_bits(self, head, tail=b""):
        body = json.dumps(head).encode() if head else b""
        reply = self.post("/v2/models/tiny/infer", body + tail, {HEADER_LENGTH: str(len(body))})
        return reply.body[int(reply.headers[HEADER_LENGTH]):]

    def check_bits(self, bits, wanted):
        self.assertEqual(bits, b"".join(struct.pack("<10f", *map(float, row)) for row in wanted))

    def test_pictures(self):
        each = [self.own(p)[0] for p in PICTURES]
        self.assertEqual(len({str(row) for row in each}), len(PICTURES))
        for pictures, wanted in [([p], [w]) for p, w in zip(PICTURES, each)] + [(PICTURES, each)]:
            body, kind = form(pictures)
            images = {"images": [text(p) for p in pictures]}
            rows = [{"b64": text(p)} for p in pictures]
            given = {"name": "image", "shape": [len(pictures)], "datatype": "BYTES"}
            self.assertEqual(self.own(body, kind), wanted)
            self.assertEqual(self.own(images), wanted)
            self.assertEqual(self.torchserve(body, kind), wanted)
            self.assertEqual(self.torchserve(images), wanted)
            self.assertEqual(self.v1({"instances": rows}, "predictions"), wanted)
            self.assertEqual(self.v1({"instances": [{"image": row} for row in rows]}, "predictions"), wanted)
            self.assertEqual(self.v1({"inputs": {"image": rows}}, "outputs"), wanted)
            self.assertEqual(self.v1_classes({"examples": rows}), wanted)
            self.assertEqual(self.v2({"inputs": [dict(given, data=images["images"])]}), wanted)
            self.assertEqual(self.v2({"inputs": [given]}, elements(pictures)), wanted)
            all_binary = {"parameters": {"binary_data_output": True}}
            self.check_bits(self.v2_bits({"inputs": [dict(given, data=images["images"])], **all_binary}), wanted)
            self.check_bits(self.v2_bits({"inputs": [given], **all_binary}, elements(pictures)), wanted)
        for picture, row in zip(PICTURES, each):
            self.assertEqual(self.torchserve(picture), [row])
            self.assertEqual(self.own({"image": text(picture)}), [row])
            self.check_bits(self.v2_bits(None, picture), [row])

    def test_numbers(self):
        """A picture's own values, and what preprocessing makes of them."""
        numbers, wanted = tensor_of(VALUES), self.own(PICTURES[0])
        rows = [[numbers[i:i + SIZE] for i in range(0, len(numbers), SIZE)]]
        given = {"name": "image", "shape": [1, 1, SIZE, SIZE], "datatype": "FP32"}
        self.assertEqual(self.own({"pixels": VALUES}), wanted)
        self.assertEqual(self.torchserve({"pixels": VALUES}), wanted)
        self.assertEqual(self.v1({"instances": [numbers]}, "predictions"), wanted)
        self.assertEqual(self.v1({"inputs": [rows]}, "outputs"), wanted)
        self.assertEqual(self.v1_classes({"examples": [{"image": numbers}]}), wanted)
        self.assertEqual(self.v2({"inputs": [dict(given, data=numbers)]}), wanted)
        self.assertEqual(self.v2({"inputs": [dict(given, data=[rows])]}), wanted)
        bits = struct.pack("<784f", *numbers)
        self.assertEqual(self.v2({"inputs": [given]}, bits), wanted)
        self.check_bits(self.v2_bits(None, bits), wanted)
        self.assertEqual(self.v2({"inputs": [dict(given, datatype="FP64")]}, struct.pack("<784d", *numbers)), wanted)

    def test_classes(self):
        """V2's classification has six digits of the same numbers."""
        own = self.post("/classify/tiny?top=3", PICTURES[0]).json()["predictions"]
        reply = self.post("/v2/models/tiny/infer", {
            "inputs": [{"name": "image", "shape": [1], "datatype": "BYTES", "data": [text(PICTURES[0])]}],
            "outputs": [{"name": "probabilities", "parameters": {"classification": 3}}]})
        self.assertEqual(reply.json()["outputs"][0]["data"],
                         ["%.6f:%d:%s" % (p["probability"], p["index"], p["label"]) for p in own])

    def test_versions(self):
        tiny_onnx.write(self.models, "tiny", 2, tiny_onnx.model(size=SIZE, prefix="c", seed=2))
        self.assertEqual(self.d.post("/reload", admin=True).status, 200)
        image = [{"b64": text(PICTURES[0])}]
        given = {"inputs": [{"name": "image", "shape": [1], "datatype": "BYTES", "data": [image[0]["b64"]]}]}
        answers = []
        for version in ("1", "2"):
            answers.append(self.own(PICTURES[0], path="/classify/tiny/" + version))
            self.assertEqual(self.torchserve(PICTURES[0], path="/predictions/tiny/%s?top=10" % version), answers[-1])
            path = "/v1/models/tiny/versions/%s:predict" % version
            self.assertEqual(self.v1({"instances": image}, "predictions", path), answers[-1])
            self.assertEqual(self.v2(given, path="/v2/models/tiny/versions/%s/infer" % version), answers[-1])
        self.assertNotEqual(*answers)


if __name__ == "__main__":
    daemon.main()
