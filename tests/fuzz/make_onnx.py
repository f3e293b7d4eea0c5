#!/usr/bin/python3
"""Writes corpus/onnx, corpus/card and some of regression/onnx. Needs python3-onnx (no test runs it)."""
import json
import os
import random
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import every_operator  # noqa: E402: it lies in another folder
FLOAT = TensorProto.FLOAT


def weights(name, *shape):
    n = int(np.prod(shape)) if shape else 1
    values = (np.arange(n) % 5 - 2).astype(np.float32).reshape(shape)
    return numpy_helper.from_array(values, name)


def ints(name, *values):
    return numpy_helper.from_array(np.array(values, np.int64), name)


def model(nodes, x, y, initializers=(), opset=13, properties=None, domains=()):
    graph = helper.make_graph(
        nodes, "g",
        [helper.make_tensor_value_info("x", FLOAT, x)], [helper.make_tensor_value_info("y", FLOAT, y)],
        list(initializers))
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset), *domains])
    made.ir_version = 8
    if properties:
        helper.set_model_props(made, properties)
    return made


def one(op, x=(1, 2, 4, 4), y=None, more=(), outputs=("y",), opset=13, **attributes):
    names = ["x"] + [tensor.name for tensor in more]
    return model([helper.make_node(op, names, list(outputs), **attributes)], x, y, more, opset)


def operators():
    image = (1, 2, 4, 4)
    kernel = weights("w", 2, 2, 3, 3)
    yield "conv", one("Conv", more=[kernel, weights("b", 2)], pads=[1, 1, 1, 1])
    yield "conv_group", one("Conv", more=[weights("w", 2, 1, 2, 2)], group=2, strides=[2, 2], dilations=[1, 2])
    yield "conv_same", one("Conv", more=[kernel], auto_pad="SAME_UPPER")
    yield "conv_1d", one("Conv", x=(1, 2, 6), more=[weights("w", 3, 2, 3)])
    given = one("Conv")
    given.graph.node[0].input.append("w")
    given.graph.input.append(helper.make_tensor_value_info("w", FLOAT, (1, 2, 3, 3)))
    yield "conv_of_two_inputs", given
    yield "gemm", one("Gemm", x=("N", 4), more=[weights("w", 3, 4), weights("b", 3)], transB=1, alpha=0.5)
    yield "matmul", one("MatMul", x=(2, 3, 4), more=[weights("w", 4, 2)])
    yield "add", one("Add", x=image, more=[weights("b", 2, 1, 1)])
    yield "mul", one("Mul", x=image, more=[weights("b")])
    yield "batchnorm", one("BatchNormalization", more=[weights(n, 2) for n in "sbmv"], opset=9)
    for op in ("Relu", "Sigmoid", "Tanh", "Identity", "GlobalAveragePool", "Flatten"):
        yield op.lower(), one(op)
    yield "leakyrelu", one("LeakyRelu", alpha=0.1)
    yield "clip_6", one("Clip", opset=7, min=-1.0, max=1.0)
    yield "clip_11", one("Clip", more=[weights("lo"), weights("hi")], opset=11)
    yield "softmax_13", one("Softmax", x=("N", 5), axis=-1)
    yield "softmax_7", one("Softmax", opset=7, axis=2)
    yield "logsoftmax", one("LogSoftmax", x=("N", 5))
    yield "dropout_7", one("Dropout", opset=7, ratio=0.3)
    yield "dropout_13", one("Dropout", more=[numpy_helper.from_array(np.float32(0.5), "r")], outputs=("y", "mask"))
    yield "maxpool", one("MaxPool", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)
    yield "maxpool_indices", one("MaxPool", outputs=("y", "i"), kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    yield "avgpool", one("AveragePool", kernel_shape=[2, 3], count_include_pad=1, pads=[0, 1, 0, 1])
    yield "reshape", one("Reshape", more=[ints("s", 0, -1)])
    yield "knearest", knearest()
    yield "knearest_l2", knearest(k=3, distance="L2", n_classes=5)
    constant = helper.make_node("Constant", [], ["c"], value=weights("", 2, 1, 1))
    yield "constant", model([constant, helper.make_node("Add", ["x", "c"], ["y"])], image, None)


def nested():
    """A function that is called twice, and a branch that the input's size decides."""
    twice = model([helper.make_node("twice", ["x"], ["y"], domain="local", alpha=0.5)], (2, 3), None,
                  domains=[helper.make_opsetid("local", 1)])
    leaky = [helper.make_node("LeakyRelu", ["a"], ["b"]), helper.make_node("LeakyRelu", ["b"], ["c"])]
    for each in leaky:
        each.attribute.add(name="alpha", ref_attr_name="alpha", type=1)
    twice.functions.append(helper.make_function("local", "twice", ["a"], ["c"], leaky,
                                                [helper.make_opsetid("", 13)], attributes=["alpha"]))
    yield "function", twice
    y = helper.make_tensor_value_info("y", FLOAT, (2, 3))
    branches = {name: helper.make_graph([helper.make_node(op, ["x"], ["y"])], name, [], [y])
                for name, op in (("then_branch", "Relu"), ("else_branch", "Tanh"))}
    nodes = [helper.make_node("Size", ["x"], ["n"]), helper.make_node("Equal", ["n", "six"], ["c"]),
             helper.make_node("If", ["c"], ["y"], **branches)]
    yield "branch", model(nodes, (2, 3), (2, 3), [numpy_helper.from_array(np.int64(6), "six")])


def knearest(labels=(0, 1, 2, 1), **attributes):
    """Four references of 2 x 2 bytes."""
    references = numpy_helper.from_array((np.arange(16) * 16 % 251).astype(np.uint8).reshape(4, 4), "r")
    node = helper.make_node("KNearest", ["x", "r", "l"], ["y"], domain="classifyd", **attributes)
    return model([node], ("N", 1, 2, 2), None, [references, ints("l", *labels)],
                 domains=[helper.make_opsetid("classifyd", 1)])


def network():
    """Conv, BatchNormalization, Relu, pool, Gemm, Softmax with a whole card."""
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], kernel_shape=[3, 3]),
        helper.make_node("BatchNormalization", ["a", "s", "b", "m", "v"], ["n"]),
        helper.make_node("Relu", ["n"], ["r"]),
        helper.make_node("MaxPool", ["r"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "fw", "fb"], ["g"], transB=1),
        helper.make_node("Softmax", ["g"], ["y"], axis=1),
    ]
    parameters = [weights("w", 2, 1, 3, 3), weights("fw", 3, 8), weights("fb", 3)]
    parameters += [weights(n, 2) for n in "sbmv"]
    return model(nodes, ("N", 1, 6, 6), ("N", 3), parameters, 9, CARD)


GOLDEN = [{"pixels": "AAAA" * 12, "probabilities": [0.2, 0.3, 0.5]}]
PREPROCESS = {"color": "gray", "resize": "stretch", "layout": "chw", "width": 6, "height": 6,
              "scale": 0.00392156886, "mean": [0.5], "std": [0.25]}
CARD = {
    "Image.BitmapPixelFormat": "Gray8", "classifyd.labels": '["a", "b", "c"]',
    "classifyd.preprocess": json.dumps(PREPROCESS), "classifyd.golden": json.dumps(GOLDEN),
    "classifyd.history": '{"epochs": []}',
}


def hostile():
    """What a parser must refuse: each is a whole file."""
    base = one("Relu")
    huge = one("Add", more=[weights("b", 4)])
    huge.graph.initializer[0].dims[:] = [1 << 31, 5]
    yield "huge_tensor", huge
    many = one("Add", more=[weights("b", 1)])
    many.graph.initializer[0].dims[:] = [1] * 12
    yield "rank_12", many
    yield "knearest_label", knearest(labels=(0, 1, -7, 1))
    yield "knearest_k", knearest(k=1 << 24)
    outer = model([helper.make_node("Add", ["b", "c"], ["d"]), helper.make_node("Add", ["x", "d"], ["y"])],
                  (1, 1), None, [weights("b", 700, 1), weights("c", 1, 700)])
    yield "folded_outer_product", outer
    yield "input_of_terabytes", one("Relu", x=(1, 1 << 20, 1 << 20))
    twice = one("Relu")
    twice.graph.node.append(twice.graph.node[0])
    yield "output_twice", twice
    yield "cycle", model([helper.make_node("Add", ["x", "b"], ["a"]), helper.make_node("Relu", ["a"], ["b"]),
                          helper.make_node("Relu", ["a"], ["y"])], (1, 2), None)
    yield "missing_input", model([helper.make_node("Add", ["x", "nowhere"], ["y"])], (1, 2), None)
    yield "unknown_operator", one("NoSuchOperator")
    yield "unknown_attribute", one("Relu", no_such=1)
    deep = helper.make_graph([], "deep", [], [])
    for _ in range(60):
        deep = helper.make_graph([helper.make_node("If", ["x"], ["y"], then_branch=deep)], "deep", [], [])
    yield "deep_nesting", one("If", then_branch=deep)
    external = one("Add", more=[weights("b", 4)])
    external.graph.initializer[0].data_location = TensorProto.EXTERNAL
    external.graph.initializer[0].external_data.add(key="location", value="../../etc/passwd")
    yield "external_data", external
    bad = one("Relu")
    bad.opset_import[0].version = 99
    yield "opset_99", bad
    sequence = one("Relu")
    sequence.graph.input[0].type.sequence_type.elem_type.tensor_type.elem_type = FLOAT
    yield "sequence_input", sequence
    most = 2 ** 63 - 1
    yield "pads_beyond_integers", one("Pad", more=[ints("p", 0, 0, most, 0, 0, 0, most, 0)])
    yield "half", one("Add", more=[numpy_helper.from_array(np.ones(4, np.float16), "b")])
    typed = one("Add", more=[helper.make_tensor("b", FLOAT, [4], [1, 2, 3, 4])])
    yield "float_data", typed
    yield "no_output", model([], (1, 2), None)
    whole = base.SerializeToString()
    yield "cut", whole[: len(whole) * 2 // 3]
    yield "length_beyond", whole.replace(b"\x12\x01g", b"\x12\x7fg", 1)
    noise = random.Random(1)
    yield "noise", bytes(noise.randrange(256) for _ in range(200))


def heavy():
    """Kilobytes that ask for gigabytes or for hours; too slow as seeds, so they are replayed only."""
    wide = [weights("b", 2500, 1), weights("c", 1, 2500)]
    chain = [helper.make_node("Add", ["b", "c"], ["d0"])]
    chain += [helper.make_node("Add", [f"d{i}", f"d{i}"], [f"d{i + 1}"]) for i in range(40)]
    yield "folded_gigabyte", model([*chain, helper.make_node("Add", ["x", "d40"], ["y"])], (1, 1), None, wide)
    product = [helper.make_node("Add", ["b", "c"], ["d0"])]
    product += [helper.make_node("MatMul", [f"d{i}", f"d{i}"], [f"d{i + 1}"]) for i in range(9)]
    yield "folded_products", model([*product, helper.make_node("Add", ["x", "d9"], ["y"])], (1, 1), None, wide)


def cards():
    yield "labels", ["a", "b", "h\u00f6hle"]
    yield "preprocess", PREPROCESS
    yield "golden", GOLDEN
    yield "true", True
    yield "history", {"seed": 1, "epochs": [{"loss": 0.5, "accuracy": 0.9}]}
    yield "config", {"labels": ["a", "b"], "softmax": False, "description": "x",
                     "preprocess": {"color": "bgr", "mean": [1, 2, 3], "std": [1], "resize": "center_crop",
                                    "shorter_side": 256, "width": 224, "height": 224}}
    yield "config_file", {"labels_file": "labels.txt"}
    yield "typo", {"lables": []}


def put(folder, name, made):
    os.makedirs(os.path.join(HERE, folder), exist_ok=True)
    with open(os.path.join(HERE, folder, name), "wb") as file:
        file.write(made if isinstance(made, bytes) else made.SerializeToString())


def main():
    for name, made in [*operators(), *nested(), ("network", network()), *hostile()]:
        put("corpus/onnx", name, made)
    for name, _, _, made in every_operator.models():
        put("corpus/onnx", name, made)
    for name, made in heavy():
        put("regression/onnx", name, made)
    for name, value in cards():
        put("corpus/card", name, json.dumps(value).encode())


main()
