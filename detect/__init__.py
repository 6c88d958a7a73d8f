"""Audits clips: credentials, watermark, ledger, classifier, and one verdict from them."""

from vidigree.detect.audit import audit
from vidigree.detect.evidence import Evidence, Segment
from vidigree.detect.findings import Confidence, Finding
from vidigree.detect.policy import Decision, PolicyAction, VerdictPolicy, load_policy
from vidigree.detect.readings import NotChecked, Readings
from vidigree.detect.settings import AuditSettings
from vidigree.detect.verdict import Verdict, judge

__all__ = [
    "AuditSettings",
    "Confidence",
    "Decision",
    "Evidence",
    "Finding",
    "NotChecked",
    "PolicyAction",
    "Readings",
    "Segment",
    "Verdict",
    "VerdictPolicy",
    "audit",
    "judge",
    "load_policy",
]
