"""The node needs the extra [node]: without it these tests are skipped by name."""

import logging

import pytest

pytest.importorskip("pynetdicom", reason="the extra [node] (pynetdicom) is not installed")
logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)
