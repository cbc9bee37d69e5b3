"""The right answers: one module a topic, written to be read."""
