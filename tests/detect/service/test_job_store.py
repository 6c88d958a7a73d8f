"""Jobs are claimed once, survive a restart, and are given up in the end; in both databases."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from vidigree.detect.service.database import open_database
from vidigree.detect.service.job_store import AuditJob, JobOptions, JobStore
from vidigree.detect.service.schema import jobs
from vidigree.media.errors import VidigreeError
from vidigree.watermark.ledger import Ledger

ANSWER = {"row": {"finding": "no-evidence"}, "pictures": []}


@pytest.fixture
def open_store(ledger_url: str) -> Any:
    engines = []

    def open_(lease_seconds: float = 30.0, max_attempts: int = 3) -> JobStore:
        engines.append(open_database(ledger_url))
        return JobStore(engines[-1], lease_seconds=lease_seconds, max_attempts=max_attempts)

    yield open_
    for engine in engines:
        engine.dispose()


@pytest.fixture
def store(open_store: Callable[..., JobStore]) -> JobStore:
    return open_store()


def put(store: JobStore, *, spool: str = "here", url: str = "", **options: Any) -> AuditJob:
    job = store.receive(owner="", spool=spool, max_queue=1000)
    assert job is not None
    assert store.enqueue(job, name="clip.mp4", options=JobOptions(**options), url=url)
    return job


def test_a_job_goes_from_hand_to_hand(store: JobStore) -> None:
    job = put(store, language="zh", layers=("mark",))
    claimed = store.claim("here")
    assert claimed is not None
    assert (claimed.job_id, claimed.state, claimed.attempts) == (job.job_id, "running", 1)
    assert claimed.options == JobOptions(language="zh", layers=("mark",))
    assert store.claim("here") is None
    store.report(claimed, step="audit", done=2, total=4)
    seen = store.find(job.job_id)
    assert seen is not None
    assert (seen.steps_done, seen.steps_total, seen.answer) == (2, 4, None)
    assert store.finish(claimed, ANSWER, keep=60)
    done = store.find(job.job_id)
    assert done is not None
    assert (done.state, done.answer) == ("done", ANSWER)
    assert store.find("a\x00b") is None


def test_the_oldest_job_comes_first_and_knows_its_place(store: JobStore) -> None:
    jobs = []
    for _ in range(3):
        jobs.append(put(store))
        time.sleep(0.002)
    assert [store.ahead(job) for job in jobs] == [0, 1, 2]
    assert [getattr(store.claim("here"), "job_id", None) for _ in range(4)] == [
        *(job.job_id for job in jobs),
        None,
    ]


def test_many_workers_claim_each_job_exactly_once(open_store: Callable[..., JobStore]) -> None:
    store = open_store()
    wanted = {put(store).job_id for _ in range(24)}
    claimed: list[str] = []
    failures: list[VidigreeError] = []
    stores = [open_store() for _ in range(4)]

    def work(own: JobStore) -> None:
        try:
            while (job := own.claim("here")) is not None:
                claimed.append(job.job_id)
        except VidigreeError as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(own,)) for own in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(claimed) == sorted(wanted)


def test_a_job_whose_worker_died_is_taken_up_again(open_store: Callable[..., JobStore]) -> None:
    dead, alive = open_store(lease_seconds=0.05), open_store()
    job = put(dead)
    lost = dead.claim("here")
    assert lost is not None
    time.sleep(0.1)
    taken = alive.claim("here")
    assert taken is not None
    assert (taken.job_id, taken.attempts) == (job.job_id, 2)
    # The first worker was only slow: its answer comes too late, and changes nothing.
    assert not dead.finish(lost, {"row": {"finding": "late"}, "pictures": []}, keep=60)
    assert alive.finish(taken, ANSWER, keep=60)
    assert getattr(alive.find(job.job_id), "answer", None) == ANSWER


def test_a_renewed_lease_holds(open_store: Callable[..., JobStore]) -> None:
    store = open_store()
    put(store)
    job = store.claim("here")
    assert job is not None
    for _ in range(4):
        damage(store, job, lease_until=time.time() - 1)
        store.renew([str(job.lease)])
        assert store.claim("here") is None


def test_a_job_that_always_dies_is_given_up(open_store: Callable[..., JobStore]) -> None:
    store = open_store(lease_seconds=0.02, max_attempts=2)
    job = put(store)
    for _ in range(2):
        assert store.claim("here") is not None
        time.sleep(0.05)
    assert store.claim("here") is None
    failed = store.find(job.job_id)
    assert failed is not None
    assert failed.state == "failed"
    assert failed.answer is not None
    assert "too often" in failed.answer["row"]["error"]["message"]


def test_a_released_job_counts_no_attempt(store: JobStore) -> None:
    put(store)
    job = store.claim("here")
    assert job is not None
    store.release(job)
    again = store.claim("here")
    assert again is not None
    assert again.attempts == 1


def test_uploads_stay_with_their_folder_and_urls_do_not(store: JobStore) -> None:
    upload, url = put(store, spool="there"), put(store, spool="there", url="https://example.org/a")
    assert getattr(store.claim("here"), "job_id", None) == url.job_id
    assert store.claim("here") is None
    assert getattr(store.claim("there"), "job_id", None) == upload.job_id


def test_the_queue_is_bounded_and_finished_jobs_leave_it(store: JobStore) -> None:
    jobs = [store.receive(owner="", spool="here", max_queue=2) for _ in range(3)]
    assert [job is None for job in jobs] == [False, False, True]
    assert jobs[0] is not None
    store.enqueue(jobs[0], name="a", options=JobOptions())
    claimed = store.claim("here")
    assert claimed is not None
    assert store.receive(owner="", spool="here", max_queue=2) is None
    store.finish(claimed, ANSWER, keep=60)
    assert store.receive(owner="", spool="here", max_queue=2) is not None


def test_what_is_over_is_swept_and_nothing_else(open_store: Callable[..., JobStore]) -> None:
    store = open_store()
    waiting = put(store)
    half = store.receive(owner="", spool="here", max_queue=9)
    assert half is not None
    damage(store, half, lease_until=time.time() - 1)
    put(store)
    old, kept = store.claim("here"), store.claim("here")
    assert old is not None
    assert kept is not None
    store.finish(old, ANSWER, keep=-1)
    store.finish(kept, ANSWER, keep=60)
    assert store.sweep() == 2
    assert store.find(half.job_id) is None
    assert store.find(old.job_id) is None
    assert store.find(kept.job_id) is not None
    assert waiting.job_id in {old.job_id, kept.job_id}


def test_jobs_survive_a_restart(open_store: Callable[..., JobStore]) -> None:
    job = put(open_store())
    assert getattr(open_store().claim("here"), "job_id", None) == job.job_id


def test_ledger_and_service_share_a_database(ledger_url: str) -> None:
    with Ledger.open(ledger_url) as ledger:
        engine = open_database(ledger_url)
        store = JobStore(engine, lease_seconds=30, max_attempts=3)
        put(store)
        assert ledger.count() == 0
        engine.dispose()
    open_database(ledger_url).dispose()  # the second time there is nothing to do
    with Ledger.open(ledger_url) as ledger:
        assert ledger.count() == 0


def test_an_answer_that_was_fetched_stays_no_longer_than_it_would(store: JobStore) -> None:
    put(store)
    claimed = store.claim("here")
    assert claimed is not None
    assert store.finish(claimed, ANSWER, keep=60)

    def left() -> float:
        with store._engine.connect() as connection:
            return float(
                connection.execute(sa.select(jobs.c.expires_at)).scalar_one() - time.time()
            )

    store.expire_soon(claimed, 3600)
    assert 30 < left() <= 60
    store.expire_soon(claimed, 5)
    assert left() <= 5


def test_answers_have_room_up_to_a_limit(store: JobStore) -> None:
    def answer(owner: str) -> AuditJob:
        put(store)
        claimed = store.claim("here")
        assert claimed is not None
        assert store.finish(claimed, {"row": {}, "pictures": ["x" * 100]}, keep=60)
        damage(store, claimed, owner=owner)
        return claimed

    assert store.has_room("", 500)
    first, _ = answer(""), answer("")
    assert not store.has_room("", 500)  # half of it
    assert store.has_room("k", 500)
    answer("k")
    assert store.has_room("k", 500)
    answer("l")
    assert not store.has_room("k", 500)  # all of it
    store.delete(first.job_id)
    assert store.has_room("k", 500)


def test_only_an_upload_whose_service_died_is_forgotten(store: JobStore) -> None:
    coming, dead = (store.receive(owner="", spool="here", max_queue=9) for _ in range(2))
    assert coming is not None
    assert dead is not None
    damage(store, dead, lease_until=time.time() - 1)
    assert store.waiting_uploads("here") == {coming.job_id}
    assert store.sweep() == 1
    assert store.find(dead.job_id) is None
    assert store.find(coming.job_id) is not None


def damage(store: JobStore, job: AuditJob, **values: Any) -> None:
    with store._engine.begin() as connection:
        connection.execute(sa.update(jobs).where(jobs.c.id == job.job_id).values(values))


NEWER = [
    '{"layers": [], "of_a_newer_version": 1}',
    '{"layers": ["smell"]}',
    '{"layers": [], "policy": "mars"}',
    '{"layers": [], "language": "eo"}',
]


@pytest.mark.parametrize("options", NEWER)
def test_a_job_of_a_newer_version_is_left_to_it(store: JobStore, options: str) -> None:
    """Once an older service beside it gave it up with an error."""
    newer, good = put(store), put(store)
    damage(store, newer, options=options)
    given_up: list[AuditJob] = []
    claimed = store.claim("here", on_given_up=given_up.append)
    assert claimed is not None
    assert claimed.job_id == good.job_id
    for _ in range(2):
        assert store.claim("here", on_given_up=given_up.append) is None
    seen = store.find(newer.job_id)
    assert seen is not None
    assert (seen.state, seen.attempts, seen.lease, given_up) == ("queued", 0, None, [])
    # The newer one is gone for good.
    damage(store, newer, created_at=time.time() - 3601)
    assert store.claim("here", on_given_up=given_up.append) is None
    assert given_up == []  # this one may have begun just now
    store._left_since -= 3601
    assert store.claim("here", on_given_up=given_up.append) is None
    assert [job.job_id for job in given_up] == [newer.job_id]
    seen = store.find(newer.job_id)
    assert seen is not None
    assert seen.state == "failed"
    assert seen.answer is not None
    assert "another version" in seen.answer["row"]["error"]["message"]


def test_jobs_of_a_newer_version_wait_as_long_as_it_takes_some_up(store: JobStore) -> None:
    """Once an older service gave them up after an hour, however long the newer one's queue was."""
    waiting = [put(store) for _ in range(3)]
    for job in waiting:
        damage(store, job, options=NEWER[0], created_at=time.time() - 3601)
    given_up: list[AuditJob] = []

    def claim_an_hour_later() -> None:
        store._left_since -= 3601
        assert store.claim("here", on_given_up=given_up.append) is None

    claim_an_hour_later()
    damage(store, waiting[0], state="running", lease="newer", lease_until=time.time() + 30)
    claim_an_hour_later()
    store.delete(waiting[0].job_id)
    damage(store, waiting[1], state="running", lease="newer", lease_until=time.time() + 30)
    claim_an_hour_later()
    assert given_up == []
    # It dies over the second one: nobody is left to take up the third.
    damage(store, waiting[1], lease_until=time.time() - 1)
    claim_an_hour_later()
    assert {job.job_id for job in given_up} == {waiting[1].job_id, waiting[2].job_id}
    assert not store._left


def test_a_young_job_of_a_newer_version_is_not_given_up_with_an_old_one(store: JobStore) -> None:
    old, young = put(store), put(store)
    for job in (old, young):
        damage(store, job, options=NEWER[0])
    given_up: list[AuditJob] = []
    assert store.claim("here", on_given_up=given_up.append) is None
    damage(store, old, created_at=time.time() - 3601)
    store._left_since -= 3601
    assert store.claim("here", on_given_up=given_up.append) is None
    assert [job.job_id for job in given_up] == [old.job_id]
    damage(store, put(store), options=NEWER[0])  # one that came just now, neither
    assert store.claim("here", on_given_up=given_up.append) is None
    assert [job.job_id for job in given_up] == [old.job_id]


@pytest.mark.parametrize("options", NEWER)
def test_the_answer_of_a_newer_version_is_read(store: JobStore, options: str) -> None:
    """Once an older service that was asked for it said that the job had failed."""
    job = put(store)
    claimed = store.claim("here")
    assert claimed is not None
    assert store.finish(claimed, ANSWER, keep=60)
    damage(store, job, options=options)
    seen = store.find(job.job_id)
    assert seen is not None
    assert (seen.state, seen.answer, seen.options.language) == ("done", ANSWER, "en")


@pytest.mark.parametrize("options", ["{", "[]", "{}"])
def test_a_job_that_cannot_be_read_is_given_up_and_the_next_taken(
    store: JobStore, options: str
) -> None:
    """Once each thread that met it ended, until none was left."""
    bad, good = put(store), put(store)
    damage(store, bad, options=options)
    given_up: list[str] = []
    claimed = store.claim("here", on_given_up=lambda job: given_up.append(job.job_id))
    assert claimed is not None
    assert claimed.job_id == good.job_id
    assert given_up == [bad.job_id]
    seen = store.find(bad.job_id)
    assert seen is not None
    assert seen.state == "failed"
    assert seen.answer is not None
    assert "another version" in seen.answer["row"]["error"]["message"]


def test_an_answer_that_cannot_be_read_is_told(store: JobStore) -> None:
    job = put(store)
    claimed = store.claim("here")
    assert claimed is not None
    assert store.finish(claimed, ANSWER, keep=60)
    damage(store, job, answer='{"row": ')
    seen = store.find(job.job_id)
    assert seen is not None
    assert (seen.state, seen.legible) == ("failed", False)
    assert seen.answer is not None
    assert seen.answer["row"]["error"]["kind"] == "ServiceError"


def test_an_upload_whose_service_died_need_not_stay(store: JobStore) -> None:
    waiting = put(store)
    coming = store.receive(owner="", spool="here", max_queue=9)
    assert coming is not None
    assert store.waiting_uploads("here") == {waiting.job_id, coming.job_id}
    damage(store, coming, lease_until=time.time() - 1)
    assert store.waiting_uploads("here") == {waiting.job_id}
