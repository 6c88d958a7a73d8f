"""Rigid bodies under gravity, with contacts and friction."""

from vidigree.generate.engines.render.dynamics.simulate import Pose, simulate

__all__ = ["Pose", "simulate"]
