"""Training by PyTorch: the networks of tests/bench/recipes, with nothing around them that costs time.

usage: train_torch.py NETWORK SAMPLES EPOCHS
Prints samples per second of each epoch, then the peak memory in MiB. Data lie in memory as floats, batches are
slices of them (nothing is copied), nothing is augmented, gradients are dropped instead of zeroed, two threads.
"""
import resource
import sys
import time

import torch
from torch import nn

BATCH = 128
THREADS = 2


class Residual(nn.Module):
    def __init__(self, n_in, n_out, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU(inplace=True),
            nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False), nn.BatchNorm2d(n_out))
        self.shortcut = nn.Identity() if stride == 1 else nn.Sequential(
            nn.Conv2d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm2d(n_out))
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.relu(self.body(x) + self.shortcut(x))


def mlp():
    return (1, 28, 28), nn.Sequential(
        nn.Flatten(), nn.Linear(784, 512), nn.ReLU(inplace=True), nn.Linear(512, 512), nn.ReLU(inplace=True),
        nn.Linear(512, 10))


def lenet():
    return (1, 28, 28), nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(inplace=True), nn.Linear(120, 84), nn.ReLU(inplace=True), nn.Linear(84, 10))


def resnet20():
    blocks = [Residual(n_in, n_out, stride) for n_in, n_out, stride in (
        (16, 16, 1), (16, 16, 1), (16, 16, 1), (16, 32, 2), (32, 32, 1), (32, 32, 1),
        (32, 64, 2), (64, 64, 1), (64, 64, 1))]
    return (3, 32, 32), nn.Sequential(
        nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True), *blocks,
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def main():
    network, samples, epochs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(THREADS)
    torch.manual_seed(1)
    shape, model = {"mlp": mlp, "lenet": lenet, "resnet20": resnet20}[network]()
    x = torch.rand(samples, *shape)
    y = torch.randint(0, 10, (samples,))
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    criterion = nn.CrossEntropyLoss()
    model.train()
    for _ in range(epochs):
        start = time.perf_counter()
        for i in range(0, samples - BATCH + 1, BATCH):
            optimiser.zero_grad(set_to_none=True)
            criterion(model(x[i:i + BATCH]), y[i:i + BATCH]).backward()
            optimiser.step()
        print(samples / (time.perf_counter() - start))
    print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


main()
