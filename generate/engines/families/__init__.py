"""The families that the field grew from, each small, trained on clips of the renderer."""

from vidigree.generate.engines.families.autoregressive import AutoregressiveEngine
from vidigree.generate.engines.families.flow_gan import FlowGanEngine
from vidigree.generate.engines.families.gan import GanEngine
from vidigree.generate.engines.families.vae import VaeEngine

__all__ = ["AutoregressiveEngine", "FlowGanEngine", "GanEngine", "VaeEngine"]
