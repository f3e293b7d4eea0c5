"""Models that ask for harm, with what the refusal must say. Needs python3-onnx."""
import itertools

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from tiny_files import delimited, varint

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
HUGE = 2 ** 62


def floats(name, *shape):
    return numpy_helper.from_array(np.ones(shape, np.float32), name)


def ints(name, *values):
    return numpy_helper.from_array(np.array(values, np.int64), name)


def scalar(name, value, dtype=np.int64):
    return numpy_helper.from_array(np.array(value, dtype), name)


def node(op, inputs, outputs=("y",), name="bad", **attributes):
    return helper.make_node(op, list(inputs), list(outputs), name=name, **attributes)


def model(nodes, constants=(), shape=(1, 3, 8, 8), opset=17, inputs=("x",), outputs=("y",), kind=FLOAT):
    graph = helper.make_graph(
        list(nodes), "hostile", [helper.make_tensor_value_info(name, FLOAT, shape) for name in inputs],
        [helper.make_tensor_value_info(name, kind, None) for name in outputs], list(constants))
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    made.ir_version = 8
    return made


def one(op, *constants, shape=(1, 3, 8, 8), opset=17, kind=FLOAT, **attributes):
    """One node: x and the constants."""
    return model([node(op, ["x", *[c.name for c in constants]], **attributes)], constants, shape, opset, kind=kind)


def changed(made, change):
    change(made)
    return made


def _names():
    yield "a cycle", model([node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"], "second"),
                            node("Relu", ["a"], ["y"], "third")]), ["'bad' (Add)", "input 'b'", "'second' (Relu)", "cycles"]
    yield "a node that reads itself", model([node("Add", ["x", "y"])]), ["'bad' (Add)", "input 'y'"]
    yield "nodes in the wrong order", model([node("Relu", ["a"]), node("Relu", ["x"], ["a"], "late")]), [
        "'bad' (Relu)", "input 'a'", "'late' (Relu)"]
    yield "an input that nobody makes", model([node("Add", ["x", "nowhere"])]), ["'bad' (Add)", "'nowhere'"]
    yield "an output that nobody makes", model([node("Relu", ["x"], ["z"])]), ["output 'y'"]
    yield "a value made twice", model([node("Relu", ["x"]), node("Tanh", ["x"], name="again")]), [
        "'again' (Tanh)", "output 'y'"]
    yield "an output twice in a node", model([node("Split", ["x"], ["y", "y"], axis=2)]), ["'bad' (Split)", "'y'"]
    yield "an output that is an input", model([node("Relu", ["x"], ["x"])], outputs=("x",)), ["'bad'", "output 'x'"]
    yield "an output that is an initializer", model([node("Relu", ["x"], ["w"]), node("Relu", ["w"], name="n")],
                                                    [floats("w", 2)]), ["'bad'", "output 'w'"]
    yield "an initializer twice", model([node("Add", ["x", "w"])], [floats("w", 8), floats("w", 8)]), [
        "initializer 'w'", "twice"]
    yield "a graph input twice", model([node("Relu", ["x"])], inputs=("x", "x")), ["graph input 'x'", "twice"]
    yield "a graph output twice", model([node("Relu", ["x"])], outputs=("y", "y")), ["graph output 'y'", "twice"]
    yield "no output", model([node("Relu", ["x"])], outputs=()), ["no output"]
    yield "a graph input without a name", model([node("Relu", ["x"])], inputs=("x", "")), ["graph input 1", "no name"]
    yield "an initializer without a name", model([node("Relu", ["x"])], [floats("", 2)]), ["initializer 0", "name"]
    yield "a required input left out", model([node("Conv", ["x", ""])]), ["'bad' (Conv)", "input 1", "left out"]
    yield "too few inputs", model([node("Conv", ["x"])]), ["'bad' (Conv)", "1 inputs", "2 to 3"]
    yield "too many inputs", model([node("Relu", ["x", "x"])]), ["'bad' (Relu)", "2 inputs", "1"]
    yield "too many outputs", model([node("Relu", ["x"], ["y", "z"])]), ["'bad' (Relu)", "2 outputs", "1"]
    yield "no node output", model([node("Relu", ["x"], [])]), ["'bad' (Relu)", "no output"]
    long = "n" * (10 << 20)
    yield "a name of 10 MB", model([node("Relu", [long])]), ["'bad' (Relu)", "nnn"]
    yield "a node name of 10 MB", model([node("Add", ["x", "w"], name=long)]), ["nnn", "'w'"]
    yield "an operator of 10 MB", model([node(long, ["x"])]), ["nnn"]
    yield "a name with a line break", model([node("Relu", ["x"], name="a\nb")]), ["node 0", "0x0a"]
    yield "a name with a NUL", model([node("Relu", ["x\0"])]), ["'bad' (Relu)", "0x00"]


def _not_utf8():
    data = model([node("Relu", ["x"], name="NAME")]).SerializeToString()
    yield "a node name that is not UTF-8", data.replace(b"NAME", b"N\xff\xfeE"), ["node 0", "UTF-8"]
    yield "an operator that is not UTF-8", data.replace(b"Relu", b"Re\xc3u"), ["op_type", "UTF-8"]
    yield "a graph name that is not UTF-8", data.replace(b"hostile", b"host\xf8le"), ["graph name", "UTF-8"]


def _tensor(change, says, dims=(2, 3)):
    made = model([node("Add", ["x", "w"])], [floats("w", *dims)])
    tensor = made.graph.initializer[0]
    change(tensor)
    return made, ["initializer 'w'", *says]


def _set_dims(*dims):
    def change(tensor):
        tensor.dims[:] = dims
    return change


def _typed(tensor):
    tensor.ClearField("raw_data")
    tensor.float_data.extend([1] * 5)


def _external(path):
    def change(tensor):
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=path)
    return change


def _set(name, value):
    return lambda tensor: setattr(tensor, name, value)


def _tensors():
    rows = [
        ("a negative dimension", _set_dims(-2, 3), ["-2", "0 or more"]),
        ("an absurd dimension", _set_dims(HUGE, 3), [str(HUGE), "larger than any memory"]),
        ("a product that overflows", _set_dims(2 ** 32, 2 ** 32), ["4294967296", "larger than any memory"]),
        ("a product that overflows to the right one", _set_dims(2 ** 63 - 1, 2), ["larger than any memory"]),
        ("a dimension of 0 that hides others", _set_dims(0, HUGE, HUGE), ["larger than any memory"]),
        ("nine dimensions", _set_dims(*[1] * 8, 6), ["9 dimensions", "8"]),
        ("10 GB in no bytes", _set_dims(50000, 50000), ["24 bytes", "10000000000"]),
        ("raw_data too long", _set("raw_data", b"\0" * 28), ["28 bytes", "24"]),
        ("raw_data too short", _set("raw_data", b"\0" * 20), ["20 bytes", "24"]),
        ("raw_data of half an element", _set("raw_data", b"\0" * 23), ["23 bytes", "24"]),
        ("no data", _set("raw_data", b""), ["raw_data", "6 elements"]),
        ("float_data too short", _typed, ["float_data has 5", "6"]),
        ("both raw_data and float_data", lambda t: t.float_data.extend([1] * 6), ["raw_data and float_data"]),
        ("data of another type", lambda t: t.int64_data.extend([1] * 6), ["int64_data"]),
        ("an unknown element type", _set("data_type", 99), ["99", "float"]),
        ("no element type", _set("data_type", 0), ["0", "float"]),
        ("strings", _set("data_type", TensorProto.STRING), ["string"]),
        ("an external path upwards", _external("../../etc/passwd"), ["external data"]),
        ("an absolute external path", _external("/etc/passwd"), ["external data"]),
        ("an unknown data_location", lambda t: t.MergeFromString(b"\x70\x07"), ["data_location", "7"]),
        ("a segment", lambda t: setattr(t.segment, "end", 3), ["segment"]),
    ]
    for name, change, says in rows:
        made, says = _tensor(change, says)
        yield name, made, says
    attribute = model([node("Constant", [], value=floats("w", 2))])
    attribute.graph.node[0].attribute[0].t.dims[:] = [HUGE]
    yield "an absurd tensor in an attribute", attribute, ["'bad' (Constant)", "attribute 'value'", str(HUGE)]
    yield "an absurd picture", one("Relu", shape=(1, HUGE, 8, 8)), [str(HUGE)]
    yield "a negative input", one("Relu", shape=(1, -7, 8, 8)), ["graph input 'x'", "-7"]
    yield "nine dimensions of an input", one("Relu", shape=[1] * 9), ["graph input 'x'", "9 dimensions"]


def _gigabytes():
    """10 GB out of a kilobyte, from constants and from the picture."""
    big = [50000, 50000]
    floating = scalar("v", 1, np.float32)
    yield "ConstantOfShape of 10 GB", model([node("ConstantOfShape", ["s"], ["c"]), node("Add", ["x", "c"], name="n")],
                                            [ints("s", *big)]), ["'bad' (ConstantOfShape)", "[50000, 50000]"]
    yield "Expand of 10 GB", one("Expand", ints("s", *big), shape=(1, 1)), ["'bad' (Expand)", "[50000, 50000]"]
    yield "Expand of a constant", model([node("Expand", ["v", "s"], ["c"]), node("Add", ["x", "c"], name="n")],
                                        [floating, ints("s", *big)]), ["'bad' (Expand)", "[50000, 50000]"]
    yield "Tile of 10 GB", one("Tile", ints("s", *big), shape=(1, 1)), ["'bad' (Tile)", "[50000, 50000]"]
    yield "Pad of 10 GB", one("Pad", ints("s", 0, 0, *big), shape=(1, 1)), ["'bad' (Pad)", "[50001, 50001]"]
    yield "Resize of 10 GB", one("Resize", floats("r", 0), floats("q", 0), ints("s", 1, 1, *big), shape=(1, 1, 1, 1)), [
        "'bad' (Resize)", "[1, 1, 50000, 50000]"]
    yield "Range of 20 GB", model([node("Range", ["a", "b", "d"], ["c"]), node("Cast", ["c"], ["f"], "n", to=FLOAT),
                                   node("Add", ["x", "f"], name="m")],
                                  [scalar("a", 0), scalar("b", 5 * 2 ** 29), scalar("d", 1)], shape=(1,)), [
        "'bad' (Range)", "2684354560"]
    yield "Gather of 10 GB", model(
        [node("Expand", ["i", "s"], ["wide"], "n"), node("Gather", ["x", "wide"])],
        [scalar("i", 0), ints("s", *big)], shape=(4,)), ["(Expand)", "[50000, 50000]"]
    yield "MatMul of 10 GB", model([node("MatMul", ["x", "z"])], inputs=("x",), shape=(50000, 1), constants=[
        floats("z", 1, 50000)]), ["'bad' (MatMul)", "[50000, 50000]"]
    yield "Einsum of 10 GB", model([node("Einsum", ["x", "x"], equation="i,j->ij")], shape=(50000,)), [
        "'bad' (Einsum)", "[50000, 50000]"]
    yield "Upsample of 10 GB", one("Upsample", floats("r", 2), shape=(50000, 50000), opset=9), ["[50000, 50000]"]
    yield "ConvTranspose of 10 GB", one("ConvTranspose", floats("w", 1, 1, 1, 1), shape=(1, 1, 50, 50),
                                        strides=[1000, 1000], output_padding=[0, 0]), ["'bad' (ConvTranspose)"]
    yield "Conv of a gigantic picture", one("Conv", floats("w", 1, 1, 1, 1), shape=(1, 1, 8, 8),
                                            pads=[25000] * 4), ["'bad' (Conv)", "50008"]
    yield "Concat to 10 GB", model(
        [node("Expand", ["x", "s"], ["e"], "wide"), node("Concat", ["e"] * 20, axis=0)],
        [ints("s", 10000, 15000)], shape=(1, 1)), ["'bad' (Concat)", "[200000, 15000]"]
    chain = [node("Concat", ["x", "x"], ["c0"], axis=0)]
    chain += [node("Concat", [f"c{i}", f"c{i}"], [f"c{i + 1}"], f"double {i}", axis=0) for i in range(40)]
    yield "doubled 40 times", model([*chain, node("Relu", ["c40"], name="n")]), ["'double ", "(Concat)"]
    many = [node("Expand", ["x", "s"], [f"e{i}"], f"wide {i}") for i in range(30)]
    yield "30 values of 800 MB", model([*many, node("Sum", [f"e{i}" for i in range(30)])],
                                       [ints("s", 20000, 10000)], shape=(1, 1)), ["GiB"]


def _attributes():
    kernel = floats("w", 3, 3, 3, 3)
    yield "kernel_shape 2^31", one("MaxPool", kernel_shape=[2 ** 31, 2]), ["'bad' (MaxPool)", "kernel_shape",
                                                                           str(2 ** 31)]
    yield "kernel_shape 0", one("AveragePool", kernel_shape=[0, 2]), ["'bad' (AveragePool)", "kernel_shape", "0"]
    yield "a kernel_shape that is not W's", one("Conv", kernel, kernel_shape=[5, 5]), ["'bad' (Conv)", "5", "3"]
    yield "strides 0", one("Conv", kernel, strides=[0, 1]), ["'bad' (Conv)", "strides", "0"]
    yield "dilations 0", one("Conv", kernel, dilations=[1, 0]), ["'bad' (Conv)", "dilations", "0"]
    yield "dilations -1", one("MaxPool", kernel_shape=[2, 2], dilations=[-1, 1]), ["'bad' (MaxPool)", "dilations", "-1"]
    yield "group 0", one("Conv", kernel, group=0), ["'bad' (Conv)", "group", "0"]
    yield "a group that does not divide", one("Conv", kernel, group=2), ["'bad' (Conv)", "group 2"]
    yield "negative pads", one("Conv", kernel, pads=[-1, 0, 0, 0]), ["'bad' (Conv)", "pads", "-1"]
    yield "huge pads", one("Conv", kernel, pads=[HUGE, 0, 0, 0]), ["'bad' (Conv)", "pads", str(HUGE)]
    yield "too few pads", one("Conv", kernel, pads=[1, 1]), ["'bad' (Conv)", "pads", "2", "4"]
    yield "an unknown auto_pad", one("Conv", kernel, auto_pad="SAME"), ["'bad' (Conv)", "auto_pad", "SAME"]
    yield "an axis out of range", one("Softmax", axis=4), ["'bad' (Softmax)", "axis 4"]
    yield "an axis far out of range", one("Softmax", axis=-2 ** 63), ["'bad' (Softmax)", "-9223372036854775808"]
    yield "axes twice", one("ReduceMean", axes=[1, 1]), ["'bad' (ReduceMean)", "1"]
    yield "axes twice, counted from both ends", one("ReduceMean", axes=[3, -1]), ["'bad' (ReduceMean)"]
    yield "a perm with a repetition", one("Transpose", perm=[0, 1, 1, 3]), ["'bad' (Transpose)", "perm"]
    yield "a perm of another rank", one("Transpose", perm=[0, 1, 2]), ["'bad' (Transpose)", "perm"]
    yield "a perm out of range", one("Transpose", perm=[0, 1, 2, 4]), ["'bad' (Transpose)", "4"]
    yield "Split that does not add up", model([node("Split", ["x", "s"], ["y", "z"], axis=3)], [ints("s", 3, 4)]), [
        "'bad' (Split)", "1 of the 8"]
    yield "Split that overflows", model([node("Split", ["x", "s"], ["y", "z"], axis=3)],
                                        [ints("s", 2 ** 63 - 1, 2 ** 63 - 1)]), ["'bad' (Split)"]
    yield "a negative Split", model([node("Split", ["x", "s"], ["y", "z"], axis=3)], [ints("s", -1, 9)]), [
        "'bad' (Split)", "-1"]
    yield "Reshape with two -1", one("Reshape", ints("s", -1, -1)), ["'bad' (Reshape)", "-1"]
    yield "Reshape that does not fit", one("Reshape", ints("s", 5, -1)), ["'bad' (Reshape)", "192", "5"]
    yield "Reshape that overflows", one("Reshape", ints("s", 2 ** 32, 2 ** 32, 3)), ["'bad' (Reshape)", "4294967296"]
    yield "Reshape to -2", one("Reshape", ints("s", -2, 96)), ["'bad' (Reshape)", "-2"]
    yield "Reshape by a 0 beyond the rank", one("Reshape", ints("s", 1, 3, 8, 8, 0)), ["'bad' (Reshape)"]
    yield "a negative Expand", one("Expand", ints("s", -1, 3, 8, 8)), ["'bad' (Expand)", "-1"]
    yield "a negative Tile", one("Tile", ints("s", 1, 1, 1, -2)), ["'bad' (Tile)", "-2"]
    yield "Pad that cuts too much", one("Pad", ints("s", 0, 0, -9, 0, 0, 0, 0, 0)), ["'bad' (Pad)", "-9"]
    yield "Pad that overflows", one("Pad", ints("s", 0, 0, 2 ** 63 - 1, 0, 0, 0, 2 ** 63 - 1, 0)), ["'bad' (Pad)"]
    yield "TopK of too many", model([node("TopK", ["x", "k"], ["y", "i"])], [ints("k", 9)]), ["'bad' (TopK)", "9", "8"]
    yield "an index out of range", one("Gather", ints("i", 8), axis=3), ["'bad' (Gather)", "8"]
    yield "a blocksize that does not divide", one("SpaceToDepth", blocksize=3), ["'bad' (SpaceToDepth)", "3"]
    yield "a blocksize of 2^40", one("SpaceToDepth", blocksize=2 ** 40), ["'bad' (SpaceToDepth)", str(2 ** 40)]
    yield "an equation of nonsense", one("Einsum", equation="ab->->c"), ["'bad' (Einsum)"]
    yield "an equation of another rank", one("Einsum", equation="ab->a"), ["'bad' (Einsum)"]
    yield "a Range without a step", model([node("Range", ["a", "b", "d"])], [scalar("a", 0), scalar("b", 9),
                                                                              scalar("d", 0)], kind=INT64), [
        "'bad' (Range)", "0"]
    yield "a Range to infinity", model([node("Range", ["a", "b", "d"])],
                                       [scalar("a", 0, np.float32), scalar("b", np.inf, np.float32),
                                        scalar("d", 1, np.float32)]), ["'bad' (Range)"]
    yield "a scale of NaN", one("Resize", floats("r", 0), numpy_helper.from_array(
        np.array([1, 1, np.nan, 1], np.float32), "s")), ["'bad' (Resize)"]
    yield "a scale of 0", one("Resize", floats("r", 0), numpy_helper.from_array(
        np.array([1, 1, 0, 1], np.float32), "s")), ["'bad' (Resize)", "0"]
    yield "an unknown attribute", one("Relu", alpha=1.0), ["'bad' (Relu)", "'alpha'"]
    yield "an attribute of another type", one("LeakyRelu", alpha=1), ["'bad' (LeakyRelu)", "'alpha'"]
    yield "shapes that do not broadcast", one("Add", floats("w", 7)), ["'bad' (Add)", "[1, 3, 8, 8]", "[7]"]
    yield "a product that does not fit", one("MatMul", floats("w", 7, 2)), ["'bad' (MatMul)", "[1, 3, 8, 8]", "[7, 2]"]
    yield "Concat of what does not fit", one("Concat", floats("w", 1, 3, 7, 8), axis=1), ["'bad' (Concat)",
                                                                                         "[1, 3, 7, 8]"]
    double = model([node("Relu", ["x"])])
    double.graph.node[0].attribute.extend([helper.make_attribute("alpha", 1.0)] * 2)
    yield "an attribute twice", double, ["'bad' (Relu)", "'alpha'", "twice"]


def _deep(n):
    """If in If, n levels, each taken; put together by hand, for protobuf's writer is recursive."""
    head = delimited(1, b"c") + delimited(2, b"y") + delimited(3, b"bad") + delimited(4, b"If")
    graph = delimited(1, delimited(1, b"x") + delimited(2, b"y") + delimited(4, b"Relu")) + delimited(2, b"g")
    output = delimited(12, helper.make_tensor_value_info("y", FLOAT, None).SerializeToString())
    for _ in range(n):
        branch = delimited(1, b"then_branch") + delimited(6, graph + output) + b"\xa0\x01\x05"
        graph = delimited(1, head + delimited(5, branch)) + delimited(2, b"g")
    x = delimited(11, helper.make_tensor_value_info("x", FLOAT, [1, 3]).SerializeToString())
    condition = delimited(5, scalar("c", True, bool).SerializeToString())
    return b"\x08\x08" + delimited(7, graph + x + condition + output) + delimited(8, b"\x10\x11")


def _calls(width, depth, with_nodes):
    """f0 called `width` times by f1, this by f2 ...: width ** depth calls in a file of a kilobyte."""
    made = model([helper.make_node(f"f{depth}", ["x"], ["y"], domain="local", name="bad")])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    made.opset_import.append(opsets[1])
    relu = [helper.make_node("Relu", ["a"], ["b"])] if with_nodes else []
    made.functions.append(helper.make_function("local", "f0", ["a"], ["b" if with_nodes else "a"], relu, opsets))
    for d in range(1, depth + 1):
        calls = [helper.make_node(f"f{d - 1}", [f"v{i - 1}" if i else "a"], [f"v{i}"], domain="local")
                 for i in range(width)]
        made.functions.append(helper.make_function("local", f"f{d}", ["a"], [f"v{width - 1}"], calls, opsets))
    return made


def _structure():
    yield "If in If, 10,000 deep", _deep(10000), ["'bad' (If)", "deeper than 16"]
    yield "a function that calls itself", changed(_calls(1, 1, True), lambda m: setattr(
        m.functions[1].node[0], "op_type", "f1")), ["'bad' (f1)", "deeper than 16"]
    yield "10^14 calls", _calls(10, 14, True), ["'bad' (f14)", "100000 nodes"]
    yield "10^14 calls that do nothing", _calls(10, 14, False), ["'bad' (f14)", "100000 nodes"]
    for op in ("If", "Loop", "Scan"):
        body = helper.make_graph([], "body", [], [])
        name = "then_branch" if op == "If" else "body"
        yield op, model([node(op, ["x"], **{name: body})]), [f"'bad' ({op})", "condition" if op == "If" else "graph"]
    yield "100,000 inputs of another shape", model([node("Concat", ["x"] * 100000 + ["w"], axis=0)],
                                                   [floats("w", 1, 2)]), ["'bad' (Concat)", "[1, 2]"]
    yield "100,001 nodes", _numbered_nodes(100001), ["nodes", "100000"]
    yield "a million nodes", _repeated(b"\x0a", node("Relu", ["x"], ["z"]), 1000000), ["ModelProto", "memory"]
    yield "1000 initializers of one name", _repeated(b"\x2a", floats("w", 1), 1000), ["initializer 'w'", "twice"]
    yield "a million initializers", _repeated(b"\x2a", floats("w", 1), 1000000), ["ModelProto", "memory"]
    yield "no opset", changed(model([node("Relu", ["x"])]), lambda m: m.ClearField("opset_import")), ["opset_import"]
    for version, says in (0, ["opset", "0"]), (6, ["opset 6", "7 to"]), (99, ["opset 99", "7 to"]), (
            -1, ["opset", "-1"]), (HUGE, ["opset", str(HUGE)]):
        yield f"opset {version}", changed(model([node("Relu", ["x"])]), lambda m, v=version: setattr(
            m.opset_import[0], "version", v)), says
    twice = model([node("Relu", ["x"])])
    twice.opset_import.append(helper.make_opsetid("ai.onnx", 17))
    yield "the same domain twice", twice, ["opset_import", "twice"]
    foreign = model([node("Relu", ["x"], domain="com.example")])
    yield "a domain that is not imported", foreign, ["'bad' (Relu)", "com.example"]
    foreign = model([node("Relu", ["x"], domain="com.example")])
    foreign.opset_import.append(helper.make_opsetid("com.example", 1))
    yield "a foreign domain", foreign, ["'bad' (Relu)", "com.example"]
    for version in (0, 2, 11, HUGE, -1):
        yield f"ir_version {version}", changed(model([node("Relu", ["x"])]), lambda m, v=version: setattr(
            m, "ir_version", v)), ["ir_version", str(version)]
    yield "no graph", changed(model([node("Relu", ["x"])]), lambda m: m.ClearField("graph")), ["graph"]
    sequence = model([node("Relu", ["x"])])
    sequence.graph.input[0].type.sequence_type.elem_type.tensor_type.elem_type = FLOAT
    yield "a sequence", sequence, ["graph input 'x'", "sequence"]
    training = model([node("Relu", ["x"])])
    training.training_info.add()
    yield "training_info", training, ["training_info"]
    function = model([node("Relu", ["x"])])
    function.functions.add().name = "f"
    yield "a function", function, ["function"]
    sparse = model([node("Relu", ["x"])])
    sparse.graph.sparse_initializer.add()
    yield "a sparse initializer", sparse, ["sparse"]
    yield "metadata twice", changed(model([node("Relu", ["x"])]), lambda m: m.metadata_props.extend(
        [m.metadata_props.add(key="a", value="b")])), ["metadata key 'a'", "twice"]


def _numbered_nodes(n):
    graph = b"".join(b"\x0a" + bytes([len(each)]) + each
                     for each in (node("Relu", ["x"], [f"z{i}"]).SerializeToString() for i in range(n)))
    return _around(graph + model([]).graph.SerializeToString())


def _repeated(tag, message, n):
    """One message n times: to make a million takes a minute."""
    data = message.SerializeToString()
    return _around((tag + bytes([len(data)]) + data) * n + model([]).graph.SerializeToString())


def _around(graph):
    return b"\x08\x08\x3a" + varint(len(graph)) + graph + b"\x42\x02\x10\x11"


def small():
    """A model of 200 bytes that is served; its last field is one that it needs."""
    return model([node("Gemm", ["x", "w"])], [floats("w", 4, 2)], shape=("N", 4)).SerializeToString()


def _lengths(data, begin, end, messages):
    """Yields the place of each length in data[begin:end]; messages: by field, the fields of inner messages."""
    at = begin
    while at < end:
        tag, at = data[at], at + 1  # every field number here is below 16
        if tag & 7 == 0:
            while data[at] & 128:
                at += 1
            at += 1
        elif tag & 7 == 5:
            at += 4
        else:
            start, length, shift = at, 0, 0
            while True:
                length |= (data[at] & 127) << shift
                shift, at = shift + 7, at + 1
                if data[at - 1] < 128:
                    break
            yield start, at
            if tag >> 3 in messages:
                yield from _lengths(data, at, at + length, messages[tag >> 3])
            at += length


TENSOR, DIMENSION = {}, {1: {}}
VALUE = {2: {1: {2: DIMENSION}}}
MODEL = {7: {1: {}, 5: TENSOR, 11: VALUE, 12: VALUE}, 8: {}}


def lengthened():
    """Yields the small model with one of its lengths enlarged: by one, to the most of its bytes, beyond all memory."""
    data = small()
    for begin, end in _lengths(data, 0, len(data), MODEL):
        more = data[begin] + 1 if data[begin] & 127 < 127 else data[begin]
        yield data[:begin] + bytes([more]) + data[begin + 1:]
        yield data[:begin] + b"\xff" * (end - begin - 1) + b"\x7f" + data[end:]
        yield data[:begin] + varint(2 ** 35 + 7) + data[end:]
        yield data[:begin] + varint(2 ** 64 - 1) + data[end:]


def refused():
    """Yields (name, bytes, parts of the sentence)."""
    for name, made, says in itertools.chain(_names(), _not_utf8(), _tensors(), _gigabytes(), _attributes(),
                                            _structure()):
        yield name, made if isinstance(made, bytes) else made.SerializeToString(), says
