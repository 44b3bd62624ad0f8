"""`autotuner observations`: what calibration learns from, listed, carried around, forgotten."""

from __future__ import annotations

import statistics
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.markup import escape
from rich.table import Table

from autotuner.cli.commands.foreign_observations import (
    Given,
    agreement_row,
    foreign_beside_base,
    known_agreements,
    not_there_yet,
    origin_words,
    print_agreements,
    without_contradictions,
)
from autotuner.cli.home import has_store, open_store, state_folder
from autotuner.cli.options import Chosen
from autotuner.cli.output import err, out, print_json, refuse_unwritable
from autotuner.errors import AutotunerError, VerifyError
from autotuner.predict import Observation, Predictor
from autotuner.predict.observations import (
    check_licence,
    check_origin,
    plain,
    read_lines,
    written_lines,
)
from autotuner.report.html import write_aside
from autotuner.store import ObservationRecord

if TYPE_CHECKING:
    from autotuner.verify import Excluded

PUBLISHED = "silicon"
"""Stands for the measured rows that aiconfigurator carries."""
_BACKUPS = "backups"
_SHOWN_REASONS = 5


def observations_list(chosen: Chosen, *, home: Path | None, as_json: bool) -> None:
    """`autotuner observations list`."""
    folder = state_folder(home)
    every = _kept(folder, chosen, trusted=False)
    kept = [record for record in every if record.not_trusted is None]
    shown = {record.observation.origin for record in kept} - {""}
    agreements = [found for found in known_agreements(folder) if found.origin in shown]
    if as_json:
        print_json(
            {"observations": [_row(record) for record in every]}
            | ({"origins": [agreement_row(one) for one in agreements]} if shown else {})
        )
        return
    for why, count in Counter(r.not_trusted for r in every if r.not_trusted).items():
        out().print(f"{count} observations correct no prediction: {escape(why)}", soft_wrap=True)
    if not kept:
        out().print("no observations yet; every completed launch of `autotuner tune` adds some")
        return
    groups: dict[tuple[str, ...], list[Observation]] = {}
    for seen in (record.observation for record in kept):
        engine = f"{seen.engine} {seen.engine_version or ''}"
        where = (seen.model, engine, seen.device, seen.base, origin_words(seen))
        groups.setdefault(where, []).append(seen)
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("model", "engine", "device", "predictor", "origin"):
        table.add_column(title, overflow="fold")
    for title in ("launches", "points", "TTFT", "TPOT"):
        table.add_column(title, justify="right")
    for group, found in groups.items():
        launches = len({seen.launch for seen in found})
        ttft = statistics.median(seen.ttft_ms / seen.base_ttft_ms for seen in found)
        tpots = [o.tpot_ms / o.base_tpot_ms for o in found if o.tpot_ms and o.base_tpot_ms]
        tpot = f"{statistics.median(tpots):.2f}" if tpots else "–"
        counts = (str(launches), str(len(found)), f"{ttft:.2f}", tpot)
        table.add_row(*map(escape, group), *counts)
    out().print(table)
    out().print("TTFT, TPOT: median of measured / predicted, before calibration")
    print_agreements(agreements)


def observations_import(
    path: Path,
    *,
    stated: Sequence[str],
    origin: str | None,
    licence: str | None,
    home: Path | None,
    as_json: bool,
) -> None:
    """`autotuner observations import`.

    Args:
        stated: `FIELD=VALUE`, what the user says of every point of a load generator's results.
        origin, licence: of what does not say its own.
    """
    folder = state_folder(home)
    _check_words(origin, licence)
    given = Given(origin or "", licence or "")
    published = str(path) == PUBLISHED and not path.exists()
    results = not published and _is_result(path)
    if stated and not results:
        raise AutotunerError("--set is for results of load generators", remedy="leave it out")
    left_out: tuple[Excluded, ...] = ()
    if results:
        found, left_out = _measured(path, stated, folder, given)
    elif published:
        found = _published(folder)
    else:
        found, left_out = foreign_beside_base(
            given.all(_read(path)), folder, lambda: _predictor(folder)
        )
    found, contradicting = without_contradictions(found)
    left_out = (*left_out, *contradicting)
    with open_store(folder) as store:
        new = not_there_yet(found, store.observations(trusted=False))
        imported = store.add_observations(new)
    duplicates = len(found) - imported
    from autotuner.predict.agreement import group_of

    touched = {group_of(seen) for seen in found if seen.is_foreign}
    agreements = [one for one in known_agreements(folder) if one.key in touched] if touched else []
    if as_json:
        shown = [{"source": one.source, "why": one.why} for one in left_out]
        print_json(
            {"imported": imported, "duplicates": duplicates}
            | ({"left_out": shown} if results or left_out else {})
            | ({"origins": [agreement_row(one) for one in agreements]} if touched else {})
        )
        return
    out().print(f"{imported} observations imported, {duplicates} were there already")
    for why, count in Counter(one.why for one in left_out).most_common():
        out().print(escape(f"{count} left out: {why}"), soft_wrap=True)
    print_agreements(agreements)


def _check_words(origin: str | None, licence: str | None) -> None:
    try:
        if origin is not None:
            check_origin(origin)
        check_licence(licence or "")
    except ValueError as error:
        raise AutotunerError(f"--{error}", remedy="leave it out for what you measured") from None


def _predictor(folder: Path) -> Predictor:
    from autotuner.predict.combined import best_of_both
    from autotuner.tuning.forecast import PREDICTION_CACHE

    return best_of_both(cache=folder / PREDICTION_CACHE)


def _is_result(path: Path) -> bool:
    """Whether a load generator wrote it, and not `observations export`.

    Raises:
        VerifyError: it is a folder without results.
    """
    from autotuner.verify import detect_format

    try:
        detect_format(path)
    except VerifyError:
        if path.is_dir():
            raise
        # Lines of observations are no result of a tool.
        return False
    return True


def _measured(
    path: Path, texts: Sequence[str], folder: Path, given: Given
) -> tuple[tuple[Observation, ...], tuple[Excluded, ...]]:
    """Observations of a load generator's results, and what of them is left out.

    Raises:
        VerifyError: no point is left; names what each lacks.
    """
    from autotuner.tuning.resources import gpus_of_home
    from autotuner.verify import Excluded, detect_format, read_points
    from autotuner.verify.csv_reader import stated
    from autotuner.verify.measured_rows import measured_rows
    from autotuner.verify.predicted_rows import judged_rows, row_observations
    from autotuner.verify.tools import TOOLS

    file = measured_rows(stated(read_points(path), "--set", texts), gpus_of_home(folder))
    judged, refused = judged_rows(file.rows, _predictor(folder))
    unpredicted = (Excluded(file.sources[key], why) for key, why in refused.items())
    left_out = (*file.left_out, *unpredicted)
    if not judged:
        reasons = Counter(one.why for one in left_out).most_common(_SHOWN_REASONS)
        raise VerifyError(
            f"nothing of {path} can be imported",
            remedy="\n  ".join(f"{count} left out: {why}" for why, count in reasons),
        )
    made_by = next((tool for tool in TOOLS if tool.name == detect_format(path)), None)
    if made_by is not None:
        given = Given(given.origin or made_by.origin, given.licence or made_by.licence)
    return given.all(row_observations(judged, source=path.name)), left_out


def _read(file: Path) -> tuple[Observation, ...]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise AutotunerError(f"{file} cannot be read: {reason}") from None
    return read_lines(text, source=file.name)


def _published(folder: Path) -> tuple[Observation, ...]:
    from autotuner.verify.predicted_rows import judged_rows, row_observations
    from autotuner.verify.silicon import LICENCE, ORIGIN, silicon_rows

    table = silicon_rows()
    err().print(f"predicting {len(table.rows)} published rows, in a minute or two")
    judged, _ = judged_rows(table.rows, _predictor(folder))
    return Given(ORIGIN, LICENCE).all(row_observations(judged, source=table.source))


def observations_export(
    file: Path,
    chosen: Chosen,
    *,
    share: bool,
    licence: str | None,
    home: Path | None,
    as_json: bool,
) -> None:
    """`autotuner observations export`.

    Args:
        share: without anything private.
        licence: of the user's own, where they are shared.
    """
    _check_words(None, licence)
    if licence is not None and not share:
        raise AutotunerError("--licence is for what is shared", remedy="add --share")
    kept = _kept(state_folder(home), chosen)
    found: Sequence[Observation] = [record.observation for record in kept]
    left_out: tuple[Excluded, ...] = ()
    if share:
        from autotuner.verify.sharing import shared

        clean = shared([replace(o, licence=o.licence or licence or "") for o in found])
        found, left_out = clean.observations, clean.left_out
    _write(file, found)
    reasons = Counter(one.why for one in left_out)
    if as_json:
        shown = [{"why": why, "count": count} for why, count in reasons.most_common()]
        print_json(
            {"exported": len(found), "file": str(file)} | ({"left_out": shown} if share else {})
        )
        return
    out().print(f"{len(found)} observations written to {escape(str(file))}", soft_wrap=True)
    for why, count in reasons.most_common():
        out().print(escape(f"{count} left out: {why}"), soft_wrap=True)


def observations_forget(
    chosen: Chosen, *, every: bool, yes: bool, home: Path | None, as_json: bool
) -> None:
    """`autotuner observations forget`."""
    chosen_any = any(value is not None for value in chosen.values())
    if chosen_any == every:
        raise AutotunerError(
            "say which observations to forget",
            remedy="give some of --engine, --device, --model, --task and --origin, or --all",
        )
    folder = state_folder(home)
    kept = _kept(folder, chosen, trusted=False)
    if kept and not yes:
        _ask(len(kept))
    backup = None
    if kept:
        moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
        backup = folder / _BACKUPS / f"observations-{moment}.jsonl"
        _write(backup, [record.observation for record in kept])
        with open_store(folder) as store:
            store.forget_observations([record.id for record in kept])
    if as_json:
        print_json({"forgotten": len(kept), "backup": str(backup) if backup else None})
        return
    note = f"; a backup is in {backup}" if backup else ""
    out().print(escape(f"{len(kept)} observations forgotten{note}"), soft_wrap=True)


def _ask(count: int) -> None:
    if not sys.stdin.isatty():
        raise AutotunerError(
            f"{count} observations would be forgotten", remedy="confirm with --yes"
        )
    typer.confirm(f"Forget {count} observations?", abort=True, err=True)


def _kept(folder: Path, chosen: Chosen, *, trusted: bool = True) -> tuple[ObservationRecord, ...]:
    """The chosen ones; nothing is created under `folder`.

    Args:
        trusted: only those that may correct predictions.
    """
    if not has_store(folder):
        return ()
    with open_store(folder) as store:
        return store.observations(**chosen, trusted=trusted)


def _write(file: Path, found: Sequence[Observation]) -> None:
    with refuse_unwritable(file):
        write_aside(file, written_lines(found))


def _row(record: ObservationRecord) -> dict[str, object]:
    found: dict[str, object] = {
        "id": record.id,
        "task": record.task_id,
        **plain(record.observation),
    }
    return found | ({} if record.not_trusted is None else {"not_trusted": record.not_trusted})
