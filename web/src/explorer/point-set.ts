/** Points as columns, which is how everything that looks at all of them reads them. */

import type { OperatingPoint } from "~/api/points";

const levelKey = (point: OperatingPoint): string =>
  `${point.candidate}\n${point.load.kind}\n${point.load.value}`;

/** An immutable set of points; columns are made when they are first asked for. */
export class PointSet {
  private readonly columns = new Map<string, Float64Array>();
  private ids: Map<string, number> | null = null;
  private counterparts: Int32Array | null = null;

  /** Of each point, 1 where it is measured, and where it is steady. */
  readonly isMeasured: Uint8Array;
  readonly isSteady: Uint8Array;

  constructor(readonly points: readonly OperatingPoint[]) {
    this.isMeasured = Uint8Array.from(points, ({ kind }) => Number(kind === "measured"));
    this.isSteady = Uint8Array.from(points, ({ is_steady: isSteady }) => Number(isSteady));
  }

  get size(): number {
    return this.points.length;
  }

  /** Values of a figure; NaN where a point has none. */
  column(name: string): Float64Array {
    let column = this.columns.get(name);
    if (column === undefined) {
      column = Float64Array.from(this.points, (point) => point.figures[name]?.value ?? Number.NaN);
      this.columns.set(name, column);
    }
    return column;
  }

  /** Whether any point has the figure. */
  has(name: string): boolean {
    return this.column(name).some((value) => !Number.isNaN(value));
  }

  /** Place of the point with an id; -1 where there is none (any more). */
  indexOf(id: string | null): number {
    if (id === null) return -1;
    this.ids ??= new Map(this.points.map((point, index) => [point.id, index]));
    return this.ids.get(id) ?? -1;
  }

  /** Of each measured point, the prediction of the same candidate and load, and the reverse; -1: none. */
  counterpartOf(index: number): number {
    this.counterparts ??= counterparts(this.points);
    return this.counterparts[index] ?? -1;
  }
}

function counterparts(points: readonly OperatingPoint[]): Int32Array {
  const predicted = new Map<string, number>();
  points.forEach((point, index) => {
    if (point.kind === "predicted") predicted.set(levelKey(point), index);
  });
  const found = new Int32Array(points.length).fill(-1);
  points.forEach((point, index) => {
    if (point.kind !== "measured") return;
    const other = predicted.get(levelKey(point));
    if (other === undefined) return;
    found[index] = other;
    found[other] = index;
  });
  return found;
}
