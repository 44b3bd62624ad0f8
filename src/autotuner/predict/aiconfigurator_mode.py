"""The one kind of data that aiconfigurator answers from for all candidates that are compared.

Its modes differ by more than layouts do: the speed of light is faster than anything measured. Where
one candidate is answered from measured kernels and its rival from formulas, the rival looks better
for that alone. So what has no measured kernels is asked first, and all are asked as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autotuner.config import Candidate
from autotuner.predict.aiconfigurator import AiconfiguratorPredictor
from autotuner.predict.aiconfigurator_answer import MODES, Mode
from autotuner.predict.scenario import Scenario

Compared = Sequence[tuple[Scenario, Sequence[Candidate]]]
"""Candidates that are compared with each other, by their circumstances."""
_EACH = 3
"""Candidates of equal number formats that are asked: of the fewest GPUs, the most, and between."""


def common_mode(predictor: AiconfiguratorPredictor, compared: Compared) -> tuple[Mode, str]:
    """The first mode in which every combination of number formats is answered, and why.

    What decides it are formats and drafting: kernels are measured for them or not. Layouts of equal
    formats are represented by a few. The reason is empty where measured kernels answer all.
    """
    modes: dict[str, Mode] = {}
    for scenario, candidates in compared:
        for formats, alike in _by_formats(candidates).items():
            found = predictor.modes(scenario, _some(alike)).values()
            if found:
                weakest = max(found, key=MODES.index)
                modes[formats] = max(modes.get(formats, weakest), weakest, key=MODES.index)
    common = max(modes.values(), key=MODES.index, default=MODES[0])
    if common == MODES[0]:
        return common, ""
    lacking = [formats for formats, mode in modes.items() if mode != MODES[0]]
    why = (
        f"all are answered from {common}, so that they compare: "
        f"{len(lacking)} of {len(modes)} combinations of number formats have no measured kernels "
        f"({lacking[0] or 'the defaults'}); prediction.mode chooses another"
    )
    return common, why


def _by_formats(candidates: Sequence[Candidate]) -> Mapping[str, list[Candidate]]:
    groups: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        said = candidate.quantization.model_dump(exclude_none=True) | {
            name: value for name, value in (("nextn", candidate.runtime.nextn),) if value
        }
        groups.setdefault(" ".join(f"{k}={v}" for k, v in said.items()), []).append(candidate)
    return groups


def _some(alike: Sequence[Candidate]) -> list[Candidate]:
    ranked = sorted(alike, key=lambda candidate: candidate.gpus)
    places = {round(share * (len(ranked) - 1) / (_EACH - 1)) for share in range(_EACH)}
    return [ranked[place] for place in sorted(places)]
