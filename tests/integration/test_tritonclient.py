"""The daemon driven by Triton's own HTTP client (docs/testing.md says how to bring it in)."""
import asyncio
import contextlib
import hashlib
import io
import json
import os
import runpy
import struct
import sys
import tempfile
import unittest
from unittest import mock

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
import stand_in
import tiny_files
import tiny_onnx

VALUES = np.array([(x * 9 + y * 5) % 256 for y in range(28) for x in range(28)], np.uint8)
PICTURE = daemon.png(value=lambda x, y: int(VALUES[y * 28 + x]))
TENSOR = (VALUES.astype(np.float32) * np.float32(1 / 255)).reshape(1, 1, 28, 28)


def given(array, datatype="FP32", binary=True, name="image"):
    found = triton.InferInput(name, list(array.shape), datatype)
    return found.set_data_from_numpy(array, binary_data=binary)


class AttrDict(dict):
    """What image_client.py wants of the module of this name: members as attributes, all the way down."""
    __setattr__ = dict.__setitem__

    def __init__(self, members):
        super().__init__(members)
        for key, value in members.items():
            if isinstance(value, list):
                self[key] = [AttrDict(v) if isinstance(v, dict) else v for v in value]

    def __getattr__(self, name):
        return self[name]


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

        self.refused(404, "none", client.async_infer("none", [given(TENSOR)]).get_result)
        self.refused(400, "the shape is", client.async_infer("tiny", [given(TENSOR.reshape(1, 784))]).get_result)
        compressed = client.async_infer("tiny", [given(TENSOR)], request_compression_algorithm="gzip",
                                        response_compression_algorithm="deflate", request_id="r2")
        result = compressed.get_result()
        self.check_same(result, wanted)
        self.assertEqual(result.get_response()["id"], "r2")

    def test_asyncio(self):
        try:
            import tritonclient.http.aio as aio
        except ImportError as error:
            self.skipTest("no asyncio client: %s" % error)

        picture = tiny_files.png(4, 4, list(range(0, 240, 15)))

        async def run():
            async with aio.InferenceServerClient(f"127.0.0.1:{self.d.port}") as client:
                self.assertTrue(await client.is_server_ready())
                self.assertTrue(await client.is_model_ready("tiny"))
                self.assertEqual((await client.get_model_metadata("tiny"))["name"], "tiny")
                for binary in (True, False):
                    for coding in (None, "gzip", "deflate"):
                        yield await client.infer(
                            "tiny", [given(TENSOR, binary=binary)], request_compression_algorithm=coding,
                            outputs=[triton.InferRequestedOutput("probabilities", binary_data=binary)])
                for result in await asyncio.gather(*(client.infer("tiny", [given(TENSOR)]) for _ in range(20))):
                    yield result
                # What it is answered compressed, as its HTTP library asks by itself.
                large = await client.infer("many", [given(np.array([picture], np.object_), "BYTES")])
                self.check_same(large, self.classified(picture, model="many"))
                with self.assertRaises(InferenceServerException) as caught:
                    await client.infer("none", [given(TENSOR)])
                self.assertIn("no model 'none'", caught.exception.message())

        async def collect():
            return [result async for result in run()]
        wanted = self.classified(PICTURE)
        for result in asyncio.run(collect()):
            self.check_same(result, wanted)

    def test_bodies_that_are_made_by_the_client_and_sent_by_hand(self):
        body, n_json = triton.InferenceServerClient.generate_request_body([given(TENSOR)], request_id="r3")
        reply = self.d.post("/v2/models/tiny/infer", body, headers={"Inference-Header-Content-Length": str(n_json)})
        result = triton.InferenceServerClient.parse_response_body(
            reply.body, header_length=int(reply.headers["Inference-Header-Content-Length"]))
        self.check_same(result, self.classified(PICTURE))
        self.assertEqual(result.get_output("probabilities")["parameters"], {"binary_data_size": 40})
        self.assertIsNone(result.as_numpy("none"))

    def test_headers_and_queries(self):
        """Both are passed over where they mean nothing."""
        more = {"headers": {"X-Request-Id": "r4", "Mine": "x"}, "query_params": {"a": 1, "b": ["2", "3"]}}
        self.assertTrue(self.client.is_server_live(**more))
        self.assertTrue(self.client.is_model_ready("tiny", **more))
        self.assertEqual(self.client.get_model_config("tiny", **more)["name"], "tiny")
        self.check_same(self.client.infer("tiny", [given(TENSOR)], **more), self.classified(PICTURE))
        self.d.wait_for(lambda: "id=r4" in self.d.log(), "the client's id in the log")

    def test_keys(self):
        """A plugin of the client adds what the daemon wants to see."""
        class Bearer:
            def __call__(self, request):
                request.headers["authorization"] = "Bearer a-key"
        path = os.path.join(self.models, ".keys")
        with open(path, "w") as f:
            f.write("alice:%s\n" % hashlib.sha256(b"a-key").hexdigest())
        d = self.start("--api-keys-file", path)
        client = triton.InferenceServerClient(f"127.0.0.1:{d.port}")
        self.addCleanup(client.close)
        self.assertTrue(client.is_server_ready())
        self.refused(401, "key", client.infer, "tiny", [given(TENSOR)])
        client.register_plugin(Bearer())
        self.check_same(client.infer("tiny", [given(TENSOR)]), self.classified(PICTURE))

    def test_parameters(self):
        wanted = self.classified(PICTURE)
        self.check_same(self.client.infer("tiny", [given(TENSOR)], priority=1, timeout=20000000,
                                          parameters={"mine": "x"}), wanted)
        self.check_same(self.client.infer("tiny", [given(TENSOR)], parameters={
            "text": "x", "whole": 3, "real": 0.5, "truth": True}), wanted)
        for sequence in (7, "a sequence"):  # the models have no state, so a sequence is requests like others
            self.check_same(self.client.infer("tiny", [given(TENSOR)], sequence_id=sequence, sequence_start=True,
                                              sequence_end=True), wanted)
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
        names = [(s["name"], s["version"]) for s in self.client.get_inference_statistics("tiny")["model_stats"]]
        self.assertEqual(names, [("tiny", "1"), ("tiny", "2")])
        self.refused(404, "none", self.client.get_inference_statistics, "none")
        self.refused(404, "9", self.client.get_inference_statistics, "tiny", "9")

    def test_extensions_that_there_are_not(self):
        """The server's metadata does not name them; who asks all the same is told so."""
        client = self.client
        extensions = client.get_server_metadata()["extensions"]
        for call, arguments, path in (
                (client.get_system_shared_memory_status, (), "systemsharedmemory/status"),
                (client.get_system_shared_memory_status, ("r",), "systemsharedmemory/region/r/status"),
                (client.register_system_shared_memory, ("r", "/r", 64), "systemsharedmemory/region/r/register"),
                (client.unregister_system_shared_memory, (), "systemsharedmemory/unregister"),
                (client.get_cuda_shared_memory_status, (), "cudasharedmemory/status"),
                (client.register_cuda_shared_memory, ("r", "aGk=", 0, 64), "cudasharedmemory/region/r/register"),
                (client.unregister_cuda_shared_memory, ("r",), "cudasharedmemory/region/r/unregister"),
                (client.get_trace_settings, (), "trace/setting"),
                (client.get_trace_settings, ("tiny",), "models/tiny/trace/setting"),
                (client.update_trace_settings, (None, {"trace_rate": "1"}), "trace/setting"),
                (client.get_log_settings, (), "logging"),
                (client.update_log_settings, ({"log_info": False},), "logging")):
            self.refused(404, "there is no route /v2/" + path, call, *arguments)
        self.assertFalse({"system_shared_memory", "cuda_shared_memory", "trace", "logging", "sequence"}
                         & set(extensions))

    def admin(self, d):
        client = triton.InferenceServerClient(f"127.0.0.1:{d.admin_port}")
        self.addCleanup(client.close)
        return client

    def test_a_model_from_the_client(self):
        """Config and files in place of the folder's, where the operator allows it."""
        model = tiny_onnx.model(n_classes=3, size=4, prefix="sent")
        self.refused(403, "repository_overrides is off", self.admin(self.d).load_model, "sent", config="{}",
                     files={"file:5/model.onnx": model})
        d = self.start("--repository-overrides", "on")
        admin, client = self.admin(d), triton.InferenceServerClient(f"127.0.0.1:{d.port}")
        self.addCleanup(client.close)
        admin.load_model("sent", config=json.dumps({"top": 2}), files={"file:5/model.onnx": model})
        for either in (admin, client):
            self.assertTrue(either.is_model_ready("sent"))
            self.assertEqual(either.get_model_metadata("sent")["versions"], ["5"])
        outputs = [triton.InferRequestedOutput("probabilities", class_count=1)]
        picture = np.array([tiny_files.png(4, 4, [99] * 16)], np.object_)
        found = client.infer("sent", [given(picture, "BYTES")], outputs=outputs).as_numpy("probabilities")
        self.assertRegex(found[0][0].decode(), r"^0\.\d{6}:([012]):sent\1$")
        admin.unload_model("sent", unload_dependents=True)
        d.wait_for(lambda: not client.is_model_ready("sent"), "unloading")
        self.refused(400, "failed to load 'sent'", admin.load_model, "sent", config="{}",
                     files={"file:1/model.onnx": b"no model"})
        self.refused(400, "failed to load 'sent'", admin.load_model, "sent", config='{"backend": "onnxruntime"}',
                     files={"file:1/model.onnx": model})

    def test_image_client(self):
        """Triton's program for classifying pictures, as its users run it."""
        script = os.path.join(WHERE, "..", "examples", "image_client.py")
        if not os.path.isfile(script):
            self.skipTest("no image_client.py beside the client's sources")
        try:
            import PIL.Image
        except ImportError:
            self.skipTest("no python3-pil")
        stand_in.where_absent("tritonclient.grpc")
        formats = {"FORMAT_NONE": 0, "FORMAT_NHWC": 1, "FORMAT_NCHW": 2}

        class ModelInput:
            Format = formats
            FORMAT_NHWC, FORMAT_NCHW = 1, 2
        stand_in.module("tritonclient.grpc.model_config_pb2", ModelInput=ModelInput)
        stand_in.module("attrdict", AttrDict=AttrDict)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "kitten.png")
            PIL.Image.fromarray(VALUES.reshape(28, 28)).save(path)
            wanted = self.client.infer("tiny", [given((VALUES.astype(np.float32) / 127.5 - 1).reshape(TENSOR.shape))],
                                       outputs=[triton.InferRequestedOutput("probabilities", class_count=3)])
            lines = ["    %s (%s) = %s" % tuple(text.decode().split(":")) for text in
                     wanted.as_numpy("probabilities")[0]]
            for more in ([], ["-a"], ["-b", "2"], ["-x", "2"]):
                said = io.StringIO()
                arguments = [script, "-m", "tiny", "-u", f"127.0.0.1:{self.d.port}", "-c", "3", "-s", "INCEPTION",
                             *more, path]
                with mock.patch.object(sys, "argv", arguments), contextlib.redirect_stdout(said):
                    runpy.run_path(script, run_name="__main__")
                n = 2 if "-b" in more else 1
                self.assertEqual([line for line in said.getvalue().splitlines() if " = " in line], lines * n)
                self.assertIn("PASS", said.getvalue())

    def test_repository(self):
        admin = self.admin(self.d)
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
