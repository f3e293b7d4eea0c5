"""The daemon driven by Triton's own HTTP client (docs/testing.md says how to bring it in)."""
import os
import struct
import sys
import unittest

WHERE = os.environ.get("CLASSIFYD_TRITONCLIENT", "")
if os.path.isfile(WHERE) and os.path.abspath(WHERE) != os.path.abspath(sys.executable):
    os.execv(WHERE, [WHERE, *sys.argv])  # an interpreter that has it
if os.path.isdir(WHERE):
    sys.path.insert(0, WHERE)
try:
    import numpy as np
    import tritonclient.http as triton
    from tritonclient.utils import InferenceServerException
except (ImportError, RuntimeError) as error:
    print(f"skipped: no tritonclient: {error}")
    sys.exit(1 if WHERE else 77)

import daemon
import tiny_files
import tiny_onnx

VALUES = np.array([(x * 9 + y * 5) % 256 for y in range(28) for x in range(28)], np.uint8)
PICTURE = daemon.png(value=lambda x, y: int(VALUES[y * 28 + x]))
TENSOR = (VALUES.astype(np.float32) * np.float32(1 / 255)).reshape(1, 1, 28, 28)


def given(array, datatype="FP32", binary=True, name="image"):
    found = triton.InferInput(name, list(array.shape), datatype)
    return found.set_data_from_numpy(array, binary_data=binary)


class TritonClient(daemon.TestCase):
    def setUp(self):
        super().setUp()
        self.write_model(size=28, prefix="c")
        self.write_model(version=2, size=28, seed=2, prefix="c")
        tiny_onnx.write(self.models, "many", 1, tiny_onnx.model(n_classes=1000, size=4))
        self.d = self.start("--default-model", "tiny")
        self.client = triton.InferenceServerClient(f"127.0.0.1:{self.d.port}")
        self.addCleanup(self.client.close)

    def classified(self, *pictures, model="tiny"):
        """What /classify says of pictures, in the order of the classes."""
        rows = []
        for picture in pictures:
            predictions = self.d.post("/classify/" + model, picture).json()["predictions"]
            rows.append([p["probability"] for p in sorted(predictions, key=lambda p: p["index"])])
        return np.array(rows, np.float32)

    def check_same(self, result, wanted, name="probabilities"):
        found = result.as_numpy(name)
        self.assertEqual((found.dtype, found.shape), (np.float32, wanted.shape))
        self.assertEqual(found.tobytes(), wanted.tobytes())  # the bits

    def refused(self, status, part, call, *arguments, **more):
        with self.assertRaises(InferenceServerException) as caught:
            call(*arguments, **more)
        self.assertEqual(caught.exception.status(), str(status))
        self.assertIn(part, caught.exception.message())
        self.assertNotIn("exception occurred in the client", caught.exception.message())

    def test_health_and_metadata(self):
        client = self.client
        self.assertTrue(client.is_server_live())
        self.assertTrue(client.is_server_ready())
        self.assertTrue(client.is_model_ready("tiny"))
        self.assertTrue(client.is_model_ready("tiny", "1"))
        self.assertFalse(client.is_model_ready("tiny", "9"))
        self.assertFalse(client.is_model_ready("none"))
        self.assertEqual(client.get_server_metadata()["name"], "classifyd")
        metadata = client.get_model_metadata("tiny")
        self.assertEqual(metadata["versions"], ["1", "2"])
        self.assertEqual(metadata["inputs"], [{"name": "image", "datatype": "FP32", "shape": [-1, 1, 28, 28]}])
        self.assertEqual(client.get_model_metadata("tiny", "1")["versions"], ["1"])
        config = client.get_model_config("tiny")
        self.assertEqual((config["max_batch_size"], config["input"][0]["dims"]), (32, [1, 28, 28]))
        self.refused(404, "none", client.get_model_metadata, "none")
        self.refused(404, "none", client.get_model_config, "none")

    def test_infer(self):
        wanted = self.classified(PICTURE)
        result = self.client.infer("tiny", [given(TENSOR)], request_id="r1")
        self.check_same(result, wanted)
        self.assertEqual(result.get_response()["id"], "r1")
        self.assertEqual(result.get_response()["model_version"], "2")
        for binary_in in (True, False):
            for binary_out in (True, False):
                result = self.client.infer(
                    "tiny", [given(TENSOR, binary=binary_in)],
                    outputs=[triton.InferRequestedOutput("probabilities", binary_data=binary_out)])
                self.check_same(result, wanted)
        batch = np.concatenate([TENSOR, np.zeros_like(TENSOR), TENSOR])
        self.check_same(self.client.infer("tiny", [given(batch)]),
                        np.concatenate([wanted, self.classified(daemon.png(value=0)), wanted]))
        self.check_same(self.client.infer("tiny", [given(TENSOR)], model_version="1"),
                        self.classified(PICTURE, model="tiny/1"))
        self.check_same(self.client.infer("tiny", [given(TENSOR.astype(np.float64), "FP64")]), wanted)

    def test_numbers_of_every_type(self):
        ones = np.ones((1, 1, 28, 28), np.float32)
        wanted = self.client.infer("tiny", [given(ones)]).as_numpy("probabilities")
        for dtype, name in ((np.float16, "FP16"), (np.float64, "FP64"), (np.uint8, "UINT8"), (np.int64, "INT64"),
                            (np.int8, "INT8"), (np.uint64, "UINT64"), (np.int32, "INT32"), (np.uint16, "UINT16")):
            for binary in (True, False):
                self.check_same(self.client.infer("tiny", [given(ones.astype(dtype), name, binary)]), wanted)

    def test_pictures(self):
        other = daemon.png(60, 40, 77, channels=3)
        pictures = np.array([PICTURE, other], np.object_)
        wanted = self.classified(PICTURE, other)
        for shape in ((2,), (2, 1)):
            self.check_same(self.client.infer("tiny", [given(pictures.reshape(shape), "BYTES")]), wanted)
        self.refused(400, "element 0 is no PNG or JPEG", self.client.infer, "tiny",
                     [given(np.array([b"GIF89a"], np.object_), "BYTES")])

    def test_raw_body(self):
        for body in (TENSOR.tobytes(), PICTURE):
            reply = self.d.post("/v2/models/tiny/infer", body, headers={"Inference-Header-Content-Length": "0"})
            result = triton.InferenceServerClient.parse_response_body(
                reply.body, header_length=int(reply.headers["Inference-Header-Content-Length"]))
            self.check_same(result, self.classified(PICTURE))

    def test_classification(self):
        predictions = self.d.post("/classify/tiny?top=3", PICTURE).json()["predictions"]
        wanted = ["%f:%d:%s" % (p["probability"], p["index"], p["label"]) for p in predictions]
        for binary in (True, False):
            outputs = [triton.InferRequestedOutput("probabilities", binary_data=binary, class_count=3)]
            found = self.client.infer("tiny", [given(TENSOR)], outputs=outputs).as_numpy("probabilities")
            self.assertEqual(found.shape, (1, 3))
            self.assertEqual([v.decode() if isinstance(v, bytes) else v for v in found[0]], wanted)

    def test_compression(self):
        picture = tiny_files.png(4, 4, list(range(0, 240, 15)))
        wanted = self.classified(picture, model="many")
        for request in ("gzip", "deflate", None):
            for response in ("gzip", "deflate", None):
                for binary in (True, False):
                    result = self.client.infer(
                        "many", [given(np.array([picture], np.object_), "BYTES")],
                        outputs=[triton.InferRequestedOutput("probabilities", binary_data=binary)],
                        request_compression_algorithm=request, response_compression_algorithm=response)
                    self.check_same(result, wanted)
        reply = self.d.post("/v2/models/many/infer", picture, headers={
            "Inference-Header-Content-Length": "0", "Accept-Encoding": "gzip"})
        self.assertEqual(reply.headers["Content-Encoding"], "gzip")

    def test_asynchronous(self):
        client = triton.InferenceServerClient(f"127.0.0.1:{self.d.port}", concurrency=4)
        self.addCleanup(client.close)
        wanted = self.classified(PICTURE)
        for request in [client.async_infer("tiny", [given(TENSOR)]) for _ in range(40)]:
            self.check_same(request.get_result(), wanted)

    def test_parameters(self):
        wanted = self.classified(PICTURE)
        self.check_same(self.client.infer("tiny", [given(TENSOR)], priority=1, timeout=20000000,
                                          parameters={"mine": "x"}), wanted)
        self.refused(504, "the deadline", self.client.infer, "tiny", [given(TENSOR)], timeout=1)

    def test_errors(self):
        infer = self.client.infer
        self.refused(404, "none", infer, "none", [given(TENSOR)])
        self.refused(404, "9", infer, "tiny", [given(TENSOR)], model_version="9")
        self.refused(400, 'the model has no input "x", wanted "image"', infer, "tiny", [given(TENSOR, name="x")])
        self.refused(400, "the shape is [1, 784], wanted [N, 1, 28, 28]", infer, "tiny",
                     [given(TENSOR.reshape(1, 784))])
        self.refused(400, '"BOOL" is not taken', infer, "tiny", [given(TENSOR > 0, "BOOL")])
        self.refused(400, 'the model has no output "x", wanted "probabilities"', infer, "tiny", [given(TENSOR)],
                     outputs=[triton.InferRequestedOutput("x")])
        self.refused(400, "shared memory is not filled", infer, "tiny", [given(TENSOR)], outputs=[self.shared_output()])
        self.refused(400, "a second input", infer, "tiny", [given(TENSOR), given(TENSOR)])
        bad = TENSOR.copy()
        bad[0, 0, 3, 4] = np.nan
        self.refused(400, "element 88 of input 'image' is nan; wanted finite numbers", infer, "tiny", [given(bad)])
        self.refused(413, "the batch wanted is at most 256", infer, "tiny",
                     [given(np.zeros((257, 1, 28, 28), np.uint8), "UINT8")])
        self.check_same(infer("tiny", [given(TENSOR)]), self.classified(PICTURE))  # the connection lives

    def shared_output(self):
        output = triton.InferRequestedOutput("probabilities")
        output.set_shared_memory("region", 40)
        return output

    def test_statistics(self):
        self.client.infer("tiny", [given(np.concatenate([TENSOR] * 3))])
        found = self.client.get_inference_statistics("tiny", "2")["model_stats"][0]
        self.assertEqual((found["name"], found["version"], found["inference_count"]), ("tiny", "2", 3))
        self.assertEqual(found["inference_stats"]["success"]["count"], 1)
        names = [(s["name"], s["version"]) for s in self.client.get_inference_statistics()["model_stats"]]
        self.assertEqual(names, [("many", "1"), ("tiny", "1"), ("tiny", "2")])

    def test_repository(self):
        admin = triton.InferenceServerClient(f"127.0.0.1:{self.d.admin_port}")
        self.addCleanup(admin.close)
        states = {(m["name"], m["version"]): m["state"] for m in admin.get_model_repository_index()}
        self.assertEqual(states, {("many", "1"): "READY", ("tiny", "1"): "READY", ("tiny", "2"): "READY"})
        admin.unload_model("many")
        self.d.wait_for(lambda: not self.client.is_model_ready("many"), "unloading")
        admin.load_model("many")
        self.assertTrue(self.client.is_model_ready("many"))
        with self.assertRaises(InferenceServerException):
            admin.load_model("none")
        with self.assertRaises(InferenceServerException):  # not on the public listener
            self.client.get_model_repository_index()


if __name__ == "__main__":
    unittest.main()
