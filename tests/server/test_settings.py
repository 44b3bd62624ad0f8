import pytest

from autotuner.errors import AutotunerError, ConfigError
from autotuner.server.settings import load_settings


def settings(path=None, environment=None, **flags):
    return load_settings(path, environment=environment or {}, flags=flags)


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "service.yaml"
        path.write_text(text)
        return path

    return write


def test_left_out_the_service_is_reached_from_this_machine_only_and_asks_for_no_token():
    found = settings()
    assert (found.host, found.port, found.token_required) == ("127.0.0.1", 8700, False)
    assert found.allowed_origins == ()


def test_a_file_that_says_nothing_leaves_all_as_it_is(file):
    assert settings(file("# port: 1\n")) == settings()


def test_flags_count_before_variables_and_these_before_the_file(file):
    path = file("port: 1\nrequest_burst: 1\nmax_body_bytes: 1\n")
    environment = {"AUTOTUNER_PORT": "2", "AUTOTUNER_REQUEST_BURST": "2", "AUTOTUNER_HOME": "/x"}
    found = settings(path, environment, port=3, host=None)
    assert (found.port, found.request_burst, found.max_body_bytes) == (3, 2, 1)


def test_a_variable_of_each_kind_is_read():
    environment = {
        "AUTOTUNER_HOST": "::1",
        "AUTOTUNER_ALLOWED_HOSTS": "a.example, B.example:90",
        "AUTOTUNER_DEMAND_TOKENS": "true",
        "AUTOTUNER_REQUESTS_PER_S": "0.5",
        "AUTOTUNER_ALLOWED_ORIGINS": "",
    }
    found = settings(environment=environment)
    assert found.host == "::1"
    assert found.allowed_hosts == ("a.example", "b.example:90")
    assert found.demand_tokens is True
    assert found.requests_per_s == 0.5
    assert found.allowed_origins == ()


def test_the_policy_stands_in_the_file(file):
    path = file("policy:\n  engines: [vllm]\n  max_gpus: 4\n  extra_args: {vllm: [--seed]}\n")
    policy = settings(path).policy
    assert (policy.engines, policy.max_gpus) == (("vllm",), 4)


@pytest.mark.parametrize(
    ("stated", "demanded"),
    [
        ({"host": "0.0.0.0"}, True),  # noqa: S104
        ({"host": "::"}, True),
        ({"host": "tuner"}, True),
        ({"host": "localhost"}, False),
        ({"host": "127.0.0.2"}, False),
        ({"allowed_hosts": ("localhost", "[::1]:9000")}, False),
        ({"allowed_hosts": ("tuner.example.org",)}, True),
        ({"demand_tokens": True}, True),
    ],
)
def test_whoever_can_be_reached_by_others_demands_tokens(stated, demanded):
    assert settings(**stated).token_required is demanded


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("port: 70000", "port: "),
        ("port: '8700'", "port: "),
        ("prot: 1", "did you mean 'port'"),
        ("host: ''", "host: "),
        ("allowed_hosts: ['http://a']", "without a scheme"),
        ("allowed_hosts: tuner", "takes a list"),
        ("allowed_origins: ['https://a/']", "without a path"),
        ("allowed_origins: ['*']", "not an origin"),
        ("requests_per_s: -1", "requests_per_s: "),
        ("demand_tokens: 'no'", "demand_tokens: "),
        ("policy: {engines: [vlm]}", "policy.engines: 'vlm' is no engine; did you mean 'vllm'?"),
        ("policy: {model_roots: [models]}", "give the full one"),
        ("policy: {max_gpus: 0}", "policy.max_gpus: "),
        ("- port", "a mapping"),
        ("port: 1\nport: 2", "given twice"),
        ("[]", "a mapping"),
    ],
)
def test_a_mistake_in_the_file_names_the_field_and_what_to_do(file, text, reported):
    with pytest.raises(ConfigError) as error:
        settings(file(text))
    assert reported in str(error.value)
    assert "service.yaml" in str(error.value)


def test_every_mistake_is_reported_under_the_name_by_which_it_was_stated(file):
    environment = {"AUTOTUNER_REQUEST_BURST": "many"}
    with pytest.raises(ConfigError) as error:
        settings(file("max_body_bytes: 0"), environment, port=-1)
    paths = [problem.path for problem in error.value.problems]
    assert paths == ["--port", "max_body_bytes", "AUTOTUNER_REQUEST_BURST"]
    assert "'many'" in str(error.value)


def test_a_file_that_is_not_there_is_reported(tmp_path):
    with pytest.raises(AutotunerError, match="settings file"):
        settings(tmp_path / "no.yaml")
