"""A Compose file: a service for each replica, published on this machine alone."""

from __future__ import annotations

from typing import Any

from autotuner.config.containers import SCRATCH, SCRATCH_OPTION, DockerConfig
from autotuner.config.yaml_text import yaml_text
from autotuner.deploy.deployed_engine import DeployedEngine, DeployFileText
from autotuner.deploy.format import DeployFormat
from autotuner.deploy.formats.kubernetes import KUBERNETES
from autotuner.deploy.formats.sky import SKY
from autotuner.engines import Mount
from autotuner.engines.docker_run import (
    FILES_FOLDER,
    HUB_CACHE,
    HUB_TOKEN,
    PORT_INSIDE,
    mib_text,
)

_CACHE = "models"
_PUBLISHED = 8000


def _literal(text: str) -> str:
    """A text in which Compose replaces nothing."""
    return text.replace("$", "$$")


def _demanded(name: str) -> str:
    """A secret of the shell that starts it, without which nothing starts: an engine that should
    ask for a key would serve everybody."""
    return f"${{{name}:?is a secret, set it before}}"


def _file(engine: DeployedEngine, version: str) -> tuple[DeployFileText, ...]:
    many = engine.replicas > 1
    services = {
        f"engine-{n + 1}" if many else "engine": _service(engine, n) for n in range(engine.replicas)
    }
    document: dict[str, Any] = {"services": services}
    if engine.is_downloaded:
        document["volumes"] = {_CACHE: {}}
    return (DeployFileText("compose.yaml", yaml_text(document)), *engine.files)


def _service(engine: DeployedEngine, number: int) -> dict[str, Any]:
    environment: dict[str, str | None] = dict.fromkeys(engine.confined.environment)
    environment |= {
        v.name: _demanded(v.name) if v.value is None else _literal(v.value)
        for v in engine.variables_inside
    }
    volumes: list[Any] = [_volume(mount) for mount in engine.mounts]
    volumes += [f"./{file.name}:{FILES_FOLDER}/{file.name}:ro" for file in engine.files]
    if engine.is_downloaded:
        environment |= {"HF_HOME": HUB_CACHE, HUB_TOKEN: None}
        volumes.append(f"{_CACHE}:{HUB_CACHE}")
    service: dict[str, Any] = {
        "image": engine.image,
        "entrypoint": list(map(_literal, engine.program)),
        "command": list(map(_literal, engine.inside())),
        "ports": [f"127.0.0.1:{_PUBLISHED + number}:{PORT_INSIDE}"],
        "ipc": "host",
        **_confinement(engine.confined),
    }
    if environment:
        service["environment"] = environment
    if volumes:
        service["volumes"] = volumes
    if engine.gpus:
        service["ulimits"] = {"memlock": -1, "stack": 64 * 1024 * 1024}
        service["deploy"] = {"resources": {"reservations": {"devices": [_gpus(engine, number)]}}}
    service["healthcheck"] = _health(engine)
    service["restart"] = "unless-stopped"
    return service


def _volume(mount: Mount) -> str | dict[str, Any]:
    """A mount in the short form, in which colons part it, or the long one."""
    source, target = _literal(mount.source), _literal(mount.target)
    if not mount.has_colon:
        return f"{source}:{target}:ro"
    return {"type": "bind", "source": source, "target": target, "read_only": True}


def _confinement(options: DockerConfig) -> dict[str, Any]:
    """User, root and memory, as the launch had them."""
    found: dict[str, Any] = {"user": options.user} if options.user else {}
    if options.read_only:
        found |= {"read_only": True, "tmpfs": [f"{SCRATCH}:{SCRATCH_OPTION}"]}
    if options.memory_gib is not None:
        limit = mib_text(options.memory_gib)
        found |= {"mem_limit": limit, "memswap_limit": limit}
    return found


def _gpus(engine: DeployedEngine, number: int) -> dict[str, Any]:
    """The GPUs of a replica: any where there is one, else its own by number."""
    first = number * engine.gpus
    own = [str(first + n) for n in range(engine.gpus)]
    which = {"device_ids": own} if engine.replicas > 1 else {"count": engine.gpus}
    return {"driver": engine.vendor, **which, "capabilities": ["gpu"]}


def _health(engine: DeployedEngine) -> dict[str, Any]:
    """Asks for what is served; an image may lack curl, or Python."""
    address = f"http://127.0.0.1:{PORT_INSIDE}{engine.ready_path}"
    python = f"import urllib.request as r; r.urlopen('{address}', timeout=5)"
    return {
        "test": ["CMD-SHELL", f'python3 -c "{python}" || curl -fsS -m 5 -o /dev/null {address}'],
        "interval": "10s",
        "timeout": "15s",
        "retries": 3,
        "start_period": "3600s",
    }


def _refusal(engine: DeployedEngine) -> str | None:
    """Replicas that one machine does not hold: each was measured with all that it occupies to
    itself."""
    for what, each, there in (
        ("GPUs", engine.gpus, engine.node_gpus),
        ("CPU cores", engine.cpus, engine.node_cpus),
    ):
        wished = engine.replicas * each
        if there and wished > there:
            return f"its replicas take {wished} {what}, and one machine has {there}"
    return None


COMPOSE = DeployFormat(
    name="compose",
    title="Docker Compose",
    summary="a service for each replica, with its GPUs, published on 127.0.0.1",
    render=_file,
    start="docker compose -f {file} up -d",
    refusal=_refusal,
    instead=(KUBERNETES, SKY),
    needs_image=True,
    confines="all",
)
