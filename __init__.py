"""Provenance and deepfake safety for generated video.

Rooms: :mod:`vidigree.generate` makes clips, :mod:`vidigree.watermark` marks and signs them,
:mod:`vidigree.detect` audits them, :mod:`vidigree.media` reads and writes video.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
