"""Rigid bodies under gravity, with contacts and friction."""

from vidigree.generate.engines.render.dynamics.simulate import LONGEST_STEP, Pose, simulate

__all__ = ["LONGEST_STEP", "Pose", "simulate"]
