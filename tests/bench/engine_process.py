"""The two engines as processes that take turns, and what the processor can multiply."""
import ctypes
import os
import re
import subprocess
import time

import numpy


class Engine:
    """A process that says "ready ..." after a first run and then answers numbers of runs with their times."""

    def __init__(self, command):
        self.command = command
        start = time.monotonic()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ready = self.read_line()
        self.first_answer_ms = 1e3 * (time.monotonic() - start)
        self.first_answer_cpu_ms = self.cpu_ms()

    def read_line(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(self.command)}: ended with {self.process.wait()}")
        return line

    def cpu_ms(self):
        """Of all threads so far. Other load on the machine hardly changes it."""
        folder, total_ns = f"/proc/{self.process.pid}/task", 0
        for task in os.listdir(folder):
            with open(f"{folder}/{task}/schedstat") as file:
                total_ns += int(file.read().split()[0])
        return 1e-6 * total_ns

    def turn(self, n_runs):
        """(median, shortest, CPU time) of a run, in milliseconds."""
        before = self.cpu_ms()
        self.process.stdin.write(f"{n_runs}\n")
        self.process.stdin.flush()
        line = self.read_line()
        median, shortest = re.fullmatch(r"median_ms ([\d.]+) min_ms ([\d.]+)\n", line).groups()
        return float(median), float(shortest), (self.cpu_ms() - before) / n_runs

    def peak_mib(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            return int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1)) / 1024

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class Multiplier:
    """OpenBLAS's sgemm on one core: the pace that shares of the peak relate to."""

    SIZE, PRODUCTS = 1024, 3

    def __init__(self):
        os.environ["OPENBLAS_NUM_THREADS"] = "1"
        self.sgemm = ctypes.CDLL("libopenblas.so.0").cblas_sgemm
        self.matrices = [numpy.full((self.SIZE, self.SIZE), 0.5, numpy.float32) for _ in range(3)]
        self.best_gflops = 0

    def measure(self):
        """In CPU time. Keeps the best of the run: other load can only take from it."""
        n, one, zero = ctypes.c_int(self.SIZE), ctypes.c_float(1), ctypes.c_float(0)
        a, b, c = (m.ctypes.data_as(ctypes.c_void_p) for m in self.matrices)
        row_major, as_is = ctypes.c_int(101), ctypes.c_int(111)
        start = time.thread_time()
        for _ in range(self.PRODUCTS):
            self.sgemm(row_major, as_is, as_is, n, n, n, one, a, n, b, n, zero, c, n)
        gflops = 2e-9 * self.SIZE ** 3 * self.PRODUCTS / (time.thread_time() - start)
        self.best_gflops = max(gflops, self.best_gflops)
