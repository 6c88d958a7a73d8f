"""The auditor as an HTTP service with a web page; needs the extra ``vidigree[service]``."""

from vidigree.detect.service.settings import ServiceSettings

__all__ = ["ServiceSettings"]
