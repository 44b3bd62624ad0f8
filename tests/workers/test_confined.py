from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autotuner.workers.violations import OutsideRootsError, confined

SETTING = "model_roots"
TRICKY = [
    "..",
    ".",
    "",
    "~",
    "a",
    "b",
    "link_in",
    "link_out",
    "link_up",
    "etc",
    "\x00",
    "ä",
    "C:",
    "\\",
]


@pytest.fixture
def root(tmp_path):
    inside, outside = tmp_path / "models", tmp_path / "elsewhere"
    for folder in (inside / "a" / "b", outside):
        folder.mkdir(parents=True)
    for file in (inside / "a" / "weights.gguf", outside / "secret"):
        file.touch()
    (inside / "link_in").symlink_to(inside / "a")
    (inside / "link_out").symlink_to(outside)
    (inside / "link_up").symlink_to("..")
    (inside / "loop").symlink_to(inside / "loop")
    return inside


def why_refused(written, root, **more):
    with pytest.raises(OutsideRootsError) as refused:
        confined(written, [root], setting=SETTING, **more)
    return str(refused.value)


def test_a_file_in_a_root_is_found_at_any_depth_and_through_links_that_stay_inside(root):
    weights = root / "a" / "weights.gguf"
    assert confined(str(weights), [root], setting=SETTING) == weights
    assert confined(str(root / "link_in" / "weights.gguf"), [root], setting=SETTING) == weights
    assert confined(str(root), [root], setting=SETTING) == root
    assert confined("weights.gguf", [root], base=root / "a", setting=SETTING) == weights


def test_a_root_may_itself_be_a_link(root, tmp_path):
    (tmp_path / "named").symlink_to(root)
    assert (
        confined(str(tmp_path / "named" / "a"), [tmp_path / "named"], setting=SETTING) == root / "a"
    )


@pytest.mark.parametrize(
    "inner", ["link_out/secret", "link_out", "link_up", "link_up/elsewhere/secret"]
)
def test_a_link_that_leads_out_is_followed_and_refused(root, inner):
    assert "outside" in why_refused(str(root / inner), root)


@pytest.mark.parametrize("written", ["/etc/passwd", "/", "/proc/self/root/etc/passwd"])
def test_what_lies_elsewhere_is_refused(root, written):
    assert str(root) in why_refused(written, root)


def test_a_folder_whose_name_begins_like_a_root_is_another(root):
    sibling = root.parent / "models-of-others"
    sibling.mkdir()
    assert "outside" in why_refused(str(sibling), root)


@pytest.mark.parametrize(
    "written",
    [
        *("http://169.254.169.254/latest/meta-data/", "https://hub.example/x", "s3://bucket/x"),
        *("file:///etc/passwd", "file:/etc/passwd", "hf://owner/name", "C:/models/x", "data:,x"),
    ],
)
def test_an_address_is_refused_as_one(root, written):
    assert "address" in why_refused(written, root, base=root)


@pytest.mark.parametrize("written", ["\\\\host\\share\\x", "//host/share/x", "a\\..\\..\\x"])
def test_a_network_share_is_refused(root, written):
    assert "network share" in why_refused(written, root, base=root)


def test_dots_and_homes_and_relative_paths_are_refused(root):
    assert "'..'" in why_refused(f"{root}/a/../a", root)
    assert "'~'" in why_refused("~root/x", root, base=root)
    assert "relative" in why_refused("a/weights.gguf", root)


@pytest.mark.parametrize("written", ["", "  ", "a\x00b", "a\nb", "\ud800", "x" * 5000, "loop"])
def test_what_is_no_path_at_all_is_refused_or_lies_inside(root, written):
    try:
        found = confined(written, [root], base=root, setting=SETTING)
    except OutsideRootsError as refused:
        assert str(refused)
    else:
        assert found.is_relative_to(root)


def test_without_roots_nothing_may_be_used(root):
    with pytest.raises(OutsideRootsError, match=r"there are none\); policy.model_roots "):
        confined(str(root), [], setting=SETTING)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.lists(st.sampled_from(TRICKY) | st.text(max_size=5), max_size=6),
    absolute=st.booleans(),
)
def test_nothing_leads_out_of_the_root(root, parts, absolute):
    written = "/".join(([str(root)] if absolute else []) + parts)
    try:
        found = confined(written, [root], base=root, setting=SETTING)
    except OutsideRootsError:
        return
    assert Path(found).resolve() == found
    assert found == root or root in found.parents
