"""Random changes to a model's nodes, types and constants. Needs python3-onnx."""
import numpy as np
from onnx import AttributeProto, TensorProto, helper, numpy_helper

NUMBERS = [-2 ** 31, -3, -2, -1, 0, 1, 2, 3, 5, 2 ** 31 - 1]
TYPES = [TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64, TensorProto.INT32, TensorProto.UINT8,
         TensorProto.INT8, TensorProto.BOOL]


def _names(made):
    graph = made.graph
    names = [x.name for x in [*graph.input, *graph.initializer]] + [o for n in graph.node for o in n.output]
    return [*names, "", "nowhere"]


def _node(made, rng):
    return made.graph.node[rng.randrange(len(made.graph.node))]


def drop_attribute(made, rng):
    attributes = _node(made, rng).attribute
    if attributes:
        del attributes[rng.randrange(len(attributes))]


def repeat_attribute(made, rng):
    attributes = _node(made, rng).attribute
    if attributes:
        attributes.append(attributes[rng.randrange(len(attributes))])


def rename_attribute(made, rng):
    attributes = _node(made, rng).attribute
    if attributes:
        attributes[rng.randrange(len(attributes))].name = rng.choice(["axis", "axes", "keepdims", "alpha", "nonsense"])


def change_attribute(made, rng):
    attributes = _node(made, rng).attribute
    if not attributes:
        return
    attribute = attributes[rng.randrange(len(attributes))]
    if attribute.type == AttributeProto.INT:
        attribute.i = rng.choice(NUMBERS)
    elif attribute.type == AttributeProto.FLOAT:
        attribute.f = rng.choice(NUMBERS)
    elif attribute.type == AttributeProto.INTS and attribute.ints:
        change_list(attribute.ints, rng)
    elif attribute.type == AttributeProto.STRING:
        attribute.s = rng.choice([b"", b"constant", b"SAME_UPPER", b"linear", b"nonsense"])


def change_list(numbers, rng):
    i, how = rng.randrange(len(numbers)), rng.randrange(3)
    if how == 0:
        numbers[i] = rng.choice(NUMBERS)
    elif how == 1:
        del numbers[i]
    else:
        numbers.append(numbers[i])


def retype_attribute(made, rng):
    attributes = _node(made, rng).attribute
    if not attributes:
        return
    attribute = attributes[rng.randrange(len(attributes))]
    value = rng.choice([1, 0.5, "text", [1, 2], [0.5], numpy_helper.from_array(np.zeros(1, np.float32))])
    attribute.CopyFrom(helper.make_attribute(attribute.name, value))


def mislabel_attribute(made, rng):
    attributes = _node(made, rng).attribute
    if attributes:
        attributes[rng.randrange(len(attributes))].type = rng.choice([0, 1, 2, 3, 4, 6, 7])


def add_attribute(made, rng):
    name = rng.choice(["axis", "axes", "keepdims", "alpha", "to", "nonsense"])
    _node(made, rng).attribute.append(helper.make_attribute(name, rng.choice([0, 1, [0], 1.0, "text"])))


def change_input(made, rng):
    inputs = _node(made, rng).input
    if inputs:
        inputs[rng.randrange(len(inputs))] = rng.choice(_names(made))


def drop_input(made, rng):
    inputs = _node(made, rng).input
    if inputs:
        del inputs[rng.randrange(len(inputs))]


def add_input(made, rng):
    _node(made, rng).input.append(rng.choice(_names(made)))


def change_output(made, rng):
    outputs = _node(made, rng).output
    if outputs:
        outputs[rng.randrange(len(outputs))] = rng.choice([*_names(made), "other"])


def drop_output(made, rng):
    outputs = _node(made, rng).output
    if outputs:
        del outputs[rng.randrange(len(outputs))]


def add_output(made, rng):
    _node(made, rng).output.append(rng.choice(["", "other", "y0"]))


def repeat_node(made, rng):
    made.graph.node.append(_node(made, rng))


def change_operator(made, rng):
    _node(made, rng).op_type = rng.choice(["Relu", "Add", "Concat", "Flatten", "Identity", "Softmax", "Nonsense"])


def change_domain(made, rng):
    _node(made, rng).domain = rng.choice(["", "ai.onnx", "com.example"])


def retype_input(made, rng):
    if made.graph.input:
        rng.choice(made.graph.input).type.tensor_type.elem_type = rng.choice([*TYPES, 0, 99])


def reshape_input(made, rng):
    if not made.graph.input:
        return
    dims = rng.choice(made.graph.input).type.tensor_type.shape.dim
    how = rng.randrange(3)
    if how == 0 or not dims:
        dims.add().dim_value = rng.choice([1, 2, 6])
    elif how == 1:
        del dims[rng.randrange(len(dims))]
    else:
        rng.choice(dims).dim_value = rng.choice([1, 2, 3, 7])


def retype_output(made, rng):
    if made.graph.output:
        rng.choice(made.graph.output).type.tensor_type.elem_type = rng.choice(TYPES)


def reshape_output(made, rng):
    if not made.graph.output:
        return
    dims = rng.choice(made.graph.output).type.tensor_type.shape.dim
    if dims and rng.randrange(2):
        rng.choice(dims).dim_value = rng.choice([1, 2, 3, 7])
    else:
        dims.add().dim_value = 1


def drop_graph_value(made, rng):
    values = rng.choice([made.graph.input, made.graph.output, made.graph.initializer])
    if values:
        del values[rng.randrange(len(values))]


def repeat_graph_value(made, rng):
    values = rng.choice([made.graph.input, made.graph.output, made.graph.initializer])
    if values:
        values.append(values[rng.randrange(len(values))])


def rename_graph_value(made, rng):
    values = rng.choice([made.graph.input, made.graph.output, made.graph.initializer])
    if values:
        values[rng.randrange(len(values))].name = rng.choice(_names(made))


def change_constant(made, rng):
    """Other numbers, another type or another shape of an initializer; its bytes fit."""
    if not made.graph.initializer:
        return
    tensor = rng.choice(made.graph.initializer)
    try:
        array = numpy_helper.to_array(tensor).copy()
    except (KeyError, TypeError, ValueError):
        return  # the change before broke it
    how = rng.randrange(4)
    if how == 0 and array.size:
        array.flat[rng.randrange(array.size)] = rng.choice([0, 1, 2, 3, 7])
    elif how == 1:
        array = array.astype(rng.choice([np.float32, np.float64, np.int64, np.int32, np.uint8]))
    elif how == 2:
        array = array.reshape(-1) if array.ndim != 1 else array.reshape(1, -1)
    else:
        array = np.concatenate([array.reshape(-1), array.reshape(-1)[:1]])
    tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))


def break_constant(made, rng):
    if not made.graph.initializer:
        return
    tensor = rng.choice(made.graph.initializer)
    how = rng.randrange(4)
    if how == 0:
        tensor.dims.append(rng.choice([0, 1, 2, -1]))
    elif how == 1:
        tensor.raw_data += b"\0" * rng.choice([1, 4])
    elif how == 2:
        tensor.data_type = rng.choice([0, 1, 7, 99])
    else:
        tensor.float_data.append(1)


def change_opset(made, rng):
    made.opset_import[0].version = rng.choice([7, 9, 10, 11, 13, 14, 17])


def retyped(made, opset, element):
    """A copy at another opset, whose values of the first input's type are of another."""
    copy = type(made)()
    copy.CopyFrom(made)
    copy.opset_import[0].version = opset
    if not copy.graph.input:
        return copy
    before = copy.graph.input[0].type.tensor_type.elem_type
    for value in [*copy.graph.input, *copy.graph.output]:
        if value.type.tensor_type.elem_type == before:
            value.type.tensor_type.elem_type = element
    for tensor in copy.graph.initializer:
        if tensor.data_type == before:
            array = numpy_helper.to_array(tensor).astype(helper.mapping.TENSOR_TYPE_TO_NP_TYPE[element])
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    return copy


CHANGES = [change for name, change in sorted(globals().items())
           if callable(change) and getattr(change, "__module__", "") == __name__ and name[0] != "_"
           and name not in ("change_list", "retyped")]


def mutate(made, rng):
    """Changes a copy of the model once or twice; returns it with the names of the changes."""
    changed = type(made)()
    changed.CopyFrom(made)
    chosen = [rng.choice(CHANGES) for _ in range(rng.choice([1, 1, 2]))]
    for change in chosen:
        if made.graph.node:
            change(changed, rng)
    return changed, [change.__name__ for change in chosen]
