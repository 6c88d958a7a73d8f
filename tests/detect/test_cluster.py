"""On a real Ray cluster: nothing lost, nothing doubled, even when a node or a process dies."""

from __future__ import annotations

import os
import signal
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vidigree.detect.cluster import audit_cluster
from vidigree.detect.isolation import Job
from vidigree.detect.settings import AuditSettings
from vidigree.media import UsageError

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.slow,
    # Ray leaves sockets and log files to the garbage collector when it shuts down.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

ROOT = Path(__file__).resolve().parent.parent.parent
FAST = Job(name="", settings=AuditSettings(layers=("credentials",)))


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Start a head and two nodes of one CPU each, every one a set of processes of its own."""
    pytest.importorskip("ray", reason="the extra [cluster] is not installed")
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "typings"))
    monkeypatch.setenv("RAY_DISABLE_IMPORT_WARNING", "1")
    monkeypatch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray
    from ray.cluster_utils import Cluster

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
        nodes = [made.add_node(num_cpus=1) for _ in range(2)]
        made.wait_for_nodes()
        ray.init(address=made.address, log_to_driver=False, logging_level="error")
    made.test_nodes = nodes
    yield made
    ray.shutdown()
    made.shutdown()


def names(clip: Path, folder: Path, count: int) -> list[str]:
    folder.mkdir(exist_ok=True)
    for number in range(count):
        (folder / f"{number}.mp4").symlink_to(clip)
    return sorted(str(path) for path in folder.iterdir())


def test_a_node_and_a_process_die_in_the_middle(clip: Path, tmp_path: Path, cluster: Any) -> None:
    wanted = names(clip, tmp_path / "clips", 60)
    found: Counter[str] = Counter()
    for number, answer in enumerate(audit_cluster(iter(wanted), job=FAST), 1):
        found[answer.row["file"]] += 1
        assert answer.row.get("finding") == "no-evidence", answer.row
        if number == 5:
            killed = [pid for pid in _workers() if _kill(pid)]
            assert killed
        if number == 20:
            cluster.remove_node(cluster.test_nodes[0], allow_graceful=False)
    assert found == Counter(wanted)


def _workers() -> list[int]:
    """Return the audit processes that run below the actors."""
    pids = []
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if entry.name.isdigit() and b"ray::_Auditor" in command:
            pids.append(int(entry.name))
    return pids


def _kill(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def test_no_cluster_is_a_mistake_with_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray", reason="the extra [cluster] is not installed")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(UsageError, match="no Ray cluster"):
        next(audit_cluster(["a.mp4"], job=FAST, address="127.0.0.1:1"))
