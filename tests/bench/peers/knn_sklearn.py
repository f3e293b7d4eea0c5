"""Nearest neighbours by scikit-learn: brute force, manhattan, k = 1, over CIFAR-10.

usage: knn_sklearn.py DIR QUERIES
Prints "ms-a-query seconds accuracy peak-MiB", as bench_knn does; seconds are those of predict alone.
"""
import resource
import sys
import time
from pathlib import Path

import numpy
from sklearn.neighbors import KNeighborsClassifier


def load(paths):
    records = numpy.concatenate([numpy.fromfile(path, numpy.uint8).reshape(-1, 3073) for path in paths])
    return records[:, 1:], records[:, 0]


def main():
    folder, n_queries = Path(sys.argv[1]), int(sys.argv[2])
    model = KNeighborsClassifier(1, algorithm="brute", metric="manhattan", n_jobs=2)
    model.fit(*load(sorted(folder.glob("data_batch_*.bin"))))
    pictures, labels = load([folder / "test_batch.bin"])
    start = time.perf_counter()
    answers = model.predict(pictures[:n_queries])
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    accuracy = (answers == labels[:n_queries]).mean()
    print(f"{1e3 * seconds / n_queries:.4f} {seconds:.3f} {accuracy:.4f} {peak:.0f}")


main()
