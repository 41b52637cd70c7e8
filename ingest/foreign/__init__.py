"""Decoders of payloads that are not the native one. Pure: bytes in, parts out; the site data says what a part means."""
