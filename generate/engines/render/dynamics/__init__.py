"""Rigid bodies under gravity, with contacts and friction."""

from vidigree.generate.engines.render.dynamics.simulate import Motion, simulate

__all__ = ["Motion", "simulate"]
