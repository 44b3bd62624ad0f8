"""What an export says beside the command: its source, image, secrets, GPUs, paths, replicas."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from deployed import GPU, deployed, rendered, summary_of

from autotuner.deploy import FORMATS, DeployedEngine, ExportWishes, deployed_engine
from autotuner.errors import AutotunerError, ExportError


def made(engine: str = "vllm", *, command: str | None = None, **task: Any) -> DeployedEngine:
    settings, spec = rendered(engine)
    wishes = task.pop("wishes", ExportWishes())
    gpus, v1 = task.pop("gpus", 1), task.pop("v1_task_id", None)
    summary = summary_of(command or spec.command(), engine, GPU | settings, gpus, **task)
    return deployed_engine(summary, wishes, v1_task_id=v1)


def head(engine: DeployedEngine, form: str = "kubernetes", version: str | None = None) -> str:
    text = FORMATS[form].files(engine, version)[0].text
    return "".join(f"{line}\n" for line in text.splitlines() if line.startswith("#"))


def test_a_file_says_where_it_comes_from() -> None:
    found = head(made())
    assert "point c1@8 (recommended) of task 7 'a task'\n" in found
    assert "# Measured on 2026-01-03, 8 x H100 with vllm " in found
    assert "123.4 tok/s, TTFT 20 ms, TPOT 8 ms" in found
    assert "# Made by: autotuner export 7 --point c1@8 --format kubernetes\n" in found
    assert "# Start: kubectl apply -f kubernetes.yaml\n" in found


def test_the_command_that_makes_it_again_has_every_wish() -> None:
    wishes = ExportWishes("c1", 2, "r/e:1", "/opt/my vllm serve")
    again = head(made(wishes=wishes), "kserve", "v1alpha1").partition("Made by: ")[2]
    words = shlex.split(again.splitlines()[0])
    assert words[:3] == ["autotuner", "export", "7"]
    assert "--replicas 2 --image r/e:1" in " ".join(words)
    assert words[words.index("--program") + 1] == "/opt/my vllm serve"
    assert words[-4:] == ["--format", "kserve", "--target-version", "v1alpha1"]


def test_a_replay_and_a_task_of_version_1_are_labelled() -> None:
    _, spec = rendered("vllm")
    replayed = f"{spec.command()}  # replayed, not launched; it lacks a field"
    found = head(made(command=replayed, replay=True, v1_task_id=3))
    assert "# REPLAYED from recorded launches on 2026-01-03, nothing was launched" in found
    assert "Measured" not in found
    assert "of version 1's task 3" in found
    plain = summary_of(replayed, "vllm", GPU, 1).model_copy()
    experiment = plain.experiments[0].model_copy(update={"unserved": "it lacks a field"})
    lacking = plain.model_copy(update={"experiments": [experiment]})
    assert "does not serve what was measured: it lacks a field" in head(
        deployed_engine(lacking, ExportWishes())
    )


def test_a_name_of_several_lines_stays_in_its_comment() -> None:
    text = FORMATS["compose"].files(made(name="a\nservices: {}\n$(reboot)"))[0].text
    assert [*yaml.safe_load(text)["services"]] == ["engine"]


def test_the_image_is_that_of_the_measured_version_or_has_to_be_named() -> None:
    assert made(engine_version="0.11.2").image == "vllm/vllm-openai:v0.11.2"
    assert made("sglang", engine_version="0.5.6").image == "lmsysorg/sglang:v0.5.6"
    for engine, why in (
        (made(engine_version="no version!"), "version was not recorded"),
        (made(gpus=0), "measured on a CPU"),
        (made("llamacpp"), "no container image of llama.cpp's server is known"),
    ):
        assert engine.image is None
        with pytest.raises(ExportError, match=why) as refused:
            FORMATS["compose"].files(engine)
        assert "--image" in str(refused.value)
        assert FORMATS["shell"].files(engine)


def test_secrets_are_references_everywhere() -> None:
    token = "hf_" + "a" * 30
    _, spec = rendered("vllm")
    command = f"VLLM_API_KEY=hush-hush ODD={token} {spec.command()} --api-key hush-hush"
    engine = made(command=command)
    for name, form in FORMATS.items():
        if form.why_not(engine) is None:
            for version in (None, *form.versions(engine)):
                texts = "".join(file.text for file in form.files(engine, version))
                assert "hush-hush" not in texts, name
                assert token not in texts, name
                assert name == "aiconfigurator" or "VLLM_API_KEY" in texts
    assert "Note: requests carry the secret VLLM_API_KEY as their key" in head(engine)
    made_first = (
        "# Before: kubectl create secret generic hf-token"
        ' --from-literal=VLLM_API_KEY="$VLLM_API_KEY" --from-literal=ODD="$ODD"'
        ' --from-literal=HF_TOKEN="$HF_TOKEN"\n# Start: kubectl apply'
    )
    assert made_first in head(engine)
    assert "generic llm-d-hf-token --from-literal" in head(engine, "llm-d")
    assert "# Before" not in head(engine, "compose") + head(made())
    _, spec = rendered("sglang")
    flagged = made("sglang", command=f"{spec.command()} --api-key hush-hush")
    left_out = "Note: --api-key is left out, since it holds a secret: put a proxy that asks for"
    assert left_out in head(flagged)


@pytest.mark.parametrize("engine", ["vllm", "llamacpp"])
def test_an_engine_that_asks_for_a_key_is_probed_where_none_is_needed(engine: str) -> None:
    for asks in (False, True):
        kept = deployed(engine, image="r/e:1", api_key=asks)
        for name in ("compose", "kubernetes", "sky", "llama-swap", "llm-d", "kserve"):
            if FORMATS[name].why_not(kept) is not None:
                continue
            text = "".join(file.text for file in FORMATS[name].files(kept))
            probed = "/v1/models" in text
            assert probed == (not asks and engine == "vllm"), name
            assert (kept.deploy.api_key in text) == asks, name


def test_a_compose_file_does_not_start_without_its_secrets() -> None:
    [service] = yaml.safe_load(FORMATS["compose"].files(deployed("vllm", api_key=True))[0].text)[
        "services"
    ].values()
    assert service["environment"]["VLLM_API_KEY"].startswith("${VLLM_API_KEY:?")
    assert service["environment"]["HF_TOKEN"] is None, "models that are open need none"


def test_no_file_for_a_machine_starts_an_engine_without_its_key(tmp_path: Path) -> None:
    engine = deployed("vllm", api_key=True)
    texts = {n: FORMATS[n].files(engine)[-1].text for n in ("vllm-config", "systemd", "llama-swap")}
    [model] = yaml.safe_load(texts["llama-swap"])["models"].values()
    assert model["env"] == ["VLLM_API_KEY=${env.VLLM_API_KEY}"]
    (tmp_path / "env.sh").write_text(texts["vllm-config"])
    unit = texts["systemd"].splitlines()
    [demand] = [one.partition("=")[2] for one in unit if one.startswith("ExecStartPre=")]
    systemd = [word.replace("$$", "$") for word in shlex.split(demand)]
    # A variable of the shell alone reaches the engine, too; without one, nothing goes on.
    for key in ("", "hush"):
        line = f"{f'VLLM_API_KEY={key}; ' if key else ''} . {tmp_path}/env.sh; /usr/bin/env"
        shell = ["/bin/sh", "-c", line]
        done = subprocess.run(shell, env={}, capture_output=True, text=True, check=False)
        assert ("VLLM_API_KEY=hush" in done.stdout, done.returncode == 0) == (bool(key), bool(key))
        given = {"VLLM_API_KEY": key}
        done = subprocess.run(systemd, env=given, capture_output=True, text=True, check=False)
        assert (done.returncode == 0) == bool(key)


def test_no_line_of_a_word_leaves_its_comment() -> None:
    _, spec = rendered("vllm")
    engine = made(command=f"{spec.command()} -O {shlex.quote('a{}reboot{}b'.format(*2 * chr(10)))}")
    text = FORMATS["vllm-config"].files(engine)[-1].text
    assert "reboot" in text
    assert [one for one in text.splitlines() if one and not one.startswith("#")] == []


def test_a_wish_without_effect_is_named() -> None:
    engine = made(wishes=ExportWishes(image="r/e:1", program="/x serve"))
    for form in ("shell", "systemd", "llama-swap", "vllm-config", "aiconfigurator"):
        assert head(engine, form).count("that was asked for has no effect in this format") == 2
    assert "the program that was asked for has no effect" in head(engine, "kserve")
    for form in ("compose", "kubernetes", "llm-d"):
        assert "no effect" not in head(engine, form)


def test_folders_of_the_machine_that_measured_are_in_no_container() -> None:
    _, spec = rendered("llamacpp")
    command = f"HF_HOME=/home/me/hub ODD=1 {spec.command()}"
    engine = made("llamacpp", command=command, wishes=ExportWishes(image="r/e:1"))
    text = FORMATS["compose"].files(engine)[0].text
    assert "ODD" in text
    assert "/home/me/hub" not in text


def test_a_unit_is_started_by_the_name_that_it_gets() -> None:
    [file] = FORMATS["systemd"].files(made(), named="mine.service")
    assert "copy mine.service to /etc/systemd/system " in file.text
    assert "systemctl start mine\n" in file.text


def test_a_key_that_nobody_would_ask_for_is_refused() -> None:
    with pytest.raises(ExportError, match="takes no key from a variable") as refused:
        deployed("sglang", api_key=True)
    assert "proxy" in str(refused.value)
    assert "asks for no key" in str(FORMATS["dynamo"].why_not(deployed("vllm", api_key=True)))
    assert "--api-key --format compose" in head(deployed("vllm", api_key=True), "compose")


def test_disks_have_room_for_the_model() -> None:
    def disk(engine: DeployedEngine) -> tuple[str, int | None]:
        claim = next(yaml.safe_load_all(FORMATS["kubernetes"].files(engine)[0].text))
        sky = yaml.safe_load(FORMATS["sky"].files(engine)[0].text)
        return claim["spec"]["resources"]["requests"]["storage"], sky["resources"].get("disk_size")

    found = made()
    assert disk(found) == ("50Gi", None)
    assert disk(replace(found, checkpoint_gib=627.0)) == ("1270Gi", 774)
    assert disk(replace(found, checkpoint_gib=None)) == ("500Gi", None)


def test_all_gpus_of_a_node_are_given_back_before_they_are_taken_again() -> None:
    def strategy(total: int | None, gpus: int = 4, **wishes: Any) -> Any:
        settings, spec = rendered("llamacpp")
        taken = GPU | settings | {"system.total_gpus": total}
        summary = summary_of(spec.command(), "llamacpp", taken, gpus)
        engine = deployed_engine(summary, ExportWishes(image="r/e:1", **wishes))
        *_, deployment, _ = yaml.safe_load_all(FORMATS["kubernetes"].files(engine)[0].text)
        return deployment["spec"].get("strategy")

    assert strategy(8) is None
    assert strategy(8, replicas=2) == {"type": "Recreate"}
    # A second one of the same width would wait for ever beside the first.
    assert strategy(8, gpus=6) == {"type": "Recreate"}
    # A task that names no number has that of its device: 8.
    assert strategy(None) is None
    assert strategy(None, replicas=2) == {"type": "Recreate"}


def test_a_claim_of_one_node_is_given_back_before_it_is_taken_again() -> None:
    def strategy(replicas: int) -> Any:
        engine = deployed("vllm", replicas=replicas)
        *_, deployment, _ = yaml.safe_load_all(FORMATS["kubernetes"].files(engine)[0].text)
        return deployment["spec"].get("strategy")

    assert strategy(1) == {"type": "Recreate"}
    assert strategy(2) is None


def test_replicas_of_a_compose_file_share_no_gpu_and_no_port() -> None:
    engine = deployed("vllm", {"parallel.tensor_parallel": 2}, replicas=3)
    services = yaml.safe_load(FORMATS["compose"].files(engine)[0].text)["services"].values()
    devices = [
        service["deploy"]["resources"]["reservations"]["devices"][0]["device_ids"]
        for service in services
    ]
    assert devices == [["0", "1"], ["2", "3"], ["4", "5"]]
    assert [service["ports"] for service in services] == [
        [f"127.0.0.1:{port}:8000"] for port in (8000, 8001, 8002)
    ]


def test_a_compose_file_takes_no_more_gpus_than_a_machine_has() -> None:
    wide = {"parallel.tensor_parallel": 4}
    assert FORMATS["compose"].files(deployed("vllm", wide, replicas=2))
    with pytest.raises(ExportError, match="take 12 GPUs, and one machine has 8") as refused:
        FORMATS["compose"].files(deployed("vllm", wide, replicas=3))
    assert "--format kubernetes" in str(refused.value)


@pytest.mark.parametrize("form", ["shell", "systemd", "llama-swap", "vllm-config"])
def test_a_program_of_a_container_is_started_by_no_machine(form: str) -> None:
    inside = made(config={"deployment_mode": "docker", "docker": {"image": "mine/vllm:1"}})
    with pytest.raises(ExportError, match="measured in a container") as refused:
        FORMATS[form].files(inside)
    instead = "docker" if form == "shell" else "compose"
    assert f"--format {instead}" in str(refused.value)
    assert "Note: vllm is searched in PATH" in head(made(), form)


def test_a_unit_starts_the_measured_program_by_its_path_where_it_is_known() -> None:
    _, spec = rendered("vllm")
    known = made(command=spec.command().replace("vllm serve", "/opt/vllm/bin/vllm serve"))
    unit = FORMATS["systemd"].files(known)[0].text
    assert 'ExecStart="/opt/vllm/bin/vllm" "serve"' in unit
    assert "PATH" not in unit
    assert "# Note: /opt/vllm/bin/vllm is the program of the machine that measured\n" in unit


def test_a_point_that_misses_the_limits_of_its_task_says_so() -> None:
    found = head(made(slo={"ttft_ms": 10.0, "tpot_ms": 50.0}))
    assert "# Note: TTFT is 20 ms, over the task's limit of 10 ms\n" in found
    assert "TPOT is" not in found


def test_a_file_is_started_by_the_name_that_it_gets() -> None:
    [file] = FORMATS["compose"].files(made(), named="prod.yaml")
    assert "# Start: docker compose -f prod.yaml up -d\n" in file.text


def test_skypilot_is_started_with_each_secret() -> None:
    _, spec = rendered("vllm")
    start = head(made(command=f"VLLM_API_KEY=x {spec.command()}"), "sky")
    options = " --secret VLLM_API_KEY --secret HF_TOKEN sky.yaml"
    assert f"# Start: sky launch{options}, or sky serve up{options}\n" in start


def test_llm_d_lies_beside_the_guides_of_a_clone() -> None:
    kustomization, patch = FORMATS["llm-d"].files(deployed("vllm"))
    document = yaml.safe_load(kustomization.text)
    assert document["resources"] == ["../guides/optimized-baseline/modelserver/gpu/vllm/base"]
    [labels] = document["labels"]
    assert labels["pairs"]["llm-d.ai/model"] == "qwen3-8b"
    assert "labels" not in patch.text


def test_a_model_of_this_machine_is_mounted_and_pointed_out() -> None:
    engine = deployed("llamacpp", {"misc.extra_args": ["--grammar-file", "/g/x"]}, image="r/e:1")
    [service] = yaml.safe_load(FORMATS["compose"].files(engine)[0].text)["services"].values()
    assert service["volumes"] == ["/models/m.gguf:/models/m.gguf:ro"]
    assert "HF_TOKEN" not in service.get("environment", {})
    found = head(engine, "compose")
    assert "Note: /models/m.gguf is a path of the machine that measured" in found
    assert "Note: the command names /g/x: see that it is there" in found


def test_an_export_mounts_what_the_launch_had_shards_and_files_behind_links(tmp_path: Path) -> None:
    blobs, snapshot = tmp_path / "models--a" / "blobs", tmp_path / "models--a" / "snapshots" / "1"
    for folder in (blobs, snapshot):
        folder.mkdir(parents=True)
    (blobs / "c0").write_text("{}", encoding="utf-8")
    (snapshot / "config.json").symlink_to("../../blobs/c0")
    _, spec = rendered("vllm")
    command = spec.command().replace("Qwen/Qwen3-8B", str(snapshot), 1)
    assert mounted(made(command=command)) == [str(snapshot), str(blobs)]
    assert mounted(made(command=command, replay=True)) == [str(snapshot)]
    _, spec = rendered("llamacpp")
    shards = [f"/models/m-0000{n}-of-00002.gguf" for n in (1, 2)]
    engine = made("llamacpp", command=spec.command().replace("/models/m.gguf", shards[0]))
    assert mounted(engine) == shards


def mounted(engine: DeployedEngine) -> list[str]:
    return [mount.source for mount in engine.mounts]


def test_flags_have_the_names_of_the_version_that_is_asked_for() -> None:
    settings = {"memory.page_size": 32, "quantization.kvcache_mode": "fp8"}
    engine = deployed("trtllm", settings)
    assert "--extra_llm_api_options" in FORMATS["shell"].files(engine)[0].text
    renamed = FORMATS["shell"].files(engine, "1.2.0")[0].text
    assert "--config options.yaml" in renamed
    with pytest.raises(ExportError, match=r"shell has no '9\.9'"):
        FORMATS["shell"].files(engine, "9.9")


@pytest.mark.parametrize(
    ("wishes", "why"),
    [
        (ExportWishes("c2"), "'c2' has no operating point.*\n.*give one of c1"),
        (ExportWishes("c1@9"), "c1 has no load '9'.*\n.*c1@8"),
        (ExportWishes("c1@x"), "c1 has no load 'x'"),
        (ExportWishes(replicas=0), "replicas: 0 is not between 1 and 1,000"),
        (ExportWishes(image="a b"), "image: 'a b' is no image"),
        (ExportWishes(image="--privileged"), "is no image"),
        (ExportWishes(image="r/Engine:1"), "is no image.*\n.*small letters"),
        (ExportWishes(image="r/e:1:2"), "is no image"),
        (ExportWishes(program="'"), "program"),
        (ExportWishes(program=" "), "program: it is empty"),
    ],
)
def test_a_wish_that_cannot_be_met_is_named(wishes: ExportWishes, why: str) -> None:
    with pytest.raises(AutotunerError, match=why):
        made(wishes=wishes)


def test_disaggregated_serving_is_refused_with_why() -> None:
    settings, spec = rendered("vllm")
    settings |= {"system.serving_mode": "disagg"}
    summary = summary_of(spec.command(), "vllm", GPU | settings, 1, replay=True)
    with pytest.raises(ExportError, match="disaggregated serving, of which only the whole"):
        deployed_engine(summary, ExportWishes())


def test_a_candidate_is_a_task_of_aiconfigurator() -> None:
    settings = {"parallel.tensor_parallel": 2, "quantization.kvcache_mode": "fp8"}
    [file] = FORMATS["aiconfigurator"].files(deployed("vllm", settings))
    document = yaml.safe_load(file.text)
    [experiment] = (document[name] for name in document["exps"])
    assert experiment["model_path"] == "Qwen/Qwen3-8B"
    assert (experiment["serving_mode"], experiment["backend_name"]) == ("agg", "vllm")
    assert (experiment["isl"], experiment["osl"]) == (1, 1)


def test_the_first_characters_name_a_candidate() -> None:
    assert "--point c1@8 " in head(made(wishes=ExportWishes("c")))


def test_a_format_of_one_engine_refuses_replicas() -> None:
    engine = deployed("vllm", replicas=2)
    with pytest.raises(ExportError, match="2 replicas are wished"):
        FORMATS["systemd"].files(engine)
