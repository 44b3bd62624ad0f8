"""Documents of tools that no schema is at hand for: the keys that they know, and no others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Camel(Strict):
    """Keys in camel case, as Kubernetes and llama-swap have them."""

    model_config = ConfigDict(alias_generator=to_camel)


class Devices(Strict):
    driver: Literal["nvidia", "amd"]
    count: int | None = None
    device_ids: list[str] | None = None
    capabilities: list[Literal["gpu"]]


class Reservations(Strict):
    devices: list[Devices]


class ComposeResources(Strict):
    reservations: Reservations


class ComposeDeploy(Strict):
    resources: ComposeResources


class HealthCheck(Strict):
    test: list[str]
    interval: str
    timeout: str
    retries: int
    start_period: str


class BindMount(Strict):
    type: Literal["bind"]
    source: str
    target: str
    read_only: Literal[True]


class ComposeService(Strict):
    image: str
    entrypoint: list[str]
    command: list[str]
    ports: list[str]
    ipc: Literal["host"]
    environment: dict[str, str | None] = Field(default_factory=dict)
    volumes: list[str | BindMount] = Field(default_factory=list)
    ulimits: dict[str, int] = Field(default_factory=dict)
    deploy: ComposeDeploy | None = None
    healthcheck: HealthCheck
    restart: str


class Compose(Strict):
    services: dict[str, ComposeService]
    volumes: dict[str, dict[str, Any]] = Field(default_factory=dict)


class Patch(Strict):
    path: str


class Labels(Camel):
    pairs: dict[str, str]
    include_selectors: Literal[True]


class Kustomization(Camel):
    api_version: Literal["kustomize.config.k8s.io/v1beta1"]
    kind: Literal["Kustomization"]
    resources: list[str]
    labels: list[Labels]
    patches: list[Patch]


class SecretKey(Strict):
    name: str
    key: str
    optional: bool = False


class ValueFrom(Camel):
    secret_key_ref: SecretKey


class Variable(Camel):
    name: str
    value: str | None = None
    value_from: ValueFrom | None = None


class Resources(Strict):
    limits: dict[str, int | str]
    requests: dict[str, int | str] = Field(default_factory=dict)


class HttpGet(Strict):
    path: str
    port: int


class Probe(Camel):
    http_get: HttpGet
    initial_delay_seconds: int
    period_seconds: int
    timeout_seconds: int
    failure_threshold: int


class SecurityContext(Camel):
    run_as_non_root: bool


class VolumeMount(Camel):
    name: str
    mount_path: str
    read_only: bool = False


class EmptyDir(Camel):
    medium: Literal["Memory"]
    size_limit: str


class HostPath(Strict):
    path: str


class Volume(Camel):
    name: str
    empty_dir: EmptyDir | None = None
    host_path: HostPath | None = None


class Container(Camel):
    name: Literal["main"] = "main"
    image: str
    command: list[str] = Field(default_factory=list)
    args: list[str] = Field(default_factory=list)
    env: list[Variable] = Field(default_factory=list)
    resources: Resources | None = None
    security_context: SecurityContext | None = None
    startup_probe: Probe | None = None
    volume_mounts: list[VolumeMount] = Field(default_factory=list)


class PodSpec(Strict):
    containers: list[Container]
    volumes: list[Volume] = Field(default_factory=list)


class PodTemplate(Strict):
    spec: PodSpec


class Metadata(Strict):
    name: str


class KserveModel(Strict):
    uri: str = Field(pattern=r"^hf://[^/]+/[^/]+$")
    name: str


class Empty(Strict):
    pass


class Router(Strict):
    scheduler: Empty
    route: Empty
    gateway: Empty


class Parallelism(Strict):
    tensor: int


class KserveSpec(Strict):
    runtime: str = ""
    model: KserveModel
    replicas: int
    parallelism: Parallelism | None = None
    router: Router
    template: PodSpec


class Kserve(Camel):
    api_version: Literal["serving.kserve.io/v1alpha2", "serving.kserve.io/v1alpha1"]
    kind: Literal["LLMInferenceService"]
    metadata: Metadata
    spec: KserveSpec


class Component(Camel):
    name: str
    type: Literal["frontend", "worker", "prefill", "decode"]
    replicas: int
    pod_template: PodTemplate


class ExtraPodSpec(Camel):
    main_container: Container
    volumes: list[Volume] = Field(default_factory=list)


class DynamoService(Camel):
    component_type: Literal["frontend", "worker"]
    sub_component_type: Literal["prefill", "decode"] | None = None
    replicas: int
    envs: list[Variable] = Field(default_factory=list)
    resources: Resources | None = None
    extra_pod_spec: ExtraPodSpec


class DynamoSpec(Strict):
    components: list[Component] = Field(default_factory=list)
    services: dict[str, DynamoService] = Field(default_factory=dict)


class Dynamo(Camel):
    api_version: Literal["nvidia.com/v1beta1", "nvidia.com/v1alpha1"]
    kind: Literal["DynamoGraphDeployment"]
    metadata: Metadata
    spec: DynamoSpec


class SkyResources(Strict):
    image_id: str = Field(pattern="^docker:")
    ports: int
    cpus: str = Field(default="", pattern=r"^$|^\d+\+$")
    accelerators: str = Field(default="", pattern=r"^$|^[\w-]+:\d+$")


class ReadinessProbe(Strict):
    path: str
    initial_delay_seconds: int
    timeout_seconds: int


class SkyService(Strict):
    readiness_probe: ReadinessProbe
    replicas: int


class Sky(Strict):
    name: str
    resources: SkyResources
    envs: dict[str, str] = Field(default_factory=dict)
    secrets: dict[str, None] = Field(default_factory=dict)
    file_mounts: dict[str, str] = Field(default_factory=dict)
    run: str
    service: SkyService


class SwappedModel(Camel):
    cmd: str
    env: list[str] = Field(default_factory=list)
    check_endpoint: str


class LlamaSwap(Camel):
    health_check_timeout: int
    models: dict[str, SwappedModel]


MODELS: Mapping[str, type[Strict]] = {
    "compose.yaml": Compose,
    "kustomization.yaml": Kustomization,
    "kserve.yaml": Kserve,
    "dynamo.yaml": Dynamo,
    "sky.yaml": Sky,
    "llama-swap.yaml": LlamaSwap,
}
