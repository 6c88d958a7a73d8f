"""Any diffusers video pipeline, from a folder or a hub id, behind the engine contract."""

from vidigree.generate.engines.diffusers.engine import DiffusersEngine

__all__ = ["DiffusersEngine"]
