"""Textures of grounds and clouds: seamless squares, and a sampler that filters them."""

from vidigree.generate.engines.render.grounds.mipmap import MipMap
from vidigree.generate.engines.render.grounds.paint import paint_ground
from vidigree.generate.engines.render.grounds.textures import Textures

__all__ = ["MipMap", "Textures", "paint_ground"]
