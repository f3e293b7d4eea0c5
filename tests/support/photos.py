"""The photographs among the real data, and how the ImageNet models beside them want pictures."""
import csv

TORCHVISION = {"preprocess": {"color": "rgb", "resize": "center_crop", "width": 224, "height": 224,
                              "shorter_side": 256, "layout": "chw", "scale": 1 / 255, "mean": [0.485, 0.456, 0.406],
                              "std": [0.229, 0.224, 0.225]}}
SQUEEZENET = {"preprocess": {"color": "bgr", "resize": "center_crop", "width": 224, "height": 224,
                             "shorter_side": 256, "layout": "chw", "scale": 1}}
SQUEEZENET_FISH = {"preprocess": {"color": "bgr", "width": 224, "height": 224, "layout": "chw", "scale": 1}}


def listed(folder):
    """The paths of those with a class, in the list's order, and their classes."""
    with open(f"{folder}/classes.tsv", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [f"{folder}/{row['file']}" for row in rows], [int(row["class_index"]) for row in rows]


def probabilities(answer, n_classes):
    """The predictions of a picture as a list by class."""
    row = [0.0] * n_classes
    for prediction in answer["predictions"]:
        row[prediction["index"]] = prediction["probability"]
    return row


def prepare(path, shorter=256, side=224):
    """As torchvision's presets do with Pillow, but for the longer side, which is rounded: [3, side, side] float32."""
    import numpy
    from PIL import Image, ImageOps
    with Image.open(path) as file:
        image = ImageOps.exif_transpose(file).convert("RGB")
    width, height = image.size
    size = (shorter, round(shorter * height / width)) if width < height else (round(shorter * width / height), shorter)
    image = image.resize(size, Image.BILINEAR)
    left, top = (int(round((length - side) / 2.0)) for length in size)
    pixels = numpy.asarray(image.crop((left, top, left + side, top + side)), numpy.float32) / 255
    mean, std = numpy.float32([0.485, 0.456, 0.406]), numpy.float32([0.229, 0.224, 0.225])
    return numpy.ascontiguousarray(((pixels - mean) / std).transpose(2, 0, 1))
