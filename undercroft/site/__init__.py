"""Site data: ``site.toml`` read, checked, and imported."""

from undercroft.site.document import site_document, site_sha256
from undercroft.site.load import load_site, sample_site_path

__all__ = ["load_site", "sample_site_path", "site_document", "site_sha256"]
