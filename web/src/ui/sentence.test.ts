import { expect, it } from "vitest";
import { asSentence } from "./sentence";

it.each([
  ["there is no task 7", "There is no task 7."],
  ["two-stage search, as asked", "Two-stage search, as asked."],
  ["autotuner.db is no database", "autotuner.db is no database."],
  ["benchmark.duration_per_level_s, in seconds", "benchmark.duration_per_level_s, in seconds."],
  ["name: is missing", "name: is missing."],
  ["/models/a.gguf is not there", "/models/a.gguf is not there."],
  ["gpu_type is unknown!", "gpu_type is unknown!"],
])("%s", (text, sentence) => {
  expect(asSentence(text).replaceAll("\u00a0", " ").replaceAll("\u2060", "")).toBe(sentence);
});
