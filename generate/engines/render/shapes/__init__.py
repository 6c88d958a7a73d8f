"""Convex bodies: ray intersection for the tracer, distance and contact points for the physics."""

from vidigree.generate.engines.render.shapes.box import Box
from vidigree.generate.engines.render.shapes.cone import Cone
from vidigree.generate.engines.render.shapes.cylinder import Cylinder
from vidigree.generate.engines.render.shapes.shape import Hit, Shape
from vidigree.generate.engines.render.shapes.sphere import Sphere

__all__ = ["Box", "Cone", "Cylinder", "Hit", "Shape", "Sphere"]
