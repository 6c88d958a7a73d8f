"""The ground floor: video as streams of frames, containers, and what every room shares."""

from vidigree.media.errors import (
    CredentialsError,
    EngineError,
    LedgerError,
    MediaError,
    MediaNotFoundError,
    NotAVideoError,
    OutputError,
    PolicyRefusalError,
    StampError,
    TruncatedMediaError,
    UnsupportedMediaError,
    UsageError,
    VidigreeError,
)
from vidigree.media.frame import Frame
from vidigree.media.home import home_folder
from vidigree.media.output import output_file, scratch_file
from vidigree.media.progress import Progress, no_progress, progress_bar
from vidigree.media.reading import VideoInfo, VideoReader, open_video, probe
from vidigree.media.registry import Registry
from vidigree.media.writing import VideoWriter

__all__ = [
    "CredentialsError",
    "EngineError",
    "Frame",
    "LedgerError",
    "MediaError",
    "MediaNotFoundError",
    "NotAVideoError",
    "OutputError",
    "PolicyRefusalError",
    "Progress",
    "Registry",
    "StampError",
    "TruncatedMediaError",
    "UnsupportedMediaError",
    "UsageError",
    "VideoInfo",
    "VideoReader",
    "VideoWriter",
    "VidigreeError",
    "home_folder",
    "no_progress",
    "open_video",
    "output_file",
    "probe",
    "progress_bar",
    "scratch_file",
]
