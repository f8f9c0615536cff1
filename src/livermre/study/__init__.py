"""The whole experiment on one cohort: read and check it, split it, train both networks, evaluate, write it up.

A road: it may know several rooms. torch is imported by `training.py` and what only that calls, and lazily, so that
`livermre study --check` and `--report-only` need none.
"""
