"""The embedded diffusion model: text-, image- and video-to-video offline, in seconds on a CPU."""

from vidigree.generate.engines.nano.engine import NanoEngine

__all__ = ["NanoEngine"]
