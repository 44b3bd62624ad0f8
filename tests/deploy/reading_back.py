"""Each format read back into a command line, as its own tool would start it."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import yaml

from autotuner.deploy import DeployedEngine, DeployFileText

Files = Sequence[DeployFileText]
_ADDED = ("HF_HOME", "HF_TOKEN")
"""Variables of the deployment itself."""


def line(words: Sequence[str], env: Mapping[str, str | None], files: Mapping[str, str]) -> str:
    """A command line that writes its files, sets its variables and starts the engine."""
    written = [
        f"printf %s {shlex.quote(text)} > {shlex.quote(name)} && " for name, text in files.items()
    ]
    variables = [
        f"{name}={shlex.quote(value)} "
        for name, value in env.items()
        if name not in _ADDED and value is not None
    ]
    return "".join((*written, *variables)) + shlex.join(words)


def _text(files: Files, name: str) -> str:
    return next(file.text for file in files if file.name == name)


def _shell(engine: DeployedEngine, files: Files) -> str:
    return _text(files, "serve.sh")


def _docker(engine: DeployedEngine, files: Files) -> str:
    """Files that it writes, and the words of `docker run` sorted into those of the engine."""
    *before, run = _text(files, "run.sh").split("\nexec ")
    words = shlex.split(run)
    assert words[:3] == ["docker", "run", "--rm"]
    place = words.index("--entrypoint")
    options = itertools.pairwise(words[:place])
    env = [value.partition("=") for option, value in options if option == "--env"]
    # The image's own program is not the measured one.
    no_program, image, *command = words[place + 1 :]
    assert (no_program, image) == ("", engine.image)
    written = {f"/etc/autotuner/{file.name}": file.text for file in engine.files}
    assert all(f"> {shlex.quote(file.name)}" in before[0] for file in engine.files)
    variables = {name: value for name, is_set, value in env if is_set}
    return line(command, variables, written)


def _compose(engine: DeployedEngine, files: Files) -> str:
    [service] = yaml.safe_load(_text(files, "compose.yaml"))["services"].values()

    def plain(text: str) -> str:
        assert "$" not in text.replace("$$", "")
        return text.replace("$$", "$")

    words = [plain(word) for word in (*service["entrypoint"], *service["command"])]
    env = {n: v and plain(v) for n, v in service.get("environment", {}).items()}
    mounted = [volume.split(":") for volume in service.get("volumes", ()) if volume[0] == "."]
    return line(words, env, {inside: _text(files, here[2:]) for here, inside, _ in mounted})


def _expanded(text: str) -> str:
    """A text as Kubernetes hands it on: of two dollar signs one is left, wherever they stand."""
    assert "$(" not in text.replace("$$", "")
    return text.replace("$$", "$")


def _kubernetes_words(container: Mapping[str, Any]) -> list[str]:
    return [_expanded(word) for word in (*container["command"], *container["args"])]


def _kubernetes_env(variables: Sequence[Mapping[str, Any]]) -> dict[str, str | None]:
    values = {one["name"]: one.get("value") for one in variables}
    return {name: value and _expanded(value) for name, value in values.items()}


def _kubernetes(engine: DeployedEngine, files: Files) -> str:
    documents = {d["kind"]: d for d in yaml.safe_load_all(_text(files, "kubernetes.yaml"))}
    pod = documents["Deployment"]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    folders = {m["name"]: m["mountPath"] for m in container["volumeMounts"]}
    held = documents.get("ConfigMap", {"data": {}})["data"]
    inside = {f"{folders['files']}/{name}": text for name, text in held.items()}
    return line(_kubernetes_words(container), _kubernetes_env(container.get("env", ())), inside)


def _llm_d(engine: DeployedEngine, files: Files) -> str:
    patch = yaml.safe_load(_text(files, "patch.yaml"))
    [container] = patch["spec"]["template"]["spec"]["containers"]
    return line(_kubernetes_words(container), _kubernetes_env(container.get("env", ())), {})


def _kserve(engine: DeployedEngine, files: Files) -> str:
    """The preset's command with the flags that the service adds to it."""
    spec = yaml.safe_load(_text(files, "kserve.yaml"))["spec"]
    [container] = spec["template"]["containers"]
    env = _kubernetes_env(container.get("env", ()))
    added = env.pop("VLLM_ADDITIONAL_ARGS", None)
    given = container.get("args", []) if added is None else shlex.split(added)
    # What is given by a variable has been expanded with it.
    words = given if added is not None else [_expanded(word) for word in given]
    table = engine.parts.table
    model = spec["model"]["uri"].removeprefix("hf://").partition(":")[0]
    own = [model if word == "{model}" else word for word in table.module_words]
    name = ["--served-model-name", spec["model"]["name"]]
    return line(["python3", "-m", table.module, *own, *name, *words], env, {})


def _dynamo(engine: DeployedEngine, files: Files) -> str:
    spec = yaml.safe_load(_text(files, "dynamo.yaml"))["spec"]
    if "components" in spec:
        pod = spec["components"][1]["podTemplate"]["spec"]
        [container] = pod["containers"]
        env = container.get("env", ())
    else:
        container = spec["services"]["Worker"]["extraPodSpec"]["mainContainer"]
        env = spec["services"]["Worker"].get("envs", ())
    words = [_expanded(word) for word in container["args"]]
    start = ["python3", "-m", engine.parts.table.module]
    return line([*start, *words], _kubernetes_env(env), {})


def _sky(engine: DeployedEngine, files: Files) -> str:
    task = yaml.safe_load(_text(files, "sky.yaml"))
    variables = task.get("envs", {}).items()
    return "".join(f"export {n}={shlex.quote(v)}\n" for n, v in variables) + task["run"]


_UNESCAPED = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"'}


def _unit_words(text: str) -> list[str]:
    """Words in double quotation marks, as systemd.syntax(7) has them."""
    found = re.findall(r'"((?:\\.|[^"\\])*)"', text)
    return [re.sub(r"\\(.)", lambda m: _UNESCAPED[m[1]], word).replace("%%", "%") for word in found]


def _systemd(engine: DeployedEngine, files: Files) -> str:
    lines = files[0].text.split("\n")
    start = next(one.removeprefix("ExecStart=") for one in lines if one.startswith("ExecStart="))
    words = [word.replace("$$", "$") for word in _unit_words(start)]
    variables = [
        pair
        for one in lines
        if one.startswith("Environment=")
        for pair in _unit_words(one.removeprefix("Environment="))
    ]
    env = dict(pair.split("=", 1) for pair in variables)
    if words[0] == "/usr/bin/env":
        del words[0], env["PATH"]
    inside = {f"/etc/{engine.name}/{file.name}": file.text for file in files[1:]}
    return line(words, env, inside)


def _llama_swap(engine: DeployedEngine, files: Files) -> str:
    [model] = yaml.safe_load(_text(files, "llama-swap.yaml"))["models"].values()
    words = shlex.split(model["cmd"].replace("${PORT}", "8080"))
    env = dict(pair.split("=", 1) for pair in model.get("env", ()))
    return line(words, env, {file.name: file.text for file in files[1:]})


def _config_file(engine: DeployedEngine, files: Files) -> str:
    """What the parser of the engine makes of the file, and of the command that names it."""
    keys = yaml.safe_load(_text(files, "config.yml"))
    last = [one for one in _text(files, "env.sh").split("\n") if one.startswith("# ")][-1]
    start = shlex.split(last.removeprefix("# "))
    at = start.index("--config")
    words = start[:at] + start[at + 2 :]
    for key, value in keys.items():
        values = value if isinstance(value, list) else [value]
        words += [f"--{key}", *(v for v in values if v is not True)]
    env = dict(re.findall(r"^export (\w+)=(.*)$", _text(files, "env.sh"), re.MULTILINE))
    return line(words, {n: shlex.split(v)[0] if v else "" for n, v in env.items()}, {})


READERS: Mapping[str, Callable[[DeployedEngine, Files], str]] = {
    "shell": _shell,
    "docker": _docker,
    "compose": _compose,
    "kubernetes": _kubernetes,
    "llm-d": _llm_d,
    "kserve": _kserve,
    "dynamo": _dynamo,
    "sky": _sky,
    "systemd": _systemd,
    "llama-swap": _llama_swap,
    "vllm-config": _config_file,
}
"""Format -> the command line that its files start, for `parse_command`."""
