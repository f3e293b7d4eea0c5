"""torchvision's classification networks, exported to ONNX, answer here as PyTorch does when it computes in doubles.

usage: torchvision.py [--all] [--opsets 11,13,17] [--max-parameters MILLIONS] [NETWORK ...]

Weights are random, no download: BatchNormalization is calibrated on random pictures, what is initialised to nothing
(layer scales, heads) gets weights, and the last layer is scaled so that the answers differ. For each opset, exported
with a batch of 1 or an open one: batch 1 and batch 4, probabilities within 1e-4 and the same top-1. In floats PyTorch
itself is off by up to 1.6e-4 in deep networks with random weights (resnet152), hence the doubles. Without names a
quick choice of networks runs, with --all or CLASSIFYD_TORCHVISION=all every one of at most so many parameters. What
PyTorch itself refuses to export is no failure, but is listed with its reason.
"""
import os
import sys

sys.path.pop(0)  # this folder: it would hide the torchvision that is meant
try:
    import numpy
    import torch
    import torchvision
    from torch.onnx.errors import OnnxExporterError
    from torch_networks import export, prepared, softmax
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)
import argparse
import copy
import json
import subprocess
import tempfile
import time

CLASSIFY = os.path.join(os.environ["CLASSIFYD_BIN"], "classify")
TOLERANCE = 1e-4
OPSETS = [11, 13, 17]
OPEN_BATCH = 13
# Every family once, its smallest member, with one opset.
QUICK = {"alexnet": 11, "convnext_tiny": 17, "densenet121": 13, "efficientnet_b0": 17, "googlenet": 11,
         "inception_v3": 13, "maxvit_t": 17, "mnasnet0_5": 11, "mobilenet_v2": 13, "mobilenet_v3_small": 17,
         "regnet_y_400mf": 11, "resnet18": 13, "resnext50_32x4d": 17, "shufflenet_v2_x0_5": 11, "squeezenet1_1": 13,
         "swin_t": 17, "vit_b_32": 11}
# Billions of multiply-adds as torchvision's tables of pretrained weights state them.
STATED_GFLOPS = {"alexnet": 0.71, "convnext_tiny": 4.46, "densenet121": 2.83, "efficientnet_b0": 0.39, "googlenet": 1.50,
                 "inception_v3": 5.71, "maxvit_t": 5.56, "mobilenet_v2": 0.30, "resnet18": 1.81, "resnet50": 4.09,
                 "resnext50_32x4d": 4.23, "squeezenet1_1": 0.35, "swin_t": 4.49, "vit_b_16": 17.56, "vit_b_32": 4.41}


def classify(*args):
    done = subprocess.run([CLASSIFY, *args], capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise AssertionError(done.stderr.strip() or f"exit code {done.returncode}")
    return done.stdout


def ours(folder, model, x):
    numpy.save(f"{folder}/x.npy", x)
    classify("run", model, "--input", f"{folder}/x.npy", "--output-dir", folder)
    return softmax(numpy.load(f"{folder}/out_0.npy"))


def inspected(model):
    return json.loads(classify("inspect", model, "--json"))


def check_flops(name, flops):
    """Within 2 % of what is stated to two decimals; here a multiply-add counts twice."""
    stated = STATED_GFLOPS.get(name)
    if stated and abs(flops / 2e9 - stated) > 0.02 * stated + 0.005:
        raise AssertionError(f"{flops / 2e9:.3f} billion multiply-adds, torchvision states {stated}")


def compare(found, wanted):
    """The largest difference; raises if it is too large."""
    if found.shape != wanted.shape:
        raise AssertionError(f"shape {found.shape}, PyTorch has {wanted.shape}")
    difference = numpy.abs(found - wanted).max()
    if not difference <= TOLERANCE:
        raise AssertionError(f"a probability differs by {difference:.2e} (batch {len(found)})")
    if (found.argmax(axis=1) != wanted.argmax(axis=1)).any():
        raise AssertionError(f"another top-1 (batch {len(found)})")
    return difference


def check(name, network, x, wanted, opset, folder):
    """What there is to say of one opset. Raises if it is wrong, OnnxExporterError if PyTorch cannot export it."""
    start, model = time.monotonic(), f"{folder}/model.onnx"
    export(network, x[:1], model, opset, opset == OPEN_BATCH)
    exported = time.monotonic()
    difference = max(compare(ours(folder, model, x[:n].numpy()), wanted[:n]) for n in (1, 4))
    seconds, found = time.monotonic() - exported, inspected(model)
    check_flops(name, found["flops"])
    way = "one by one" if "one_by_one" in found else "together"
    return (f"difference {difference:.1e}  top {wanted.max():.2f}  batches {way}  export {exported - start:.1f} s, run "
            f"{seconds:.1f} s")


def in_doubles(network, x):
    with torch.no_grad():
        return softmax(copy.deepcopy(network).double()(x.double()).numpy())


def check_all(name, opsets, folder):
    """How many opsets are right, wrong, and not exported."""
    network, x, _ = prepared(name, 4)
    wanted = in_doubles(network, x)
    n_parameters = sum(p.numel() for p in network.parameters()) / 1e6
    count = {"right": 0, "wrong": 0, "not exported": 0}
    for opset in opsets:
        what = f"{name:20} {n_parameters:6.1f} M  opset {opset}"
        try:
            print(f"{what}  {check(name, network, x, wanted, opset, folder)}", flush=True)
            count["right"] += 1
        except OnnxExporterError as error:
            print(f"{what}  PyTorch does not export it: {str(error).splitlines()[0]}", flush=True)
            count["not exported"] += 1
        except (AssertionError, subprocess.TimeoutExpired) as error:
            print(f"FAILED {what}: {str(error)[:500]}", flush=True)
            count["wrong"] += 1
    return count


def n_parameters(name):
    weights = torchvision.models.get_model_weights(name)
    return max(w.meta["num_params"] for w in weights)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("networks", nargs="*")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--opsets")
    parser.add_argument("--max-parameters", type=float, default=100)
    args = parser.parse_args()
    torch.set_num_threads(1)
    names = args.networks or list(QUICK)
    everything = args.all or os.environ.get("CLASSIFYD_TORCHVISION") == "all"
    if everything and not args.networks:
        names = [name for name in sorted(torchvision.models.list_models(module=torchvision.models), key=n_parameters)
                 if n_parameters(name) <= args.max_parameters * 1e6]
    failed, not_exported = [], []
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            opsets = OPSETS if everything or args.networks else [QUICK[name]]
            if args.opsets:
                opsets = [int(opset) for opset in args.opsets.split(",")]
            count = check_all(name, opsets, folder)
            if count["wrong"]:
                failed.append(name)
            elif not count["right"]:
                not_exported.append(name)
    n_agree = len(names) - len(failed) - len(not_exported)
    print(f"{n_agree} of {len(names)} networks agree; failed: {' '.join(failed) or 'none'}; PyTorch exports at none of "
          f"these opsets: {' '.join(not_exported) or 'none'}")
    return bool(failed) or not n_agree


sys.exit(main())
