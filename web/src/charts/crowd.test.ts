import { describe, expect, it } from "vitest";
import { type Crowd, paintCrowds } from "./crowd";

const [WIDTH, HEIGHT] = [8, 6];
const BLUE = { size: 3, color: "#0b6a8f", opacity: 1 };

const painted = (crowds: readonly Crowd[], ratio = 1) => {
  const values = new Uint32Array(WIDTH * HEIGHT);
  paintCrowds({ values, width: WIDTH, height: HEIGHT }, crowds, ratio);
  const at = (x: number, y: number) =>
    [...new Uint8Array(values.buffer)].slice(4 * (y * WIDTH + x)).slice(0, 4);
  return { at, covered: values.filter((value) => value !== 0).length };
};

describe("a crowd of squares", () => {
  it("covers whole pixels around each centre with its colour", () => {
    const { at, covered } = painted([{ ...BLUE, positions: [3.5, 2.5] }]);
    expect(covered).toBe(9);
    expect(at(2, 1)).toEqual([11, 106, 143, 255]);
    expect(at(5, 2)).toEqual([0, 0, 0, 0]);
  });

  it("is as fine as the screen", () => {
    const { covered } = painted([{ ...BLUE, size: 2, positions: [2, 1.5] }], 2);
    expect(covered).toBe(16);
  });

  it("covers more where squares of a colour overlap, as a canvas does", () => {
    const { at } = painted([{ ...BLUE, positions: [2.5, 2.5, 3.5, 2.5], opacity: 0.5 }]);
    expect(at(1, 2)).toEqual([11, 106, 143, 128]);
    expect(at(3, 2)).toEqual([11, 106, 143, 192]);
  });

  it("hides what lies below of another colour", () => {
    const positions = [2.5, 2.5];
    const { at } = painted([
      { ...BLUE, positions },
      { ...BLUE, positions, color: "#ffffff", opacity: 0.5 },
    ]);
    expect(at(2, 2)).toEqual([255, 255, 255, 128]);
  });

  it("ends at the edges: what lies beyond them comes back nowhere else", () => {
    const covered = (...positions: number[]) => painted([{ ...BLUE, positions }]).covered;
    expect(covered(-0.5, 2.5)).toBe(3);
    expect(covered(7.5, 5.5)).toBe(4);
    expect(covered(20, 2.5, Number.NaN, 2)).toBe(0);
  });
});
