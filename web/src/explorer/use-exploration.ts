import { useDeferredValue, useMemo } from "react";
import type { TaskPoints } from "~/api/points";
import type { Baseline } from "~/api/results";
import { spanOf, toPlace } from "~/charts/scale";
import type { Quantity } from "~/ui/quantities";
import { axisChoices, planeOf, usualAxes } from "./axes";
import { selectedMask } from "./brushes";
import type { Spans } from "./frame";
import { PointSet } from "./point-set";
import { type Reference, referenceOf } from "./reference";
import {
  frontiersOf,
  groupAt,
  isShown,
  type Scene,
  type Segments,
  sceneOf,
  segmentsOf,
} from "./scene";
import type { View } from "./search-params";
import { varyingSettings } from "./selection";
import { type Limits, meetingMask, type Recommendation, recommended } from "./slo";

export interface Feasible {
  meeting: number;
  total: number;
}

/** Everything that follows from the points and from what the reader chose to see. */
export interface Exploration {
  set: PointSet;
  choices: readonly Quantity[];
  varying: readonly string[];
  scene: Scene;
  segments: Segments | null;
  spans: Spans;
  limits: Limits;
  measured: Feasible;
  predicted: Feasible;
  recommendation: Recommendation | null;
  /** The baseline, where it was measured. */
  reference: Reference | null;
}

export function useExploration(
  data: TaskPoints,
  view: View,
  baseline: Baseline | null,
): Exploration {
  const { items, objectives } = data;
  const set = useMemo(() => new PointSet(items), [items]);
  const choices = useMemo(() => axisChoices(set), [set]);
  const varying = useMemo(() => varyingSettings(set.points), [set]);

  const reference = useMemo(() => referenceOf(set, baseline), [set, baseline]);

  const usual = useMemo(() => usualAxes(objectives, choices), [objectives, choices]);
  const isChoice = (key: string | null) => choices.some((choice) => choice.key === key);
  const x = isChoice(view.x) ? (view.x as string) : usual.x;
  const y = isChoice(view.y) ? (view.y as string) : usual.y;
  const { logX, logY } = view;
  const plane = useMemo(() => planeOf(set, { x, y, logX, logY }), [set, x, y, logX, logY]);
  const frontiers = useMemo(() => frontiersOf(set, plane), [set, plane]);

  const limits = view.slo ?? data.slo;
  const meeting = useMemo(() => meetingMask(set, limits), [set, limits]);
  const recommendation = useMemo(
    () => recommended(set, limits, objectives),
    [set, limits, objectives],
  );
  const measured = useMemo(() => feasible(set, meeting, "measured"), [set, meeting]);
  const predicted = useMemo(() => feasible(set, meeting, "predicted"), [set, meeting]);

  // While a brush is dragged its own lines follow at once, and the chart as soon as there is time.
  const brushes = useDeferredValue(view.brushes);
  const selected = useMemo(() => selectedMask(set.points, brushes), [set, brushes]);
  const { kind, frontierOnly, dimDominated, greyOutside, joinPairs } = view;
  const scene = useMemo(
    () =>
      sceneOf(
        set,
        plane,
        frontiers,
        { kind, frontierOnly, dimDominated, greyOutside },
        meeting,
        selected,
      ),
    [set, plane, frontiers, kind, frontierOnly, dimDominated, greyOutside, meeting, selected],
  );
  const segments = useMemo(
    () => (joinPairs ? segmentsOf(set, scene) : null),
    [set, scene, joinPairs],
  );
  const spans = useMemo(() => spansOf(scene, view.zoom), [scene, view.zoom]);
  return useMemo(
    () => ({
      ...{ set, choices, varying, scene, segments, spans },
      ...{ limits, measured, predicted, recommendation, reference },
    }),
    [
      set,
      choices,
      varying,
      scene,
      segments,
      spans,
      limits,
      measured,
      predicted,
      recommendation,
      reference,
    ],
  );
}

function feasible(set: PointSet, meeting: Uint8Array, kind: "measured" | "predicted"): Feasible {
  let total = 0;
  let met = 0;
  const wanted = Number(kind === "measured");
  for (let index = 0; index < set.size; index++) {
    if (set.isMeasured[index] !== wanted || !set.isSteady[index]) continue;
    total += 1;
    met += meeting[index] as number;
  }
  return { meeting: met, total };
}

/** The axes run over all that is shown, unless the reader zoomed. */
function spansOf(scene: Scene, zoom: View["zoom"]): Spans {
  const { xs, ys, logX, logY } = scene.plane;
  if (zoom !== null) {
    const places = (span: Spans["x"], isLog: boolean) => ({
      low: toPlace(span.low, isLog),
      high: toPlace(span.high, isLog),
    });
    const zoomed = { x: places(zoom.x, logX), y: places(zoom.y, logY) };
    const ends = [zoomed.x.low, zoomed.x.high, zoomed.y.low, zoomed.y.high];
    // A zoom from below 0 has no place on a logarithmic axis.
    if (ends.every(Number.isFinite)) return zoomed;
  }
  const counts = (index: number) => isShown(scene, index) && groupAt(scene, index) !== "unselected";
  return { x: spanOf(xs, logX, counts), y: spanOf(ys, logY, counts) };
}
