"""Audits clips: credentials, watermark, ledger, classifier, and one verdict from them."""
