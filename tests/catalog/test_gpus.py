"""GPUs by name: the ways in which people and drivers write them, and guesses at what was meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from autotuner.catalog import gpu_named, gpus, known_gpu
from autotuner.config import DescribedGpu
from autotuner.errors import CatalogError

FACTS = DescribedGpu(memory_gib=63.5, bandwidth_gb_s=1640, tflops={"bfloat16": 180, "int8": 360})


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("NVIDIA H100 80GB HBM3", "h100_sxm"),
        ("nvidia-h100-80gb-hbm3", "h100_sxm"),
        ("H100 SXM", "h100_sxm"),
        ("h100sxm", "h100_sxm"),
        ("NVIDIA H100 PCIe", "h100_pcie"),
        ("A100-SXM4-80GB", "a100_sxm"),
        ("NVIDIA A100-SXM4-40GB", "a100_sxm_40gb"),
        ("NVIDIA A100 80GB PCIe", "a100_pcie"),
        ("a100-40gb", "a100_sxm_40gb"),
        ("Tesla V100-SXM2-32GB", "v100_sxm_32gb"),
        ("Tesla T4", "t4"),
        ("NVIDIA GeForce RTX 4090", "rtx_4090"),
        ("rtx-4090-24gb", "rtx_4090"),
        ("NVIDIA RTX 6000 Ada Generation", "rtx_6000_ada"),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition", "rtx_pro_6000"),
        ("H20", "h20_sxm"),
        ("H20-3e", "h20_3e"),
        ("NVIDIA L20", "l20"),
        ("AMD Instinct MI355X", "mi355x"),
        ("NVIDIA GB10", "gb10"),
        ("NVIDIA GH200 480GB", "gh200"),
        ("Apple M2 Ultra", "m2_ultra"),
    ],
)
def test_the_name_of_a_product_is_the_gpu(written: str, name: str) -> None:
    assert gpu_named(written).name == name


def test_a_name_is_of_one_gpu() -> None:
    for gpu in gpus().values():
        assert {gpu_named(word).name for word in (gpu.name, *gpu.aliases)} == {gpu.name}


@pytest.mark.parametrize("name", ["a100-64gb", "h100-94gb-sxm", "l4-48gb"])
def test_a_size_that_is_not_the_gpus_is_another_gpu(name: str) -> None:
    assert known_gpu(name) is None


@pytest.mark.parametrize(
    "name", ["h30", "a200", "h10", "mi308x", "rtx4080", "rtx-5080", "a16", "v200", "h", ""]
)
def test_another_number_is_another_gpu_and_no_guess_is_offered(name: str) -> None:
    with pytest.raises(CatalogError) as error:
        gpu_named(name)
    assert "did you mean" not in str(error.value)
    assert "gpus: {NAME: {memory_gib" in (error.value.remedy or "")


@pytest.mark.parametrize(
    ("name", "meant"),
    [("h100_smx", "h100_sxm"), ("rtx3090ti", "rtx_3090"), ("mi300a", "mi300"), ("h2000", "h200")],
)
def test_what_differs_in_spelling_alone_is_offered(name: str, meant: str) -> None:
    with pytest.raises(CatalogError, match=f"did you mean '{meant}"):
        gpu_named(name)


def test_memory_is_what_a_program_sees() -> None:
    # PyTorch's "total capacity": a data sheet's 141 GB are 139.7 GiB, 80 GB are 79.2, 24 GB 22.0.
    seen = {"h200": 139.7, "h100": 79.2, "a100": 79.2, "l4": 22.0, "b200": 178.4, "l40s": 44.4}
    assert {name: gpu_named(name).memory_gib for name in seen} == seen


@given(st.text(max_size=40))
def test_any_name_is_a_gpu_or_one_line(name: str) -> None:
    try:
        gpu_named(name)
    except CatalogError as error:
        assert "system.gpu_type" in error.message


def test_a_described_gpu_is_one_and_its_formats_follow_from_its_arithmetic() -> None:
    gpu = gpu_named("My-GPU", {"my_gpu": FACTS})
    assert (gpu.name, gpu.memory_gib, gpu.bandwidth_gb_s) == ("my_gpu", 63.5, 1640)
    assert gpu.formats == {"bfloat16", "int8_wo", "int4_wo", "sq"}
    assert (gpu.interconnect, gpu.linked_gpus) == ("pcie", 8)
    like = FACTS.model_copy(update={"architecture": "hopper"})
    assert gpu_named("x", {"x": like}).formats == gpu_named("h100").formats
    own = FACTS.model_copy(update={"formats": ("bfloat16", "fp8")})
    assert gpu_named("x", {"x": own}).formats == {"bfloat16", "fp8"}


def test_a_description_comes_before_the_catalog() -> None:
    assert gpu_named("h100", {"h100": FACTS}).memory_gib == 63.5
    assert gpu_named("h200", {"h100": FACTS}).name == "h200_sxm"


@pytest.mark.parametrize(
    ("facts", "reported"),
    [
        ({"memory": 1}, "unknown key 'memory', did you mean 'memory_gib'?"),
        ({"tflops": {"bf16": 1}}, "bfloat16"),
        ({"tflops": {}}, "tflops"),
        ({"memory_gib": -1}, "memory_gib"),
        ({"formats": ["fp6"]}, "formats"),
    ],
)
def test_a_description_that_makes_no_sense_names_the_field(
    facts: dict[str, object], reported: str
) -> None:
    good = {"memory_gib": 64, "bandwidth_gb_s": 1000, "tflops": {"bfloat16": 100}}
    with pytest.raises(ValidationError) as error:
        DescribedGpu.model_validate({**good, **facts})
    assert reported in str(error.value)
