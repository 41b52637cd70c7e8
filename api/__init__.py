"""HTTP interface: REST under ``/api/v1``, the live stream, and the duty page."""
