"""Makes the networks that engine.py measures: torchvision's with random weights, as ONNX files with an open batch.

usage: engine_models.py FOLDER NETWORK...

Writes FOLDER/NETWORK.onnx and FOLDER/NETWORK.npy, eight pictures for it [8, 3, side, side]; what is there is kept.
"""
import os
import sys

try:
    import torch
    from torch_networks import export, prepared
except ImportError as error:
    sys.exit(f"engine_models.py: {error}; the packages are python3-torch and python3-torchvision")
import numpy

OPSET = 17
N_PICTURES = 8


def main(folder, *names):
    torch.set_num_threads(1)
    os.makedirs(folder, exist_ok=True)
    for name in names:
        path = os.path.join(folder, name)
        if os.path.exists(path + ".onnx"):
            continue
        network, x, _ = prepared(name, N_PICTURES)
        numpy.save(path + ".npy", x.numpy())
        export(network, x[:1], path + ".part", OPSET, open_batch=True)
        os.rename(path + ".part", path + ".onnx")  # a run that was stopped leaves no half of a model
        print(f"made {path}.onnx", flush=True)


main(*sys.argv[1:])
