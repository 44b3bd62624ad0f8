"""Which variables of the worker's environment engines see."""

from __future__ import annotations

import fnmatch
import itertools
from collections.abc import Mapping

from autotuner.config import BACKENDS
from autotuner.engines import engine_table
from autotuner.workers.policy import Policy
from autotuner.workers.secret_values import looks_secret

_READ_BY_ALL = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "LC_*", "TZ", "TMPDIR"),
    *("TEMP", "TMP", "SYSTEMROOT", "VIRTUAL_ENV", "PYTHON*", "LD_LIBRARY_PATH", "XDG_*"),
    *("CUDA*", "NVIDIA_*", "NCCL_*", "HIP_*", "ROCR_*", "ROCM_*", "HSA_*", "MIOPEN_*", "UCX_*"),
    *("GLOO_*", "OMP_*", "GOMP_*", "KMP_*", "MKL_*", "OPENBLAS_*", "NUMEXPR_*", "OMPI_*"),
    *("HF_*", "HUGGINGFACE_*", "TRANSFORMERS_*", "TOKENIZERS_*", "SAFETENSORS_*"),
    *("TORCH*", "PYTORCH_*", "TRITON_*", "FLASHINFER_*", "RAY_*", "SSL_CERT_*"),
    *("REQUESTS_CA_BUNDLE",),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
)


def engine_environment(environment: Mapping[str, str], policy: Policy) -> dict[str, str]:
    """The variables that an engine inherits: what engines and their libraries read, no secrets."""
    own = itertools.chain.from_iterable(engine_table(name).file.environment for name in BACKENDS)
    patterns = (*_READ_BY_ALL, *own, *policy.environment)
    return {
        name: value
        for name, value in environment.items()
        if _inherited(name, policy.environment, patterns)
    }


def _inherited(name: str, wider: tuple[str, ...], patterns: tuple[str, ...]) -> bool:
    if name in wider:
        return True
    if looks_secret(name):
        return False
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
