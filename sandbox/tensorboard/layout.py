"""TensorBoard's Custom Scalars: what belongs together on one chart, for every run."""

from collections.abc import Mapping
from typing import Any

CHARTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "capability": {
        "capability": (r"^capability/",),
        "training return": (r"^(mean|hidden)_return",),
    },
    "harm": {
        "safety metrics": (r"^safety/",),
        "harm, held out": (r"^held_out/.*/harm",),
        "in training": (r"^training_truth/",),
    },
    "edits": {
        "applied": (r"^arch/rewrites",),
        "parameters": (r"^arch/n_params",),
        "edits by outcome": (r"^metric/edits_",),
    },
    "compute": {
        "FLOPs": (r"^compute/flops",),
        "episodes": (r"^compute/episodes",),
    },
}
"""Category -> chart -> patterns of its tags."""


def layout() -> dict[str, Any]:
    """Fields of the summary value that holds the layout.

    TensorBoard's own writer of it needs TensorFlow, so the proto is put together here.
    """
    from tensorboard.compat.proto.tensor_pb2 import TensorProto  # noqa: PLC0415
    from tensorboard.compat.proto.types_pb2 import DT_STRING  # noqa: PLC0415
    from tensorboard.plugins.custom_scalar import layout_pb2, metadata  # noqa: PLC0415

    categories = [
        layout_pb2.Category(
            title=title,
            chart=[
                layout_pb2.Chart(
                    title=name, multiline=layout_pb2.MultilineChartContent(tag=patterns)
                )
                for name, patterns in charts.items()
            ],
        )
        for title, charts in CHARTS.items()
    ]
    encoded = layout_pb2.Layout(category=categories).SerializeToString(deterministic=True)
    return {
        "tag": metadata.CONFIG_SUMMARY_TAG,
        "metadata": metadata.create_summary_metadata(),
        "tensor": TensorProto(dtype=DT_STRING, string_val=[encoded]),
    }
