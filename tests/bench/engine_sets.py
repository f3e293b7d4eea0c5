"""What engine.py measures: networks in sets, each with the ratio that it must and that it should reach."""
import glob
import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MODELS = os.path.join(ROOT, "build", "bench", "models")


class Set:
    """must: for every model; aim: for the geometric mean. tolerance: of probabilities."""

    def __init__(self, title, names, must, aim, batches=(1, 8), tolerance=1e-4):
        self.title, self.names, self.must, self.aim = title, names, must, aim
        self.batches, self.tolerance = batches, tolerance


def shipped():
    """The models of the repository that multiply matrices; nearest neighbours have no ONNX operator."""
    paths = sorted(glob.glob(os.path.join(ROOT, "models", "*", "1", "model.onnx")))
    return [path for path in paths if "-knn" not in path]


def sets(data):
    quantised = os.path.join(data, "onnx", "imagenet", "mobilenetv2-qdq.onnx") if data else ""
    return [
        Set("dense 3x3", ["resnet18", "resnet50", "vgg11", "squeezenet1_1"], 1.0, 1.4),
        Set("mobile", ["mobilenet_v2", "mobilenet_v3_small", "mnasnet1_0", "efficientnet_b0", "shufflenet_v2_x1_0",
                       "regnet_y_400mf"], 0.9, 1.1),
        Set("branches, groups, attention", ["densenet121", "googlenet", "inception_v3", "resnext50_32x4d",
                                            "convnext_tiny", "vit_b_16"], 0.8, 1.1),
        Set("shipped", shipped(), 2.0, 4.0, batches=(1, 8, 64)),
        # Without VNNI ONNX Runtime's sums of bytes saturate; with it the answers are the same.
        Set("int8", [quantised] if os.path.exists(quantised) else [], 0.8, 1.2, tolerance=0.05),
    ]


def label(name):
    """What the table calls a model: models/mnist/1/model.onnx is mnist."""
    if not name.endswith(".onnx"):
        return name
    folders = os.path.abspath(name).split(os.sep)
    return folders[-3] if folders[-1] == "model.onnx" else folders[-1][:-len(".onnx")]


def chosen(names, data):
    """The sets, or what --models names of them; other names make a set of their own without a goal."""
    known = sets(data)
    if not names:
        return [s for s in known if s.names]
    picked = []
    for s in known:
        s.names = [name for name in s.names if label(name) in names or name in names]
        picked += [s] if s.names else []
    found = {word for s in picked for name in s.names for word in (name, label(name))}
    others = [name for name in names if name not in found]
    return picked + ([Set("others", others, 0.0, 0.0)] if others else [])


def path_of(name):
    return name if name.endswith(".onnx") else os.path.join(MODELS, name + ".onnx")
