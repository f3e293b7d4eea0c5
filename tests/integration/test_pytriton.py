"""The daemon driven by PyTriton's clients (docs/testing.md says how to bring them in)."""
import asyncio
import os
import sys
import types
import unittest

import stand_in

WHERE = os.environ.get("CLASSIFYD_PYTRITON", "")
TRITON = os.environ.get("CLASSIFYD_TRITONCLIENT", "")
if os.path.isfile(WHERE) and os.path.abspath(WHERE) != os.path.abspath(sys.executable):
    os.execv(WHERE, [WHERE, *sys.argv])  # an interpreter that has them


def use_sources(folder):
    """The clients without what starts servers, and without gRPC."""
    if os.path.isdir(TRITON):
        sys.path.insert(0, TRITON)
    import tritonclient.http.aio  # before the stand-ins beside it
    for name in ("tritonclient.grpc", "tritonclient.grpc.aio", "pytriton.triton"):
        stand_in.module(name)
    stand_in.where_absent("grpc", "google.protobuf.json_format", "google.protobuf.text_format")
    package = types.ModuleType("pytriton")
    package.__path__ = [os.path.join(folder, "pytriton")]
    sys.modules["pytriton"] = package


try:
    if os.path.isdir(WHERE):
        use_sources(WHERE)
    import numpy as np
    from pytriton.client import AsyncioModelClient, FuturesModelClient, ModelClient
    from pytriton.client.exceptions import PyTritonClientInferenceServerError
except ImportError as error:
    print(f"skipped: no pytriton: {error}")
    sys.exit(1 if WHERE else 77)

import daemon

VALUES = np.array([(x * 9 + y * 5) % 256 for y in range(28) for x in range(28)], np.uint8)
PICTURE = daemon.png(value=lambda x, y: int(VALUES[y * 28 + x]))
TENSOR = (VALUES.astype(np.float32) * np.float32(1 / 255)).reshape(1, 28, 28)


class PyTriton(daemon.TestCase):
    def setUp(self):
        super().setUp()
        self.write_model(size=28)
        self.write_model(version=2, size=28, seed=2)
        self.d = self.start()
        self.place = "http://127.0.0.1:%d" % self.d.port, "tiny"

    def classified(self, path="/classify/tiny"):
        predictions = self.d.post(path, PICTURE).json()["predictions"]
        return np.array([p["probability"] for p in sorted(predictions, key=lambda p: p["index"])], np.float32)

    def check_same(self, answer, wanted, n=None):
        found = answer["probabilities"]
        self.assertEqual(found.shape, (10,) if n is None else (n, 10))
        self.assertEqual(found.tobytes(), wanted.tobytes() * (n or 1))

    def test_one_after_another(self):
        with ModelClient(*self.place, lazy_init=False) as client:
            self.assertEqual([s.name for s in client.model_config.inputs], ["image"])
            self.assertEqual(client.model_config.inputs[0].shape, (1, 28, 28))
            self.assertTrue(client.model_config.batching)
            self.check_same(client.infer_sample(TENSOR), self.classified())
            self.check_same(client.infer_batch(np.stack([TENSOR] * 3)), self.classified(), 3)
            self.check_same(client.infer_batch(image=np.stack([TENSOR] * 2), parameters={"a": 1}, headers={"b": "c"}),
                            self.classified(), 2)
            with self.assertRaises(PyTritonClientInferenceServerError) as caught:
                client.infer_sample(TENSOR * np.float32("nan"))
            self.assertIn("wanted finite numbers", str(caught.exception))
        with ModelClient(*self.place, "1") as client:
            self.check_same(client.infer_sample(TENSOR), self.classified("/classify/tiny/1"))

    def test_many_at_once(self):
        with FuturesModelClient(*self.place) as client:
            for future in [client.infer_sample(TENSOR) for _ in range(20)]:
                self.check_same(future.result(), self.classified())

        async def ask():
            async with AsyncioModelClient(*self.place) as client:
                return await asyncio.gather(*(client.infer_batch(np.stack([TENSOR] * 2)) for _ in range(5)))
        for answer in asyncio.run(ask()):
            self.check_same(answer, self.classified(), 2)


if __name__ == "__main__":
    unittest.main()
