"""Ground textures: seamless squares of albedo, and a sampler that filters them."""

from vidigree.generate.engines.render.grounds.mipmap import MipMap
from vidigree.generate.engines.render.grounds.paint import paint_ground

__all__ = ["MipMap", "paint_ground"]
