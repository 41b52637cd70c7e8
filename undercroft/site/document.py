"""A site as one canonical JSON document, and its fingerprint."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from undercroft.site.model import Site


def site_document(site: Site) -> dict[str, Any]:
    """Return the site in the shape of ``site.toml``, defaults written out, as plain JSON values."""
    document: dict[str, Any] = site.model_dump(mode="json", by_alias=True)
    return document


def site_from_document(document: dict[str, Any]) -> Site:
    """Return the site that `site_document` described."""
    return Site.model_validate_json(json.dumps(document), strict=True)


def canonical_json(site: Site) -> str:
    """Return the document as text: keys sorted, no blanks; equal sites give equal text."""
    return json.dumps(site_document(site), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def site_sha256(site: Site) -> str:
    """Return the fingerprint of the canonical text, in hexadecimal."""
    return hashlib.sha256(canonical_json(site).encode()).hexdigest()
