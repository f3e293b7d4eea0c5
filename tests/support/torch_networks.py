"""torchvision's classification networks with random weights that behave as trained ones do, and their export to ONNX."""
import warnings

import numpy
import torch
import torchvision

SCORES_STD = 2.0


def pictures(generator, n, side):
    """Coarse colours with some noise, normalised as photographs are: [n, 3, side, side]."""
    coarse = torch.rand(n, 3, 8, 8, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, size=(side, side), mode="bicubic", align_corners=False)
    noisy = (smooth + 0.1 * torch.randn(n, 3, side, side, generator=generator)).clamp(0, 1)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (noisy - mean[:, None, None]) / std[:, None, None]


def last_layer(network, x):
    """The last layer with weights, in the order in which they run."""
    order = []
    hooks = [m.register_forward_hook(lambda module, *_: order.append(module)) for m in network.modules()
             if isinstance(m, (torch.nn.Linear, torch.nn.Conv2d))]
    network(x)
    for hook in hooks:
        hook.remove()
    return order[-1]


@torch.no_grad()
def calibrate(network, x):
    """Makes random weights behave as trained ones do: activations and answers of sane size that depend on x."""
    for name, parameter in network.named_parameters():
        if name.endswith("layer_scale"):
            parameter.uniform_(0.1, 0.3)
        elif parameter.dim() > 1 and parameter.abs().max() == 0:
            parameter.normal_(0, parameter.shape[-1] ** -0.5)
    norms = [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.train()
        norm.momentum = 1.0
    if norms:
        network(x)
    network.eval()
    last = last_layer(network, x)
    for _ in range(2):  # a ReLU behind the layer makes the first guess too small
        factor = SCORES_STD / network(x).std(dim=1).mean()
        last.weight *= factor
        if last.bias is not None:
            last.bias *= factor


def prepared(name, n):
    """A network that answers sensibly, n pictures, and its probabilities of them."""
    torch.manual_seed(1)
    generator = torch.Generator().manual_seed(2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = torchvision.models.get_model(name, weights=None).eval()
    if hasattr(network, "transform_input"):
        network.transform_input = True  # as with trained weights
    side = 299 if name == "inception_v3" else 224
    calibrate(network, pictures(generator, 8, side))
    x = pictures(generator, n, side)
    with torch.no_grad():
        return network, x, softmax(network(x).numpy())


def export(network, x, path, opset, open_batch):
    """With the batch of x in the file, as most people export, or an open one called "batch"."""
    axes = {"image": {0: "batch"}, "scores": {0: "batch"}} if open_batch else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(network, x, path, opset_version=opset, input_names=["image"], output_names=["scores"],
                          dynamic_axes=axes)


def softmax(scores):
    powers = numpy.exp(scores.astype(numpy.float64) - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
