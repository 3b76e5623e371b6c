"""Graphs of operators as ONNX files hold them (https://onnx.ai/onnx/repo-docs/IR.html): the few messages that we write.

Which number each field has stands in https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3; they never change.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from firth.formats.protobuf import Message
from firth.formats.tensors import write_blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

FLOAT, INT64, STRING, BOOL = 1, 7, 8, 9  # of TensorProto.DataType
TYPES = {"float32": FLOAT, "int8": 3, "int64": INT64, "float16": 10}
WHOLE, TEXT, TENSOR, GRAPH, NUMBERS, TEXTS = 2, 3, 4, 5, 7, 8  # of AttributeProto.AttributeType

Shape: TypeAlias = Sequence[int | str]  # a string names a length that is not known beforehand


class Graph:
    """Nodes in the order of their work, constants, inputs and outputs, all called by name."""

    def __init__(self, name: str) -> None:
        self.message = Message().text(2, name)

    def node(
        self, output: str | Sequence[str], operator: str, *inputs: str, domain: str = "", **attributes: Any
    ) -> None:
        """What is called `output` is what an operator makes of its inputs."""
        node = Message().texts(1, map(str.encode, inputs))
        node.texts(2, map(str.encode, [output] if isinstance(output, str) else output)).text(4, operator)
        for name, value in attributes.items():
            node.message(5, _attribute(name, value))
        self.message.message(1, node.text(7, domain))

    def constant(self, name: str, array: NDArray[Any]) -> None:
        """An array; its rows are read when the file is written."""
        self.message.message(5, tensor(array, name))

    def texts(self, name: str, texts: Sequence[bytes]) -> None:
        """A constant list of texts in UTF-8."""
        self.message.message(5, Message().number(1, len(texts)).number(2, STRING).texts(6, texts).text(8, name))

    def input(self, name: str, kind: int, shape: Shape) -> None:
        """What the graph is given."""
        self.message.message(11, _value(name, kind, shape))

    def output(self, name: str, kind: int, shape: Shape) -> None:
        """What it gives."""
        self.message.message(12, _value(name, kind, shape))


def model(graph: Graph, ir_version: int, opsets: dict[str, int], producer: tuple[str, str], described: str) -> Message:
    """A whole file: the graph, the versions of what it is written in, and words for who opens it."""
    name, version = producer
    message = Message().number(1, ir_version).text(2, name).text(3, version).text(6, described)
    for domain, opset in opsets.items():
        message.message(8, Message().text(1, domain).number(2, opset))
    return message.message(7, graph.message)


def tensor(array: NDArray[Any], name: str = "") -> Message:
    """An array of numbers, in little-endian bytes."""
    message = Message().numbers(1, array.shape).number(2, TYPES[array.dtype.name]).text(8, name)
    return message.later(9, array.nbytes, partial(write_blocks, array=array, dtype=array.dtype.name))


def _attribute(name: str, value: Any) -> Message:
    message = Message().text(1, name)
    if isinstance(value, int):
        return message.number(3, value).number(20, WHOLE)
    if isinstance(value, str):
        return message.text(4, value).number(20, TEXT)
    if isinstance(value, Graph):
        return message.message(6, value.message).number(20, GRAPH)
    if isinstance(value, range):
        return message.numbers(8, value).number(20, NUMBERS)
    if isinstance(value, list):
        return message.texts(9, value).number(20, TEXTS)
    return message.message(5, tensor(value)).number(20, TENSOR)


def _value(name: str, kind: int, shape: Shape) -> Message:
    sizes = Message()
    for size in shape:
        sizes.message(1, Message().number(1, size) if isinstance(size, int) else Message().text(2, size))
    return Message().text(1, name).message(2, Message().message(1, Message().number(1, kind).message(2, sizes)))
