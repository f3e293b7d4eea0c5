"""The daemon driven by KServe's own REST client, V1 and V2 (docs/testing.md says how to bring it in)."""
import asyncio
import base64
import json
import os
import sys
import types
import unittest

import stand_in

WHERE = os.environ.get("CLASSIFYD_KSERVE", "")
if os.path.isfile(WHERE) and os.path.abspath(WHERE) != os.path.abspath(sys.executable):
    os.execv(WHERE, [WHERE, *sys.argv])  # an interpreter that has it


def use_sources(folder):
    """The client's own modules, without the package's __init__, which brings its servers and Kubernetes along."""
    package = types.ModuleType("kserve")
    package.__path__ = [os.path.join(folder, "kserve")]
    sys.modules["kserve"] = package
    stand_in.where_absent("pandas", "psutil", "yaml", "grpc", "fastapi.responses", "cloudevents.conversion",
                          "cloudevents.http", "google.protobuf.internal.containers")
    for name in ("kserve.protocol.grpc.grpc_predict_v2_pb2", "kserve.protocol.grpc.grpc_predict_v2_pb2_grpc",
                 "kserve.protocol.rest.v2_datamodels"):  # of gRPC and of the servers
        sys.modules[name] = stand_in.Module(name)
    try:
        import orjson
    except ImportError:
        orjson = stand_in.module("orjson", loads=json.loads, JSONDecodeError=json.JSONDecodeError,
                                 dumps=lambda value: json.dumps(value, separators=(",", ":")).encode())
        orjson.orjson = orjson  # as one of its modules imports it


if os.path.isdir(WHERE):
    use_sources(WHERE)
try:
    import httpx
    import numpy as np
    from kserve.inference_client import InferenceRESTClient, RESTConfig
    from kserve.protocol.infer_type import InferInput, InferRequest, RequestedOutput
except ImportError as error:
    print(f"skipped: no kserve: {error}")
    sys.exit(1 if WHERE else 77)

import daemon
import tiny_onnx

VALUES = np.array([(x * 9 + y * 5) % 256 for y in range(28) for x in range(28)], np.uint8)
PICTURE = daemon.png(value=lambda x, y: int(VALUES[y * 28 + x]))
TENSOR = (VALUES.astype(np.float32) * np.float32(1 / 255)).reshape(1, 1, 28, 28)


def request(array, binary=True, datatype="FP32", **more):
    given = InferInput("image", list(array.shape), datatype)
    given.set_data_from_numpy(array, binary_data=binary)
    return InferRequest("tiny", [given], **more)


class KServe(daemon.TestCase):
    def setUp(self):
        super().setUp()
        self.write_model(size=28, prefix="c")
        self.d = self.start("--default-model", "tiny")
        self.url = "http://127.0.0.1:%d" % self.d.port

    def call(self, protocol, name, *arguments, **more):
        """Calls one of the client's functions."""
        async def run():
            async with InferenceRESTClient(RESTConfig(protocol=protocol, verify=False)) as client:
                return await getattr(client, name)(self.url, *arguments, **more)
        return asyncio.run(run())

    def refused(self, status, part, *arguments, **more):
        with self.assertRaises(httpx.HTTPStatusError) as caught:
            self.call(*arguments, **more)
        self.assertEqual(caught.exception.response.status_code, status)
        self.assertIn(part, str(caught.exception))

    def classified(self, picture=PICTURE):
        predictions = self.d.post("/classify/tiny", picture).json()["predictions"]
        return np.array([p["probability"] for p in sorted(predictions, key=lambda p: p["index"])], np.float32)

    def check_same(self, response, n=1):
        found = response.outputs[0].as_numpy()
        self.assertEqual((found.dtype, found.shape), (np.float32, (n, 10)))
        self.assertEqual(found[0].tobytes(), self.classified().tobytes())

    def test_health(self):
        self.assertIs(self.call("v1", "is_server_live"), True)
        for name in ("is_server_live", "is_server_ready"):
            self.assertIs(self.call("v2", name), True)
        for protocol in ("v1", "v2"):
            self.assertIs(self.call(protocol, "is_model_ready", "tiny"), True)
        self.assertIs(self.call("v2", "is_model_ready", "none"), False)
        self.refused(404, "no model", "v1", "is_model_ready", "none")

    def test_what_is_not_ready(self):
        path = os.path.join(self.models, "tiny", "1", "model.onnx")
        with open(path, "wb") as f:
            f.write(b"no model")
        self.d = self.start(wait=False)
        self.d.wait_for(lambda: b"could not be loaded" in self.d.get("/readyz").body, "failure")
        self.url = "http://127.0.0.1:%d" % self.d.port
        self.assertIs(self.call("v2", "is_server_live"), True)
        self.refused(503, "tiny", "v2", "is_server_ready")
        for protocol in ("v1", "v2"):
            self.assertIs(self.call(protocol, "is_model_ready", "tiny"), False)

    def test_v2(self):
        for binary in (True, False):
            for parameters in (None, {"binary_data_output": True}, {"binary_data_output": False, "mine": 3}):
                response = self.call("v2", "infer", request(TENSOR, binary, request_id="r1", parameters=parameters),
                                     model_name="tiny")
                self.check_same(response)
                self.assertEqual((response.id, response.model_name), ("r1", "tiny"))
            outputs = [RequestedOutput("probabilities", {"binary_data": binary})]
            self.check_same(self.call("v2", "infer", request(TENSOR, request_outputs=outputs), model_name="tiny"))
        self.check_same(self.call("v2", "infer", request(np.concatenate([TENSOR] * 3)), model_name="tiny"), 3)

    def test_answers_that_are_compressed(self):
        """As its HTTP library asks by itself."""
        tiny_onnx.write(self.models, "many", 1, tiny_onnx.model(n_classes=1000, size=28))
        self.assertEqual(self.d.post("/models/many/reload", admin=True).status, 200)
        predictions = self.d.post("/classify/many", PICTURE).json()["predictions"]
        wanted = [p["probability"] for p in sorted(predictions, key=lambda p: p["index"])]
        for parameters in (None, {"binary_data_output": True}):
            headers = {}
            response = self.call("v2", "infer", request(TENSOR, parameters=parameters), model_name="many",
                                 response_headers=headers)
            self.assertEqual(headers["content-encoding"], "gzip")
            self.assertEqual(response.outputs[0].as_numpy().tobytes(), np.array(wanted, np.float32).tobytes())
        answer = self.call("v1", "infer", {"instances": [TENSOR[0].tolist()]}, model_name="many")
        self.assertEqual(answer["predictions"], [wanted])

    def test_v2_pictures(self):
        pictures = np.array([PICTURE], np.object_)
        self.check_same(self.call("v2", "infer", request(pictures, datatype="BYTES"), model_name="tiny"))
        given = InferInput("image", [1], "BYTES", data=[base64.b64encode(PICTURE).decode()])
        self.check_same(self.call("v2", "infer", InferRequest("tiny", [given]), model_name="tiny"))

    def test_v2_types(self):
        ones = np.ones((1, 1, 28, 28), np.float32)
        wanted = self.call("v2", "infer", request(ones), model_name="tiny").outputs[0].data
        for dtype, name in ((np.float16, "FP16"), (np.float64, "FP64"), (np.uint8, "UINT8"), (np.int64, "INT64")):
            found = self.call("v2", "infer", request(ones.astype(dtype), datatype=name), model_name="tiny")
            self.assertEqual(found.outputs[0].data, wanted)

    def test_v2_as_a_dictionary(self):
        """What its users send without InferRequest, with null where it has nothing to say."""
        data = {"id": None, "parameters": None, "outputs": None, "inputs": [
            {"name": "image", "shape": [1, 1, 28, 28], "datatype": "FP32", "parameters": None,
             "data": TENSOR.ravel().tolist()}]}
        self.check_same(self.call("v2", "infer", data, model_name="tiny"))

    def test_v1(self):
        image = {"b64": base64.b64encode(PICTURE).decode()}
        for element in (image, {"image": image}, TENSOR[0].tolist(), TENSOR.ravel().tolist()):
            headers = {}
            answer = self.call("v1", "infer", {"instances": [element] * 2}, model_name="tiny",
                               response_headers=headers)
            self.assertEqual(np.array(answer["predictions"], np.float32).tobytes(), self.classified().tobytes() * 2)
            self.assertEqual(headers["x-model-version"], "1")

    def test_errors(self):
        self.refused(404, "no model 'none'", "v2", "infer", request(TENSOR), model_name="none")
        self.refused(404, "no model 'none'", "v1", "infer", {"instances": [[1]]}, model_name="none")
        self.refused(400, "the shape is [1, 784], wanted [N, 1, 28, 28]", "v2", "infer",
                     request(TENSOR.reshape(1, 784)), model_name="tiny")
        self.refused(400, "exactly one of", "v1", "infer", {}, model_name="tiny")
        self.refused(405, "does not take", "v1", "explain", "tiny", {"instances": [TENSOR.tolist()]})


if __name__ == "__main__":
    unittest.main()
