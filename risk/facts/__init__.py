"""What the rules found, as facts: rule, value, threshold, source, sensor and time. The words are in `risk.wording`."""
