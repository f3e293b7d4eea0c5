"""The servers that serving.py loads: each a process of its own, ended by its own id."""
import glob
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = "/usr/bin/python3"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def family(pid):
    """A process and its children."""
    children = []
    for path in glob.glob(f"/proc/{pid}/task/*/children"):
        with open(path) as file:
            children += file.read().split()
    return [str(pid)] + [p for child in children for p in family(child)]


class Server:
    """command is a list; "{port}" in it becomes the port."""

    def __init__(self, name, command, folder, cwd=None, env=None, cpus=None):
        self.name, self.port = name, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = open(os.path.join(folder, f"{name}-{self.port}.log"), "w+")
        words = [word.replace("{port}", str(self.port)) for word in command]
        if cpus is not None:
            words = ["taskset", "-c", cpus] + words
        self.started = time.monotonic()
        self.process = subprocess.Popen(words, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=subprocess.STDOUT)

    def wait_until_it_answers(self, path, body=None, content_type="image/png", pause_s=0.05):
        """The first reply of 200, whose body is returned."""
        headers = {"Content-Type": content_type} if body else {}
        while time.monotonic() - self.started < 60 and self.process.poll() is None:
            try:
                request = urllib.request.Request(self.url + path, data=body, headers=headers)
                return urllib.request.urlopen(request, timeout=10).read()
            except OSError:
                time.sleep(pause_s)
        self.log.seek(0)
        raise RuntimeError(f"{self.name} does not answer {path}:\n{self.log.read()}")

    def memory_mib(self):
        """Resident, of all its processes."""
        total_kib = 0
        for pid in family(self.process.pid):
            with open(f"/proc/{pid}/status") as file:
                total_kib += sum(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))
        return total_kib / 1024

    def cpu_s(self):
        total_ns = 0
        for pid in family(self.process.pid):
            for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
                with open(path) as file:
                    total_ns += int(file.read().split()[0])
        return total_ns * 1e-9

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


class Kitchen:
    """Makes servers, and ends all of them at last."""

    def __init__(self, folder, binaries, models, peers):
        self.folder, self.binaries, self.models, self.peers = folder, binaries, models, peers
        self.servers = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self.servers:
            server.close()

    def start(self, *arguments, **options):
        server = Server(*arguments, self.folder, **options)
        self.servers.append(server)
        return server

    def end(self, server):
        self.servers.remove(server)
        server.close()

    def repository(self, name, sources):
        """A models folder of these: {name: version folder or .onnx file}."""
        root = os.path.join(self.folder, name)
        for model, source in sources.items():
            version = os.path.join(root, model, "1")
            if os.path.isdir(source):
                shutil.copytree(source, version, dirs_exist_ok=True)
                continue
            os.makedirs(version, exist_ok=True)
            shutil.copyfile(source, os.path.join(version, "model.onnx"))
            with open(os.path.join(root, model, "config.json"), "w") as file:
                json.dump({"preprocess": {"preset": "imagenet-torchvision"}}, file)
        return root

    def classifyd(self, name, models, cpus=None, **settings):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("CLASSIFYD_")}
        settings = {"access_log": "off", "admin": "", **settings}
        words = [w for key, value in settings.items() for w in ("--set", f"{key}={value}")]
        return self.start(name, [os.path.join(self.binaries, "classifyd"), "--models", models,
                                 "--listen", "127.0.0.1:{port}"] + words, env=environment, cpus=cpus)

    def nginx(self, body):
        """Answers every POST with a fixed body: about what HTTP itself costs on this machine."""
        with open(os.path.join(HERE, "peers", "nginx.conf.in")) as file:
            text = file.read()
        port = free_port()
        for key, value in (("@DIR@", self.folder), ("@PORT@", str(port)), ("@BODY@", body.strip())):
            text = text.replace(key, value)
        path = os.path.join(self.folder, "nginx.conf")
        with open(path, "w") as file:
            file.write(text)
        server = self.start("nginx", ["nginx", "-p", self.folder, "-e", os.path.join(self.folder, "nginx-error.log"),
                                      "-c", path])
        server.port, server.url = port, f"http://127.0.0.1:{port}"
        return server

    def fastapi(self):
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        return self.start("fastapi", [PYTHON, "-m", "uvicorn", "fastapi_torch:app", "--port", "{port}", "--workers",
                                      "2", "--log-level", "warning", "--no-access-log"],
                          cwd=os.path.join(HERE, "peers"), env=environment)

    def fastify(self, model, channels, side):
        return self.start("fastify", ["node", os.path.join(HERE, "peers", "fastify_ort.mjs"), model, str(channels),
                                      str(side), "{port}"], cwd=self.peers)


def note(text):
    print(text, file=sys.stderr)
