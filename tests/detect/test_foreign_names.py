"""Names of files that are not UTF-8, all the way."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path


def test_json_of_a_name_that_is_not_utf_8_is_utf_8(
    clip: Path, tmp_path: Path, vidigree_environment: dict[str, str]
) -> None:
    """Once it ended as a defect, or as bytes that no reader of JSON takes."""
    name = os.fsdecode(b"\xff\xfe.mp4")
    shutil.copy(clip, tmp_path / name)
    for encoding in ("utf-8", "utf-8:surrogateescape"):
        done = subprocess.run(
            [sys.executable, "-m", "vidigree.cli", "audit", name, "--json", "--only=credentials"],
            capture_output=True,
            check=True,
            cwd=tmp_path,
            env=vidigree_environment | {"PYTHONIOENCODING": encoding},
        )
        assert json.loads(done.stdout.decode("utf-8"))["file"] == name
