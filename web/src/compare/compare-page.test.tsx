import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";
import { uploadResults } from "~/api/verify";
import { renderApp } from "~/app/testing";
import { point } from "~/explorer/testing-points";

const uploaded = vi.mocked(uploadResults);
vi.mock("~/api/verify", async (actual) => ({ ...(await actual()), uploadResults: vi.fn() }));

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

it("adds what was uploaded to what was chosen meanwhile, and takes no second upload until then", async () => {
  const [one, two] = FILES;
  const [added, other] = ["c", "d"].map((letter) => letter.repeat(16)) as [string, string];
  const kept = [one, two, other].map((id) => results(id).body.file);
  let arrive = () => {};
  uploaded.mockReturnValue(
    new Promise((resolve) => {
      arrive = () => resolve(results(added).body.file as never);
    }),
  );
  const { history } = renderApp(`/compare?files=${one}`, ({ path }) => {
    if (path === "/api/v2/verify/files") return { body: { items: kept, formats: {} } };
    const id = [one, two, added].find((known) => path.endsWith(known));
    return id ? results(id) : undefined;
  });
  await screen.findByRole("button", { name: "Upload a file, or all files of one run" });
  const upload = document.querySelector("input[type=file]") as HTMLInputElement;
  const file = new File(["x"], "c.csv");
  await userEvent.upload(upload, file);
  expect(await screen.findByText("Others can be added once these are read")).toBeVisible();
  await userEvent.upload(upload, file);
  const choice = screen.getByRole("combobox", { name: "Uploaded results to add" });
  await userEvent.selectOptions(choice, two);
  const series = await screen.findByRole("list", { name: "Series" });
  expect(await within(series).findByText("b.csv")).toBeVisible();
  arrive();
  expect(await within(series).findByText("c.csv")).toBeVisible();
  await waitFor(() => expect(history.location.href).toContain([one, two, added].join("%2C")));
  expect(uploaded).toHaveBeenCalledTimes(1);
});
