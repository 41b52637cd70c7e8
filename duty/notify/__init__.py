"""The notifier, a process: from the alarm log to queued messages; who cannot be reached; a clock that is set back."""
