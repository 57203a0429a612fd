"""A small ONNX detector, and images, folders and videos for it."""

from pathlib import Path

import cv2
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

SIDE = 64
OPTIONS = {"size": [SIDE, SIDE], "categories": "coco80"}


def detector(file) -> None:
    """One box in the middle, whose score is the image's brightness: a person, COCO's label 0."""
    weights = {
        "kernel": np.full((1, 3, 8, 8), 1 / 192, np.float32),
        "box": np.float32([[[16, 16, 48, 48]]]),
        "zero": np.zeros((1, 1), np.int64),
        "flat": np.int64([1, 1]),
    }
    nodes = [
        helper.make_node("Conv", ["image", "kernel"], ["map"], "stem", strides=[8, 8]),
        helper.make_node("Relu", ["map"], ["relu"], "relu"),
        helper.make_node("GlobalAveragePool", ["relu"], ["mean"], "head"),
        helper.make_node("Reshape", ["mean", "flat"], ["scores"], "scores"),
        helper.make_node("Identity", ["box"], ["boxes"], "boxes"),
        helper.make_node("Identity", ["zero"], ["labels"], "labels"),
    ]
    floats, integers = TensorProto.FLOAT, TensorProto.INT64
    graph = helper.make_graph(
        nodes,
        "detector",
        [helper.make_tensor_value_info("image", floats, [1, 3, SIDE, SIDE])],
        [
            helper.make_tensor_value_info("boxes", floats, [1, 1, 4]),
            helper.make_tensor_value_info("scores", floats, [1, 1]),
            helper.make_tensor_value_info("labels", integers, [1, 1]),
        ],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), file)


def picture(brightness: int, width: int = 128, height: int = 64) -> np.ndarray:
    return np.full((height, width, 3), brightness, np.uint8)


def folder(path: Path, *brightness: int) -> Path:
    path.mkdir()
    for number, value in enumerate(brightness):
        Image.fromarray(picture(value)).save(path / f"{number}.png")
    return path


def video(path: Path, *brightness: int) -> Path:
    """Write a video whose frames have these brightnesses: raw, MJPG or mp4v by its suffix."""
    if path.suffix == ".yuv":
        planes = [cv2.cvtColor(picture(value), cv2.COLOR_RGB2YUV_I420) for value in brightness]
        path.write_bytes(b"".join(plane.tobytes() for plane in planes))
        return path
    code = cv2.VideoWriter.fourcc(*{".avi": "MJPG", ".mp4": "mp4v"}[path.suffix])
    writer = cv2.VideoWriter(str(path), code, 10, (128, 64))
    for value in brightness:
        writer.write(picture(value))
    writer.release()
    return path
