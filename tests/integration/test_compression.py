"""Content-Encoding of requests on any route, Accept-Encoding of replies."""
import gzip
import json
import unittest
import zlib

import daemon
import tiny_files
import tiny_onnx
from daemon import png

FORM = "multipart/form-data; boundary=xyz"
CODINGS = {"gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": zlib.compress, "identity": bytes}
INFLATE = {"gzip": gzip.decompress, "deflate": zlib.decompress, None: bytes}


class Compression(daemon.TestCase):
    def setUp(self):
        super().setUp()
        self.write_model(size=28, n_classes=10)
        tiny_onnx.write(self.models, "many", 1, tiny_onnx.model(n_classes=200, size=4))
        self.d = self.start("--max-body-bytes", "100000", "--max-bodies-bytes", "1048576", "--default-model", "tiny")

    def classify(self, body, coding, **headers):
        headers = {k.replace("_", "-"): v for k, v in headers.items()}
        return self.d.post("/classify/tiny", body, headers=dict(headers, **{"Content-Encoding": coding}))

    def test_requests(self):
        picture = png()
        wanted = self.d.post("/classify/tiny", picture).json()["predictions"]
        numbers = json.dumps({"pixels": [128] * 784}).encode()
        form = b'--xyz\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + picture + b"\r\n--xyz--\r\n"
        for coding, compress in CODINGS.items():
            for body, headers in ((picture, {}), (numbers, {}), (form, {"Content_Type": FORM})):
                reply = self.classify(compress(body), coding, **headers)
                self.assertEqual(reply.status, 200, reply.body)
                self.assertEqual(reply.json()["predictions"], wanted)
        two = gzip.compress(picture[:30]) + gzip.compress(picture[30:])
        self.assertEqual(self.classify(two, "gzip").json()["predictions"], wanted)

    def test_chunked(self):
        body = gzip.compress(png(value=lambda x, y: (x * 7 + y * 3) % 256))
        chunks = b"".join(b"%x\r\n%s\r\n" % (1, body[i:i + 1]) for i in range(len(body))) + b"0\r\n\r\n"
        reply = self.d.exchange(b"POST /classify/tiny HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\n"
                                b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + chunks)
        self.assertIn(b"HTTP/1.1 200", reply)

    def test_bad_streams(self):
        whole = gzip.compress(png())
        for body, coding, part in ((whole[:-1], "gzip", "cut short"), (whole[:5], "gzip", "cut short"),
                                   (png(), "gzip", "incorrect header check"), (whole, "deflate", "incorrect header"),
                                   (whole[:-4] + b"abcd", "gzip", "incorrect length check"),
                                   (zlib.compress(png()) + b"x", "deflate", "something stands behind its end")):
            self.check_error(self.classify(body, coding), 400, "invalid_request", part)
        self.check_error(self.classify(gzip.compress(b""), "gzip"), 400, "invalid_request", "the body is empty")
        self.check_error(self.classify(b"", "gzip"), 400, "invalid_request", "the body is empty")
        for coding in ("br", "gzip, deflate", "zstd"):
            reply = self.classify(whole, coding)
            self.check_error(reply, 415, "unsupported_media_type", 'Content-Encoding is "%s", wanted gzip' % coding)
            self.assertEqual(reply.headers["Accept-Encoding"], "gzip, deflate")
        reply = self.d.request("POST", "/reload", whole, {"Content-Encoding": "br"}, admin=True)
        self.check_error(reply, 415, "unsupported_media_type")

    def test_bombs(self):
        before = self.d.resident_bytes()
        for coding, body in (("gzip", gzip.compress(bytes(50000000))), ("deflate", zlib.compress(bytes(60000000)))):
            self.assertLess(len(body), 100000)
            for headers in ({}, {"Content_Type": FORM}):
                reply = self.classify(body, coding, **headers)
                self.check_error(reply, 413, "too_large",
                                 "the body, inflated, is larger than max_body_bytes, which is 100000")
        self.assertLess(self.d.resident_bytes() - before, 30000000)
        # One byte more than the limit, and the limit: then it is the picture that is wrong.
        self.check_error(self.classify(gzip.compress(bytes(100001)), "gzip"), 413, "too_large", "inflated")
        self.check_error(self.classify(gzip.compress(b"\xff" * 100000), "gzip"), 415, "unsupported_media_type")

    def test_memory_of_streams_is_given_back(self):
        for body in (gzip.compress(png()), b"junk", gzip.compress(png())[:20]) * 20:  # 64 KiB each of 1 MiB
            self.assertIn(self.classify(body, "gzip").status, (200, 400))

    def test_replies(self):
        picture = tiny_files.png(4, 4, list(range(0, 240, 15)))
        plain = self.d.post("/classify/many", picture)
        self.assertGreater(len(plain.body), 2048)
        self.assertEqual(plain.headers["Vary"], "Accept-Encoding")
        self.assertIsNone(plain.headers["Content-Encoding"])
        for accepted, coding in (("gzip", "gzip"), ("deflate", "deflate"), ("gzip, deflate, br", "gzip"), ("br", None),
                                 ("gzip;q=0, deflate;q=0.5", "deflate"), ("identity", None)):
            reply = self.d.post("/classify/many", picture, headers={"Accept-Encoding": accepted})
            self.assertEqual(reply.headers["Content-Encoding"], coding)
            self.assertEqual(INFLATE[coding](reply.body), plain.body)
            self.assertEqual(int(reply.headers["Content-Length"]), len(reply.body))
        small = self.d.post("/classify/tiny?top=1", png(), headers={"Accept-Encoding": "gzip"})
        self.assertIsNone(small.headers["Content-Encoding"])
        shown = self.d.post("/classify/tiny?show=input", png(value=lambda x, y: x * y * 7919 % 251),
                            headers={"Accept-Encoding": "gzip"})
        self.assertEqual(shown.headers["Content-Type"], "image/png")
        self.assertIsNone(shown.headers["Content-Encoding"])
        metrics = self.d.get("/metrics", headers={"Accept-Encoding": "gzip"})
        self.assertIn(b"classifyd_requests_total", gzip.decompress(metrics.body))


if __name__ == "__main__":
    unittest.main()
