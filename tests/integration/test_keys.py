"""API keys and admin tokens: who may ask, how their files are read again, how their lines are made."""
import hashlib
import json
import os
import re
import signal
import subprocess

import daemon
from daemon import PROGRAM, environment, png, run


def line(owner, secret):
    return "%s:%s\n" % (owner, hashlib.sha256(secret.encode()).hexdigest())


def bearer(secret):
    return {"Authorization": "Bearer " + secret}


class HashKey(daemon.TestCase):
    def hash_key(self, *arguments, key):
        return subprocess.run([PROGRAM, "--hash-key", *arguments], input=key, text=True, env=environment(),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def test_line(self):
        for key in ("s3cret\n", "s3cret", "s3cret \r\n"):
            result = self.hash_key("alice", key=key)
            self.assertEqual((result.returncode, result.stdout), (0, line("alice", "s3cret")))

    def test_refusals(self):
        for owner, key, part in (("a b", "x", "wanted an id"), ("i" * 65, "x", "wanted an id"),
                                 ("a", "", "one line"), ("a", "\n", "one line"), ("a", "two words\n", "one line"),
                                 ("a", "k" * 5000, "one line")):
            result = self.hash_key(owner, key=key)
            self.assertEqual((result.returncode, result.stdout), (1, ""))
            self.assertIn(part, result.stderr)
        self.assertIn("wanted a value", run("--hash-key").stderr)


class Keys(daemon.TestCase):
    def setUp(self):
        super().setUp()
        self.write_model()
        self.folder = os.path.join(self.models, ".secret")
        os.mkdir(self.folder)
        self.keys = os.path.join(self.folder, "keys")
        self.write(self.keys, "# ours\n" + line("alice", "a-key") + line("bob", "b-key"))

    def write(self, path, text):
        """As a careful editor does: whole or not at all."""
        with open(path + ".new", "w") as f:
            f.write(text)
        os.rename(path + ".new", path)

    def start_with_keys(self, *flags):
        return self.start("--api-keys-file", self.keys, *flags)

    def test_who_may_ask(self):
        d = self.start_with_keys()
        reply = d.post("/classify", png())
        self.check_error(reply, 401, "unauthorized", "Authorization: Bearer <key>")
        self.assertEqual(reply.headers["WWW-Authenticate"], "Bearer")
        for headers in ({"Authorization": "Basic YTpi"}, {"Authorization": "Bearer"}, {"Authorization": "a-key"}):
            self.check_error(d.post("/classify", png(), headers=headers), 401, "unauthorized")
        for secret in ("", "a-ke", "a-keyy", "A-KEY", "alice", line("alice", "a-key").strip(), "k" * 5000):
            self.check_error(d.post("/classify", png(), headers={"X-API-Key": secret}), 403, "forbidden",
                             "the API key is not one that api_keys_file holds")
        for headers in (bearer("a-key"), {"Authorization": "bearer  b-key"}, {"X-API-Key": "b-key"},
                        {"x-api-key": "a-key", "Authorization": "Basic YTpi"}):
            self.assertEqual(d.post("/classify", png(), headers=headers).status, 200)
        self.check_error(d.get("/models"), 401, "unauthorized")
        self.assertEqual(d.get("/models", headers=bearer("a-key")).status, 200)
        self.check_error(d.get("/nowhere"), 404, "not_found")

    def test_the_log_names_who_asked(self):
        d = self.start_with_keys()
        d.post("/classify", png(), headers=dict(bearer("b-key"), **{"X-Request-Id": "mine"}))
        d.wait_for(lambda: re.search(r"id=mine .*key=bob ", d.log()), "line")
        self.assertNotIn("b-key", d.log())

    def test_a_body_is_not_read_for_nothing(self):
        d = self.start_with_keys()
        with d.connect() as s:
            s.sendall(b"POST /classify HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n"
                      b"Expect: 100-continue\r\n\r\n")
            self.assertTrue(s.recv(4096).startswith(b"HTTP/1.1 401 "))

    def test_exempt(self):
        d = self.start_with_keys()
        for path in ("/healthz", "/readyz", "/metrics"):
            self.assertEqual(d.get(path).status, 200)
        d = self.start("--api-keys-file", self.keys, "--api-keys-exempt", "healthz, readyz,models")
        self.assertEqual(d.get("/models").status, 200)
        self.check_error(d.get("/metrics"), 401, "unauthorized")
        result = run("--api-keys-exempt", "healthz,metrix", "--models", self.models)
        self.assertEqual(result.returncode, 1)
        self.assertIn('no route has the label "metrix"; the nearest is "metrics"', result.stderr)

    def test_keys_are_not_tokens(self):
        tokens = os.path.join(self.folder, "tokens")
        self.write(tokens, line("carol", "c-token"))
        d = self.start_with_keys("--admin-token-file", tokens)
        self.check_error(d.get("/models", headers=bearer("a-key"), admin=True), 403, "forbidden",
                         "the bearer token is not one that admin_token_file holds")
        self.check_error(d.get("/models", headers=bearer("c-token")), 403, "forbidden")
        self.assertEqual(d.get("/models", headers=bearer("c-token"), admin=True).status, 200)
        self.assertEqual(d.get("/models", headers={"X-API-Key": "c-token"}, admin=True).status, 200)
        d.wait_for(lambda: "key=carol" in d.log(), "line")

    def may(self, d, secret):
        status = d.get("/models", headers=bearer(secret)).status
        self.assertIn(status, (200, 403))
        return status == 200

    def test_reload_by_call(self):
        d = self.start_with_keys()
        self.assertTrue(self.may(d, "a-key"))
        self.write(self.keys, line("dave", "d-key"))
        reply = d.post("/reload", admin=True)
        self.assertEqual(reply.status, 200)
        self.assertEqual(reply.json()["files"], [{"setting": "api_keys_file", "result": "loaded", "reason": ""}])
        self.assertFalse(self.may(d, "a-key"))
        self.assertTrue(self.may(d, "d-key"))
        self.write(self.keys, "d-key in plain\n")
        reply = d.post("/models/tiny/reload", admin=True)  # of one model: no other file is read
        self.assertEqual((reply.status, "files" in reply.json()), (200, False))
        reply = d.post("/reload", admin=True)
        self.check_error(reply, 422, "file_rejected", "line 1")
        self.assertNotIn(b"plain", reply.body)
        self.assertEqual(reply.json()["files"][0]["result"], "rejected")
        self.assertEqual(reply.json()["models"][0]["result"], "loaded")
        self.write(self.keys, line("dave", "d-key") + "\n" + "#" * (1 << 20))
        self.check_error(d.post("/reload", admin=True), 422, "file_rejected", "wanted at most 1048576 bytes")
        self.assertTrue(self.may(d, "d-key"))
        d.wait_for(lambda: re.search("level=error msg=file setting=api_keys_file result=rejected", d.log()), "line")

    def test_reload_by_signal_and_by_itself(self):
        d = self.start_with_keys()
        self.write(self.keys, line("erin", "e-key"))
        d.signal(signal.SIGHUP)
        d.wait_for(lambda: self.may(d, "e-key"), "new key")
        self.write(self.keys, line("frank", "f-key"))
        d.wait_for(lambda: self.may(d, "f-key"), "newer key")
        self.assertFalse(self.may(d, "e-key"))
        os.unlink(self.keys)
        d.wait_for(lambda: "result=rejected" in d.log(), "line")
        self.assertTrue(self.may(d, "f-key"))

    def test_another_file_without_a_restart(self):
        config = os.path.join(self.folder, "config.json")

        def configure(wanted=None, **settings):
            self.write(config, json.dumps(settings))
            reply = d.post("/config/reload", admin=True)
            if wanted is None:
                self.assertEqual(reply.status, 200, reply.body)
                self.assertFalse(reply.json()["restart_needed"])
            else:
                self.check_error(reply, 422, "config_rejected", wanted)
        self.write(config, "{}")
        d = self.start("--config", config)
        self.assertEqual(d.get("/models").status, 200)
        configure(api_keys_file=self.keys)  # on
        self.check_error(d.get("/models"), 401, "unauthorized")
        self.assertTrue(self.may(d, "a-key"))
        self.assertEqual(d.get("/metrics").status, 200)
        configure(api_keys_file=self.keys, api_keys_exempt="models")
        self.assertEqual(d.get("/models").status, 200)
        self.check_error(d.get("/metrics"), 401, "unauthorized")
        other = os.path.join(self.folder, "other")
        self.write(other, line("dave", "d-key"))
        configure(api_keys_file=other)
        self.assertEqual((self.may(d, "a-key"), self.may(d, "d-key")), (False, True))
        self.write(other, line("erin", "e-key"))  # it is what is watched from now on
        d.wait_for(lambda: self.may(d, "e-key"), "new key")
        configure("/nowhere: No such file", api_keys_file="/nowhere")
        self.write(self.keys, "rubbish\n")
        configure("api_keys_file %s" % self.keys, api_keys_file=self.keys)
        # Whatever else is wrong: what was read for a reload that is refused never holds.
        self.write(self.keys, line("mallory", "m-key"))
        configure("max_bodies_bytes", api_keys_file=self.keys, max_body_bytes=1 << 30)
        self.assertEqual((self.may(d, "m-key"), self.may(d, "e-key")), (False, True))
        tokens = os.path.join(self.folder, "tokens")
        self.write(tokens, "a-token\n")
        self.write(config, json.dumps({"api_keys_file": other, "admin_token_file": tokens}))
        self.assertEqual(d.post("/config/reload", admin=True).status, 200)
        self.check_error(d.post("/config/reload", admin=True), 401, "unauthorized")
        self.write(config, "{}")  # off
        self.assertEqual(d.post("/config/reload", admin=True, headers=bearer("a-token")).status, 200)
        self.assertEqual((d.get("/models").status, d.get("/models", admin=True).status), (200, 200))
        self.assertNotIn("files", d.post("/reload", admin=True).json())

    def test_bad_files_refuse_to_start(self):
        for text, part in (("", "holds no key"), ("a-key\n", "line 1"), (line("a", "x") * 2, "digest of")):
            self.write(self.keys, text)
            result = run("--api-keys-file", self.keys, "--models", self.models)
            self.assertEqual(result.returncode, 1)
            self.assertIn("api_keys_file %s" % self.keys, result.stderr)
            self.assertIn(part, result.stderr)
        self.assertIn("No such file", run("--api-keys-file", "/nowhere", "--models", self.models).stderr)


if __name__ == "__main__":
    daemon.main()
