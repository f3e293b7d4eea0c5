"""The daemon under load beside its peers, case by case; see http.sh."""
import argparse
import contextlib
import json
import os
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

import serving_load
from serving_load import Shot, median
from serving_servers import Kitchen, note

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MLP = "mnist-mlp"  # 784-128-10


class Bench:
    def __init__(self, options, kitchen):
        self.options, self.kitchen, self.rows, self.lines = options, kitchen, [], []
        self.digit = Shot(f"/classify/{MLP}", os.path.join(ROOT, "tests/images/seven.png"), "image/png")
        self.photo = Shot("/classify/mobilenet_v2?top=10", self.make_photo(), "image/jpeg")  # fastify answers 10 too
        self.network = os.path.join(ROOT, "build/bench/models/mobilenet_v2.onnx")

    def make_photo(self):
        """A JPEG of 500 x 375, the size of ImageNet's."""
        from PIL import Image
        path = os.path.join(self.kitchen.folder, "photo.jpg")
        with Image.open(self.options.photo) as picture:
            picture.convert("RGB").resize((500, 375)).save(path, quality=90)
        return path

    def shipped(self, *names):
        return self.kitchen.repository("-".join(names), {n: os.path.join(self.kitchen.models, n, "1") for n in names})

    def row(self, case, found, must, aim, unit="x", at_most=False):
        """must, aim: what is to be reached, or not to be exceeded."""
        def verdict(goal):
            return "yes" if (found <= goal if at_most else found >= goal) else "no"
        self.rows.append((case, f"{found:.3g} {unit}", f"{must:g}", verdict(must), f"{aim:g}", verdict(aim)))

    def line(self, text):
        self.lines.append(text)
        note(text)

    def rounds(self, turns, seconds=None):
        """Each turn is (name, function of seconds -> Result); they take turns. {name: results}"""
        seconds = seconds or self.options.seconds
        results = {name: [] for name, _ in turns}
        for _, turn in turns:
            turn(1)
        for i in range(self.options.rounds):
            for name, turn in turns if i % 2 == 0 else turns[::-1]:
                results[name].append(turn(seconds))
        for name, found in results.items():
            self.line(f"  {name:24} {median(found, 'rate'):9.0f}/s  p50 {median(found, 'p50_ms'):8.2f} ms  "
                      f"p99 {median(found, 'p99_ms'):8.2f} ms  CPU {median(found, 'cpu_us'):8.1f} us")
        return results

    def full(self, server, shot, connections, cpus=None):
        return lambda seconds: serving_load.wrk(server, shot, connections, seconds, cpus)

    def admin_of(self, server):
        """The admin listener's URL, as the server's greeting says it."""
        with open(server.log.name) as file:
            return file.read().split("(admin ")[1].split(")")[0]

    # --- the cases ---

    def digits(self):
        """PNG to the MLP, 32 connections, beside nginx, FastAPI and fastify."""
        ours = self.kitchen.classifyd("classifyd", self.shipped(MLP))
        fixed = ours.wait_until_it_answers(self.digit.path, self.digit.body()).decode()
        servers = [ours, self.kitchen.nginx(fixed), self.kitchen.fastapi(),
                   self.kitchen.fastify(os.path.join(self.kitchen.models, MLP, "1/model.onnx"), 1, 28)]
        for server in servers:
            server.wait_until_it_answers(self.digit.path, self.digit.body())
        self.line("PNG to a 784-128-10 MLP, 32 connections")
        results = self.rounds([(s.name, self.full(s, self.digit, 32)) for s in servers])
        for server in servers:
            self.line(f"  {server.name:24} {server.memory_mib():7.0f} MiB resident")
        rate = {name: median(found, "rate") for name, found in results.items()}
        for peer, must, aim in (("nginx", 0.55, 0.85), ("fastapi", 12, 20), ("fastify", 25, 40)):
            self.row(f"PNG to the MLP, of {peer}'s rate", rate["classifyd"] / rate[peer], must, aim)
        for server in servers:
            self.kitchen.end(server)
        self.max_rate = rate["classifyd"]

    def tail(self):
        """p99 beside p50 at half of the highest rate."""
        ours = self.kitchen.classifyd("classifyd", self.shipped("mnist"))
        shot = Shot("/classify/mnist", self.digit.file, "image/png")
        ours.wait_until_it_answers(shot.path, shot.body())
        rate = statistics.median(serving_load.wrk(ours, shot, 32, self.options.seconds).rate for _ in range(3))
        self.line(f"PNG to mnist at {rate / 2:.0f} a second, half of the most")
        found = [serving_load.at_rate(ours, shot, 32, rate / 2, self.options.seconds, self.kitchen.folder)
                 for _ in range(self.options.rounds)]
        p50, p99 = median(found, "p50_ms"), median(found, "p99_ms")
        self.line(f"  {'classifyd':24} {median(found, 'rate'):9.0f}/s  p50 {p50:8.3f} ms  p99 {p99:8.3f} ms")
        self.row("p99 of p50 at half the rate, mnist", p99 / p50, 3, 2, at_most=True)
        self.kitchen.end(ours)

    def idle(self):
        """The same load without and beside 1,000 idle connections."""
        ours = self.kitchen.classifyd("classifyd", self.shipped(MLP))
        ours.wait_until_it_answers(self.digit.path, self.digit.body())

        def beside(seconds):
            with contextlib.closing(serving_load.Idle(ours, 1000)):
                return serving_load.wrk(ours, self.digit, 32, seconds)
        self.line("PNG to the MLP beside idle connections")
        found = self.rounds([("alone", self.full(ours, self.digit, 32)), ("beside 1000 idle", beside)])
        loss = 100 * (1 - median(found["beside 1000 idle"], "rate") / median(found["alone"], "rate"))
        self.row("rate lost beside 1,000 idle connections", loss, 5, 0, "%", at_most=True)
        self.kitchen.end(ours)

    def log(self):
        """CPU time a request with and without the access log, which goes to a file. One process that is told: two would
        differ by where their pages happen to lie."""
        ours = self.kitchen.classifyd("classifyd", self.shipped(MLP), access_log="on", admin="127.0.0.1:0")
        ours.wait_until_it_answers(self.digit.path, self.digit.body())
        admin = self.admin_of(ours)

        def at(level):
            def turn(seconds):
                body = json.dumps({"level": level}).encode()
                urllib.request.urlopen(urllib.request.Request(admin + "/log_level", method="PUT", data=body)).close()
                return self.full(ours, self.digit, 32)(seconds)
            return turn
        self.line("PNG to the MLP, access log on and off")
        found = self.rounds([("with log", at("info")), ("without", at("warn"))])
        cost = 100 * (median(found["with log"], "cpu_us") / median(found["without"], "cpu_us") - 1)
        self.row("CPU time of the access log", cost, 5, 2, "%", at_most=True)
        self.kitchen.end(ours)

    def photos(self):
        """JPEG to MobileNetV2, 8 connections, beside fastify."""
        ours = self.kitchen.classifyd("classifyd", self.kitchen.repository("net", {"mobilenet_v2": self.network}))
        servers = [ours, self.kitchen.fastify(self.network, 3, 224)]
        for server in servers:
            server.wait_until_it_answers(self.photo.path, self.photo.body(), "image/jpeg")
        self.line("JPEG 500x375 to mobilenet_v2, 8 connections")
        found = self.rounds([(s.name, self.full(s, self.photo, 8)) for s in servers])
        self.row("JPEG to mobilenet_v2, of fastify's rate",
                 median(found["classifyd"], "rate") / median(found["fastify"], "rate"), 2, 3)
        for server in servers:
            self.kitchen.end(server)

    def tensor_shot(self, server):
        """The picture's tensor as V2 sends it."""
        about = json.loads(server.wait_until_it_answers("/v2/models/mobilenet_v2"))
        head = json.dumps({"inputs": [{"name": about["inputs"][0]["name"], "shape": [1, 3, 224, 224],
                                       "datatype": "FP32", "parameters": {"binary_data_size": 602112}}],
                           "parameters": {"binary_data_output": True}}).encode()
        path = os.path.join(self.kitchen.folder, "tensor.bin")
        with open(path, "wb") as file:
            file.write(head + struct.pack("<f", 0.5) * (3 * 224 * 224))
        return Shot("/v2/models/mobilenet_v2/infer", path, "application/octet-stream",
                    {"Inference-Header-Content-Length": str(len(head))})

    def overhead(self):
        """One core: what the server adds to the network's own time; the load comes from another."""
        models = self.kitchen.repository("net", {"mobilenet_v2": self.network})
        ours = self.kitchen.classifyd("classifyd", models, cpus="0", threads=1)
        shot = self.tensor_shot(ours)
        command = ["taskset", "-c", "0", os.path.join(self.kitchen.binaries, "classify"), "bench", self.network,
                   "--threads", "1", "--seconds", str(self.options.seconds), "--json"]
        alone, served = [], []
        serving_load.wrk(ours, shot, 2, 1, "1")
        for _ in range(self.options.rounds):
            result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            alone.append(result["median_ms"])
            served.append(1e3 / serving_load.wrk(ours, shot, 2, self.options.seconds, "1").rate)
        cost = 100 * (statistics.median(served) / statistics.median(alone) - 1)
        self.line(f"V2 binary FP32 1x3x224x224 to mobilenet_v2: {statistics.median(served):.2f} ms a request, "
                  f"{statistics.median(alone):.2f} ms the network alone")
        self.row("V2 overhead over classify bench, one core", cost, 15, 5, "%", at_most=True)
        self.kitchen.end(ours)

    def start(self):
        """From exec to the first /readyz of 200."""
        for name, models, must, aim in (("mnist", self.shipped("mnist"), 20, 8),
                                        ("mobilenet_v2", self.kitchen.repository("net", {"mobilenet_v2": self.network}),
                                         150, 60)):
            times = []
            for _ in range(self.options.starts):
                server = self.kitchen.classifyd("classifyd", models)
                server.wait_until_it_answers("/readyz", pause_s=0.0005)
                times.append(1e3 * (time.monotonic() - server.started))
                self.kitchen.end(server)
            self.line(f"exec to ready, {name}: {statistics.median(times):.1f} ms of {len(times)}, "
                      f"{min(times):.1f} to {max(times):.1f}")
            self.row(f"from exec to ready, {name}", statistics.median(times), must, aim, "ms", at_most=True)

    def memory(self):
        """Resident when idle, and what reloads add, each of which finds another file than the one before."""
        models = self.shipped("mnist")
        files = [os.path.join(self.kitchen.models, name, "1/model.onnx") for name in ("fashion-mnist", "mnist")]
        server = self.kitchen.classifyd("classifyd", models, admin="127.0.0.1:0")
        server.wait_until_it_answers("/readyz")
        time.sleep(1)
        first = server.memory_mib()
        admin = self.admin_of(server)
        reload = urllib.request.Request(admin + "/models/mnist/reload", method="POST", data=b"")
        after_few = digest = None
        for i in range(self.options.reloads - self.options.reloads % 2):  # the last one is mnist again
            shutil.copyfile(files[i % 2], os.path.join(models, "next"))
            os.replace(os.path.join(models, "next"), os.path.join(models, "mnist/1/model.onnx"))
            row = json.load(urllib.request.urlopen(reload, timeout=60))["models"][0]
            if row["result"] != "loaded" or row["digest"] == digest:
                raise RuntimeError(f"reload {i} loaded nothing new: {row}")
            digest = row["digest"]
            if i == 9:
                after_few = server.memory_mib()
        time.sleep(1)
        last = server.memory_mib()
        self.line(f"resident: {first:.1f} MiB idle with mnist, {after_few:.1f} after 10 reloads, {last:.1f} after "
                  f"{self.options.reloads}")
        self.row("resident, idle with mnist", first * 1.048576, 25, 12, "MB", at_most=True)
        self.row(f"resident after {self.options.reloads} reloads, added", 100 * (last / first - 1), 2, 0, "%",
                 at_most=True)
        self.kitchen.end(server)

    def table(self):
        head = ("case", "found", "must", "met", "aim", "met")
        rows = [head] + self.rows
        widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
        lines = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths)) + " |" for row in rows]
        lines.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
        return "\n".join(lines)


CASES = ("digits", "tail", "idle", "log", "photos", "overhead", "start", "memory")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--starts", type=int, default=15)
    parser.add_argument("--reloads", type=int, default=10000)
    parser.add_argument("--bin", default=os.path.join(ROOT, "build/release/bin"))
    parser.add_argument("--models", default=os.path.join(ROOT, "models"))
    parser.add_argument("--photo", default=os.path.join(ROOT, "tests/images/scene.jpg"))
    options = parser.parse_args()
    folder = tempfile.mkdtemp()
    try:
        with Kitchen(folder, options.bin, options.models, os.path.join(ROOT, "build/peers")) as kitchen:
            bench = Bench(options, kitchen)
            for case in options.cases.split(","):
                getattr(bench, case)()
            print("\n".join(bench.lines), "\n", bench.table(), sep="")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
