"""Reloads: transactions that no request notices; broken files; memory; the admin listener's doors."""
import os
import shutil
import signal
import tempfile
import threading
import unittest

import daemon
import tiny_onnx
from daemon import png

N_RELOADS = 1000


class Reload(daemon.TestCase):
    def break_model(self, name="tiny", version=1, contents=b"no model"):
        tiny_onnx.write(self.models, name, version, contents)

    def versions(self, d):
        return {(m["name"], v["version"]): v for m in d.get("/models", admin=True).json()["models"]
                for v in m["versions"]}

    def test_reload_replaces(self):
        self.write_model(seed=1)
        d = self.start()
        old = d.post("/classify", png()).json()
        self.write_model(seed=2, prefix="new-")
        reply = d.post("/models/tiny/reload", admin=True)
        self.assertEqual(reply.status, 200)
        row, = reply.json()["models"]
        self.assertEqual((row["model"], row["version"], row["result"], row["reason"]), ("tiny", "1", "loaded", ""))
        new = d.post("/classify", png()).json()
        self.assertEqual(new["digest"], row["digest"])
        self.assertNotEqual(new["digest"], old["digest"])
        self.assertTrue(new["predictions"][0]["label"].startswith("new-"))

    def test_new_versions_and_removed_ones(self):
        self.write_model(version=1, prefix="a")
        self.write_model("other", seed=4)
        d = self.start()
        self.write_model(version=10, prefix="b")
        self.write_model(version=9, prefix="c")
        self.assertEqual(d.post("/reload", admin=True).status, 200)
        self.assertEqual(d.post("/classify/tiny", png()).json()["version"], "10")
        self.assertEqual(d.post("/classify/tiny/1", png()).json()["version"], "1")
        self.check_error(d.post("/classify", png()), 404, "model_not_found")
        shutil.rmtree(os.path.join(self.models, "tiny", "10"))
        reply = d.post("/models/tiny/reload", admin=True).json()
        self.assertEqual([r["version"] for r in reply["models"] if r["result"] == "removed"], ["10"])
        self.assertEqual(d.post("/classify/tiny", png()).json()["version"], "9")
        self.check_error(d.post("/classify/tiny/10", png()), 404, "model_not_found")
        self.assertEqual(sorted(self.versions(d)), [("other", "1"), ("tiny", "1"), ("tiny", "9")])

    def test_a_broken_file_leaves_the_old_version(self):
        self.write_model()
        d = self.start()
        old = d.post("/classify", png()).json()
        whole = tiny_onnx.model()
        bad_golden = tiny_onnx.model(metadata={"classifyd.golden": "[{}]"})
        for contents in (b"", b"no model", whole[:len(whole) // 2], bad_golden):
            self.break_model(contents=contents)
            reply = d.post("/models/tiny/reload", admin=True)
            error = self.check_error(reply, 422, "model_rejected")
            row, = error["models"]
            self.assertEqual((row["result"], row["digest"]), ("rejected", old["digest"]))
            self.assertIn("model.onnx", row["reason"])
            self.assertEqual(d.post("/classify", png()).json(), old)
            version = self.versions(d)[("tiny", "1")]
            self.assertEqual((version["reason"], version["digest"]), (row["reason"], old["digest"]))
            self.assertNotIn("reason", d.get("/models").json()["models"][0]["versions"][0])
        self.assertEqual(d.get("/readyz").status, 200)
        self.assertEqual(d.metric('classifyd_model_reloads_total{model="tiny",result="rejected"}'), 4)
        d.wait_for(lambda: "result=rejected" in d.log(), "log line")
        self.write_model()
        self.assertEqual(d.post("/models/tiny/reload", admin=True).status, 200)
        self.assertEqual(self.versions(d)[("tiny", "1")]["reason"], "")

    def test_unknown_model(self):
        self.write_model()
        d = self.start()
        self.check_error(d.post("/models/nope/reload", admin=True), 404, "model_not_found", "nope")
        for name in ("..", "%2e%2e", "..%2F..", "a%2Fb", "%2Ftmp"):
            self.assertIn(d.post("/models/%s/reload" % name, admin=True).status, (400, 404))

    def test_sighup_reloads(self):
        self.write_model(seed=1)
        d = self.start()
        old = d.post("/classify", png()).json()["digest"]
        self.write_model(seed=2)
        d.signal(signal.SIGHUP)
        d.wait_for(lambda: d.post("/classify", png()).json()["digest"] != old, "new version")

    def test_no_request_notices_a_reload(self):
        """Under load each answer is wholly of one version: its digest, its labels, its probabilities."""
        picture = png()
        contents = [tiny_onnx.model(seed=i, prefix="s%d-" % i) for i in range(2)]
        known = {}
        tiny_onnx.write(self.models, "tiny", 1, contents[0])
        d = self.start("--inline-below-us", "0")
        for c in contents:
            tiny_onnx.write(self.models, "tiny", 1, c)
            self.assertEqual(d.post("/reload", admin=True).status, 200)
            answer = d.post("/classify", picture).json()
            known[answer["digest"]] = answer
        self.assertEqual(len(known), 2)
        stop, wrong, seen = threading.Event(), [], set()

        def work():
            while not stop.is_set():
                reply = d.post("/classify", picture)
                answer = reply.json()
                if reply.status != 200 or known.get(answer["digest"]) != answer:
                    wrong.append(reply.body)
                    return
                seen.add(answer["digest"])
        threads = [threading.Thread(target=work) for _ in range(4)]
        for t in threads:
            t.start()
        for i in range(60):
            if i % 5 == 4:
                self.break_model()
            else:
                tiny_onnx.write(self.models, "tiny", 1, contents[i % 2])
            self.assertEqual(d.post("/models/tiny/reload", admin=True).status, 422 if i % 5 == 4 else 200)
        stop.set()
        for t in threads:
            t.join()
        self.assertEqual(wrong, [])
        self.assertEqual(len(seen), 2)

    def test_memory_comes_back(self):
        """RSS after N_RELOADS reloads of a 1 MB model is what it was after the first hundred."""
        self.write_model(size=64, n_classes=64)
        sanitized = daemon.is_sanitized()
        d = self.start("--access-log", "off", "--log-level", "error")
        after = []
        for i in range(N_RELOADS // 10 if sanitized else N_RELOADS):
            self.assertEqual(d.post("/reload", admin=True).status, 200)
            if i % 100 == 99:
                d.post("/classify", png())
                after.append(d.resident_bytes())
        print("RSS after each hundred reloads, MB:", " ".join("%.1f" % (b / 1e6) for b in after), flush=True)
        if not sanitized:
            self.assertLess(after[-1], after[0] + 4e6)


class Admin(daemon.TestCase):
    def test_token(self):
        self.write_model()
        with tempfile.NamedTemporaryFile("w") as f:
            f.write(" s3cret\n")
            f.flush()
            d = self.start("--admin-token-file", f.name)
            for path in ("/models", "/reload"):
                method = "GET" if path == "/models" else "POST"
                reply = d.request(method, path, admin=True)
                self.check_error(reply, 401, "unauthorized")
                self.assertEqual(reply.headers["WWW-Authenticate"], "Bearer")
                reply = d.request(method, path, headers={"Authorization": "Bearer s3cre"}, admin=True)
                self.check_error(reply, 403, "forbidden")
                reply = d.request(method, path, headers={"Authorization": "Bearer s3cret"}, admin=True)
                self.assertEqual(reply.status, 200)
        self.assertEqual(d.get("/models").status, 200)

    def test_models(self):
        self.write_model(n_classes=7)
        d = self.start()
        public = d.get("/models").json()["models"]
        self.assertEqual(public[0]["name"], "tiny")
        version = public[0]["versions"][0]
        self.assertEqual((version["version"], version["state"], version["default"], version["classes"]),
                         ("1", "ready", True, 7))
        self.assertEqual(version["input"], {"width": 28, "height": 28, "channels": 1})
        self.assertEqual(version["guessed"], ["preprocess"])
        admin = d.get("/models", admin=True).json()["models"][0]["versions"][0]
        self.assertEqual(admin["queue_length"], 0)
        self.assertEqual({k: v for k, v in admin.items() if k in version}, version)

    def test_no_admin_listener(self):
        self.write_model()
        d = self.start("--admin", "")
        self.assertEqual(d.admin_port, 0)
        self.assertEqual(d.post("/classify", png()).status, 200)


if __name__ == "__main__":
    unittest.main()
