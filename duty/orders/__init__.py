"""Orders: templates, steps, who leads (四个一), and what speaks against a confirmation."""
