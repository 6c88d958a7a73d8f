"""A physics-based renderer: rigid bodies under gravity, traced with sun, sky and soft shadows."""

from vidigree.generate.engines.render.engine import RenderEngine
from vidigree.generate.engines.render.frames import draw_frames
from vidigree.generate.engines.render.grammar import read_prompt
from vidigree.generate.engines.render.reading import PromptReading
from vidigree.generate.engines.render.scene import Scene
from vidigree.generate.engines.render.staging import stage

__all__ = ["PromptReading", "RenderEngine", "Scene", "draw_frames", "read_prompt", "stage"]
