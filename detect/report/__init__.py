"""HTML reports: one self-contained page for one clip or for many."""

from vidigree.detect.report.writer import ReportWriter, render_report

__all__ = ["ReportWriter", "render_report"]
