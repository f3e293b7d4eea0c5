"""Functions of the model and If with a condition that shapes tell: their nodes stand in place of them."""
import unittest

import numpy
import onnx
from onnx import helper, numpy_helper
from onnx_case import OnnxCase

node, opset = helper.make_node, helper.make_opsetid
FLOAT, BOOL = onnx.TensorProto.FLOAT, onnx.TensorProto.BOOL
X = numpy.arange(-3, 3, dtype=numpy.float32).reshape(2, 3)


def value(name, shape=None, element_type=FLOAT):
    return helper.make_tensor_value_info(name, element_type, shape)


def refers(made, attribute, to, attribute_type):
    """The attribute stands for one of the function's call."""
    made.attribute.add(name=attribute, ref_attr_name=to, type=attribute_type)
    return made


def function(name, inputs, outputs, nodes, attributes=(), defaults=(), domain="mine"):
    made = helper.make_function(domain, name, inputs, outputs, nodes, [opset("", 13), opset("mine", 1)],
                                list(attributes))
    for default in defaults:
        field = made.DESCRIPTOR.fields_by_name.get("attribute_proto")
        if field is None:  # python3-onnx 1.12 does not know the field
            made.MergeFromString(b"\x5a" + bytes([default.ByteSize()]) + default.SerializeToString())
        else:
            made.attribute_proto.append(default)
    return made


def branch(nodes, outputs, initializers=()):
    return helper.make_graph(nodes, "branch", [], [value(name) for name in outputs], list(initializers))


def constant(name, array):
    return numpy_helper.from_array(numpy.asarray(array), name)


class Inlined(OnnxCase):
    def save(self, nodes, functions=(), inputs=None, outputs=("y",), initializers=()):
        graph = helper.make_graph(nodes, "g", inputs or [value("x", ["N", 3])], [value(o) for o in outputs],
                                  list(initializers))
        model = helper.make_model(graph, opset_imports=[opset("", 13), opset("mine", 1)], functions=list(functions))
        model.ir_version = 8
        onnx.save(model, self.path("m.onnx"))
        return self.path("m.onnx")

    def answers(self, path, x=X):
        numpy.save(self.path("x.npy"), x)
        self.classify("run", path, "--input", self.path("x.npy"), "--output-dir", self.folder)
        return numpy.load(self.path("out_0.npy"))

    def equal(self, path, wanted, x=X):
        numpy.testing.assert_allclose(self.answers(path, x), wanted, rtol=1e-6)

    def fails(self, says, *args, **kwargs):
        self.refused("inspect", self.save(*args, **kwargs), says=says)


class Functions(Inlined):
    def test_a_call_is_its_nodes(self):
        scale = function("Scale", ["a", "b"], ["out"], [node("Mul", ["a", "b"], ["x"]), node("Neg", ["x"], ["out"])])
        path = self.save([node("Scale", ["x", "x"], ["t"], domain="mine"),
                          node("Scale", ["t", "x"], ["y"], domain="mine", name="second")], [scale])
        self.equal(path, X ** 3)
        found = self.classify_json("inspect", path)
        self.assertEqual([n["operator"] for n in found["nodes"]], ["Mul", "Mul", "Identity"])
        self.assertEqual(found["outputs"][0]["name"], "y")
        self.assertEqual(found["max_batch"], 32)

    def test_attributes_of_the_call(self):
        leaky = function("Leaky", ["a"], ["out"], [
            refers(node("LeakyRelu", ["a"], ["t"]), "alpha", "slope", onnx.AttributeProto.FLOAT),
            refers(node("Flatten", ["t"], ["out"]), "axis", "axis", onnx.AttributeProto.INT)], ["slope", "axis"])
        deeper = function("Deeper", ["a"], ["out"], [
            refers(node("Leaky", ["a"], ["out"], domain="mine"), "slope", "steep", onnx.AttributeProto.FLOAT)],
                          ["steep"])
        for attributes, alpha in (({"steep": 0.5}, 0.5), ({}, 0.01)):
            path = self.save([node("Deeper", ["x"], ["y"], domain="mine", **attributes)], [leaky, deeper])
            self.equal(path, numpy.where(X < 0, numpy.float32(alpha) * X, X))
        self.fails("the function has no attribute 'odd'", [node("Leaky", ["x"], ["y"], domain="mine", odd=1)], [leaky])

    def test_defaults_of_attributes(self):
        leaky = function("Leaky", ["a"], ["out"],
                         [refers(node("LeakyRelu", ["a"], ["out"]), "alpha", "slope", onnx.AttributeProto.FLOAT)],
                         defaults=[helper.make_attribute("slope", 0.25)])
        for attributes, alpha in (({"slope": 0.5}, 0.5), ({}, 0.25)):
            path = self.save([node("Leaky", ["x"], ["y"], domain="mine", **attributes)], [leaky])
            self.equal(path, numpy.where(X < 0, alpha * X, X))

    def test_inputs_that_a_call_leaves_out(self):
        clip = function("Limit", ["a", "low", "high"], ["out"], [node("Clip", ["a", "low", "high"], ["out"])])
        one = constant("one", numpy.float32(1))
        for inputs in (["x", "", "one"], ["x", "one"], ["x"]):
            path = self.save([node("Limit", inputs, ["y"], domain="mine")], [clip], initializers=[one])
            self.equal(path, numpy.clip(X, 1 if inputs[1:] == ["one"] else None, 1 if len(inputs) == 3 else None)
                       if len(inputs) > 1 else X)

    def test_names_inside_are_its_own(self):
        inner = function("Twice", ["y"], ["x"], [node("Add", ["y", "y"], ["x"])])
        path = self.save([node("Twice", ["x"], ["call/x"], domain="mine", name="call"),
                          node("Twice", ["call/x"], ["y"], domain="mine", name="call")], [inner])
        self.equal(path, 4 * X)
        self.fails("node 'call' (Look): node 0 (Neg): input 'x' is neither an input",
                   [node("Look", ["x"], ["y"], domain="mine", name="call")],
                   [function("Look", ["a"], ["out"], [node("Neg", ["x"], ["out"])])])

    def test_refusals(self):
        loop = function("Loop1", ["a"], ["out"], [node("Loop1", ["a"], ["out"], domain="mine")])
        self.fails("nested deeper than 16", [node("Loop1", ["x"], ["y"], domain="mine")], [loop])
        many = [function(f"F{i}", ["a"], ["out"], [node(f"F{i + 1}", ["a"], [f"t{k}"], domain="mine")
                                                   for k in range(20)] + [node("Neg", ["t0"], ["out"])])
                for i in range(12)] + [function("F12", ["a"], ["out"], [node("Neg", ["a"], ["out"])])]
        self.fails("more than", [node("F0", ["x"], ["y"], domain="mine")], many)
        empty = function("Empty", ["a"], ["out"], [])
        self.fails("output 'out' is not computed", [node("Empty", ["x"], ["y"], domain="mine")], [empty])
        twice = function("Twice", ["a"], ["out"], [node("Neg", ["a"], ["out"])])
        self.fails("function 'Twice' comes twice", [node("Twice", ["x"], ["y"], domain="mine")], [twice, twice])
        self.fails("wanted at most 1 and 1", [node("Twice", ["x", "x"], ["y"], domain="mine")], [twice])


class Branches(Inlined):
    def squeeze(self, inputs, axis=0):
        """As torch.onnx writes x.squeeze(axis) for a dimension that it does not know."""
        nodes = [node("Shape", ["x"], ["s"]), node("Gather", ["s", "axis"], ["d"], axis=0),
                 node("Equal", ["d", "one"], ["c"]),
                 node("If", ["c"], ["y"], name="if",
                      then_branch=branch([node("Squeeze", ["x", "axes"], ["t"])], ["t"]),
                      else_branch=branch([node("Identity", ["x"], ["t"])], ["t"]))]
        return self.save(nodes, inputs=inputs, initializers=[
            constant("axis", numpy.int64(axis)), constant("axes", [axis]), constant("one", numpy.int64(1))])

    def test_a_condition_of_shapes(self):
        x = numpy.arange(6, dtype=numpy.float32).reshape(2, 1, 3)
        self.equal(self.squeeze([value("x", ["N", 1, 3])], axis=1), x.reshape(2, 3), x)
        self.equal(self.squeeze([value("x", ["N", 1, 3])], axis=2), x, x)
        self.equal(self.squeeze([value("x", [1, 3])]), X[0], X[:1])
        self.refused("inspect", self.squeeze([value("x", ["N", 3])]),
                     says="node 'if' (If): the condition depends on the number of samples")

    def test_branches_see_what_stands_before_them(self):
        inner = branch([node("If", ["no"], ["deep"], then_branch=branch([], ["gone"]),
                             else_branch=branch([node("Mul", ["t", "w"], ["u"])], ["u"]))], ["deep"])
        outer = branch([node("Add", ["x", "w"], ["t"]),
                        node("If", ["yes"], ["v"], then_branch=inner, else_branch=inner)], ["v", "w"],
                       [constant("w", numpy.float32([1, 2, 3]))])
        path = self.save([node("If", ["yes"], ["a", "b"], then_branch=outer, else_branch=branch([], ["p", "q"])),
                          node("Add", ["a", "b"], ["y"])],
                         initializers=[constant("yes", True), constant("no", [False])])
        w = numpy.float32([1, 2, 3])
        self.equal(path, (X + w) * w + w)

    def test_a_condition_of_the_picture(self):
        some = branch([node("Neg", ["x"], ["t"])], ["t"])
        sums = [node("ReduceSum", ["x"], ["s"], keepdims=0), node("Cast", ["s"], ["c"], to=BOOL)]
        taken = node("If", ["c"], ["y"], name="if", then_branch=some, else_branch=some)
        self.fails("node 'if' (If): decides while the model runs which nodes run; wanted", sums + [taken])
        self.fails("the condition is float", [node("If", ["x"], ["y"], then_branch=some, else_branch=some)])

    def test_refusals(self):
        yes, some = constant("yes", True), branch([node("Neg", ["x"], ["t"])], ["t"])
        self.fails("attribute 'then_branch' is missing", [node("If", ["yes"], ["y"], else_branch=some)],
                   initializers=[yes])
        self.fails("then_branch has 1 outputs, wanted 2",
                   [node("If", ["yes"], ["y", "z"], then_branch=some, else_branch=some)], initializers=[yes])
        self.fails("input 'later' is the output of node 1 (Neg), which does not stand before",
                   [node("If", ["yes"], ["y"], then_branch=branch([node("Neg", ["later"], ["t"])], ["t"]),
                         else_branch=some), node("Neg", ["x"], ["later"])], initializers=[yes])
        deep = branch([node("Neg", ["x"], ["t"])], ["t"])
        for _ in range(20):
            deep = branch([node("If", ["yes"], ["t"], then_branch=deep, else_branch=branch([], ["t"]))], ["t"])
        self.fails("nested deeper than 16",
                   [node("If", ["yes"], ["y"], then_branch=deep, else_branch=branch([], ["t"]))], initializers=[yes])


if __name__ == "__main__":
    unittest.main()
