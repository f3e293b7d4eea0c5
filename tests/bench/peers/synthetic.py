"""Random pictures and labels as training sets: synthetic.py DIR KIND SAMPLES; KIND is idx or cifar10.

Speed does not depend on what pictures show. The test set is small: it is not what is measured.
"""
import os
import random
import struct
import sys

TEST_SAMPLES = 128


def write(folder, name, data):
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data)


def idx(folder, numbers, samples):
    for name, n in (("train", samples), ("t10k", TEST_SAMPLES)):
        write(folder, f"{name}-images-idx3-ubyte", struct.pack(">4I", 2051, n, 28, 28) + numbers.randbytes(n * 784))
        write(folder, f"{name}-labels-idx1-ubyte", struct.pack(">2I", 2049, n) + bytes(i % 10 for i in range(n)))


def cifar10(folder, numbers, samples):
    def records(n):
        return b"".join(bytes([i % 10]) + numbers.randbytes(3072) for i in range(n))
    for i in range(5):
        write(folder, f"data_batch_{i + 1}.bin", records(samples // 5))
    write(folder, "test_batch.bin", records(TEST_SAMPLES))


def main():
    folder, kind, samples = sys.argv[1], sys.argv[2], int(sys.argv[3])
    os.makedirs(folder, exist_ok=True)
    {"idx": idx, "cifar10": cifar10}[kind](folder, random.Random(1), samples)


main()
