"""One node and one PACS for each file of tests here."""

from collections.abc import Iterator

import pytest

from node.place import Here, Pacs, config_file, destination, free_port


@pytest.fixture(scope="module")
def peer_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def pacs() -> Iterator[Pacs]:
    running = Pacs(free_port()).open()
    yield running
    running.close()


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, pacs: Pacs, peer_port: int) -> Iterator[Here]:
    limits = "max_instance_mib = 1\nmax_memory_mib = 8\nidle_seconds = 4"
    peer = f'[[peer]]\naet = "STORESCU"\nhost = "127.0.0.1"\nport = {peer_port}'
    config = config_file(tmp_path_factory.mktemp("node"), destination("pacs", pacs.port), peer, receive=limits)
    running = Here(config)
    yield running
    running.stop()
