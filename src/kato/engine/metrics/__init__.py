"""
The numbers of a prediction, one quantity a file: its formula, and how it explains itself.

docs/metrics.md has a section for each, with a worked number.
"""
