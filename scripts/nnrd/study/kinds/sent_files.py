"""Items that are sent as files, to the whole model, beside what crosses the splits."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nnrd import tasks
from nnrd.core.errors import UserError
from nnrd.datasets import file_codecs
from nnrd.study.kinds.base import Context
from nnrd.study.kinds.operations import operations
from nnrd.study.points import Anchor, FilePoint


def file_points(
    context: Context, key: str, given: Mapping[str, Any], anchor: Anchor
) -> list[FilePoint]:
    """Return a point a file codec and combination of its parameters."""
    entries = given.get("file_codecs", [])
    media = tasks.REGISTRY.get(context.sheets.datasets[anchor.data.dataset].task).media
    found = operations(context, key, entries, file_codecs.REGISTRY)
    for operation in found:
        try:
            file_codecs.check(operation.name, operation.parameters, media)
        except UserError as error:
            context.fail(f"{key}.{operation.name}", str(error))
    lossless = [file_codecs.REGISTRY.get(operation.name).lossless for operation in found]
    return [
        FilePoint(anchor, replace(operation, lossless=exact))
        for operation, exact in zip(found, lossless, strict=True)
    ]
