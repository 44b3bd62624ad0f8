import { screen, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { renderApp } from "~/app/testing";
import { point } from "~/explorer/testing-points";

const FILES = ["a", "b"].map((letter) => letter.repeat(16)) as [string, string];
const OF = { model: "m", workload: "D(8,4)", engine: null, engine_version: null, system: null };

function results(id: string) {
  const items = [{ ...point({ figures: { tok_s: 1, ttft_ms: 2 } }), ...OF, layout: null }];
  const file = { id, name: `${id[0]}.csv`, format: "csv", added_at: "2026-11-27T05:00:00Z" };
  return { body: { file, items } };
}

it("keeps what is shown while another series is read", async () => {
  const [one, two] = FILES;
  const asked: string[] = [];
  const { history } = renderApp(`/compare?files=${one}`, ({ path }) => {
    asked.push(path);
    if (path === "/api/v2/verify/files") return { body: { items: [], formats: {} } };
    return path.endsWith(one) ? results(one) : path.endsWith(two) ? results(two) : undefined;
  });
  const series = await screen.findByRole("list", { name: "Series" });
  expect(within(series).getByText("a.csv")).toBeVisible();
  history.push(`/compare?files=${one},${two}`);
  expect(await within(series).findByText("b.csv")).toBeVisible();
  // The same element: no skeleton took its place meanwhile.
  expect(series).toBeInTheDocument();
  expect(asked.filter((path) => path.endsWith(one))).toHaveLength(1);
});
