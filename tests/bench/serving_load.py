"""Load: wrk as fast as it goes, h2load at a given rate, and connections that only stand there."""
import os
import re
import resource
import socket
import statistics
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))


class Shot:
    """What every request of a load sends."""

    def __init__(self, path, file, content_type, headers=None):
        self.path, self.file, self.content_type, self.headers = path, file, content_type, headers or {}

    def body(self):
        with open(self.file, "rb") as file:
            return file.read()


class Result:
    def __init__(self, rate, p50_ms, p99_ms, failed, cpu_us=0.0):
        self.rate, self.p50_ms, self.p99_ms, self.failed, self.cpu_us = rate, p50_ms, p99_ms, failed, cpu_us


def wrk(server, shot, connections, seconds, cpus=None):
    """Each connection sends as soon as it has its answer."""
    environment = {**os.environ, "BODY": shot.file, "CONTENT_TYPE": shot.content_type,
                   "HEADERS": "\n".join(f"{k}: {v}" for k, v in shot.headers.items())}
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", os.path.join(HERE, "post.lua"),
               server.url + shot.path]
    before = server.cpu_s()
    text = subprocess.run((["taskset", "-c", cpus] if cpus else []) + command, env=environment, check=True,
                          capture_output=True, text=True).stdout
    rate, p50, p99, failed = map(float, re.search(r"^RESULT (.*)$", text, re.M).group(1).split())
    if failed:
        raise RuntimeError(f"{server.name}: {failed:.0f} requests failed")
    return Result(rate, p50, p99, failed, 1e6 * (server.cpu_s() - before) / (rate * seconds))


def at_rate(server, shot, connections, rate, seconds, folder):
    """The rate is kept, whatever the answers take: waiting counts."""
    log = os.path.join(folder, "h2load.log")
    if os.path.exists(log):
        os.remove(log)
    headers = [f"-H{k}: {v}" for k, v in {"Content-Type": shot.content_type, **shot.headers}.items()]
    subprocess.run(["h2load", "--h1", f"-c{connections}", "-t1", f"--rps={max(1, round(rate / connections))}",
                    f"-D{seconds}", "--warm-up-time=1", f"-d{shot.file}", f"--log-file={log}"] + headers +
                   [server.url + shot.path], check=True, capture_output=True)
    times, failed = [], 0
    with open(log) as file:
        for line in file:
            _, status, time_us = line.split()[:3]
            times.append(int(time_us) / 1000)
            failed += status != "200"
    if failed:
        raise RuntimeError(f"{server.name}: {failed} requests failed at {rate:.0f} a second")
    times.sort()
    return Result(len(times) / seconds, times[len(times) // 2], times[len(times) * 99 // 100], failed)


class Idle:
    """Connections that asked once and stay open."""

    def __init__(self, server, n):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft < n + 100:
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, n + 100), hard))
        self.sockets = []
        for _ in range(n):
            s = socket.create_connection(("127.0.0.1", server.port), timeout=10)
            s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            if b" 200 " not in s.recv(4096):
                raise RuntimeError("an idle connection was not answered")
            self.sockets.append(s)

    def close(self):
        for s in self.sockets:
            s.close()


def median(results, name):
    return statistics.median(getattr(r, name) for r in results)
