import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import { forget, keep } from "~/app/storage";
import { renderApp } from "~/app/testing";

const SUMMARY = {
  description: "",
  extends: null,
  revision: null,
  created_at: null,
  updated_at: null,
  problem: null,
  tasks: 0,
};
const BUILT_IN = { ...SUMMARY, name: "balanced", origin: "built-in" };
const OWN = { ...SUMMARY, name: "mine", origin: "service", revision: 1 };
const BROKEN = { ...SUMMARY, name: "broken", origin: "folder", problem: "broken.yaml: no YAML" };

const STALE = { type: "/problems/precondition-failed", title: "It has changed", status: 412 };

const SUNK = {
  ...SUMMARY,
  name: "sunk",
  origin: "service",
  problem: "sunk extends nothing that is there",
  extends: "gone",
};
const SUNK_LAYER = {
  layer: "sunk/mine",
  name: "mine",
  when: {},
  set: { "memory.kv_cache_share": 0.5 },
};

interface Service {
  scope?: string;
  faults?: { path: string; message: string }[];
  /** Tag of the newest version: changes of another one are refused. */
  newest?: string;
}

function renderProfiles(address: string, service: Service = {}) {
  const { scope = "admin", faults = [], newest = '"1"' } = service;
  return renderApp(address, ({ method, path, body, headers }) => {
    if (path === "/api/v2/session") {
      return {
        body: { required: false, authenticated: true, name: null, scope, csrf_token: null },
      };
    }
    if (path === "/api/v2/profiles/" && method === "GET") {
      return { body: { items: [BUILT_IN, OWN, BROKEN, SUNK] } };
    }
    if (path === "/api/v2/profiles/" && method === "POST") {
      return { status: 201, body: { ...OWN, ...(body as object), layers: [], document: null } };
    }
    if (path.endsWith("/tasks")) return { body: { items: [], total: 0, extended_by: [] } };
    if (path === "/api/v2/profiles/validate") return { body: { faults, preview: null, notes: [] } };
    if (path === "/api/v2/profiles/preview") {
      const items = [BUILT_IN, OWN].map((one) => ({
        ...one,
        title: one.name,
        settings: [],
        skipped: [],
      }));
      return { body: { items, notes: ["model: not given"] } };
    }
    if (path === "/api/v2/profiles/mine" && method === "PUT") {
      const tag = headers.get("If-Match");
      if (tag !== null && tag !== newest) return { status: 412, body: STALE };
      return { body: { ...OWN, layers: [], document: null } };
    }
    if (path === "/api/v2/profiles/sunk") {
      if (method === "DELETE") return { status: 204 };
      const document = { description: "", extends: "gone", layers: [] };
      return { body: { ...SUNK, layers: [SUNK_LAYER], document }, headers: { ETag: '"7"' } };
    }
    if (path === "/api/v2/profiles/balanced" || path === "/api/v2/profiles/mine") {
      const one = path.endsWith("mine") ? OWN : BUILT_IN;
      return { body: { ...one, layers: [], document: null }, headers: { ETag: newest } };
    }
    if (path === "/api/v2/catalog/profile-words") return { body: { facts: [], rules: [] } };
    if (path === "/api/v2/schema/task") return { body: {} };
    if (/catalog\/(models|gpus)$|engines\/$|system\/devices$/.test(path)) {
      return { body: { items: [] } };
    }
    return undefined;
  });
}

beforeEach(() => {
  forget("profile-draft::");
  forget("profile-draft:mine:");
});

describe("profiles", () => {
  it("one's own come first and can be changed; a built-in one is copied", async () => {
    renderProfiles("/profiles");
    const list = await screen.findByRole("navigation", { name: "Profiles" });
    expect(within(list).getAllByRole("link")[0]).toHaveTextContent("mine");
    expect(await screen.findByRole("button", { name: "Edit" })).toBeVisible();
    await userEvent.click(within(list).getByRole("link", { name: "balanced" }));
    await waitFor(() => expect(screen.queryByRole("button", { name: "Edit" })).toBeNull());
    await userEvent.click(screen.getByRole("button", { name: "Copy" }));
    expect(await screen.findByLabelText("Name")).toHaveValue("balanced_copy");
  });

  it("a broken one says why, and is not copied", async () => {
    renderProfiles("/profiles?profile=broken");
    expect(await screen.findByText("broken.yaml: no YAML.")).toBeVisible();
    expect(screen.queryByRole("button", { name: "Copy" })).toBeNull();
  });

  it("one that is gone is said to be", async () => {
    renderProfiles("/profiles?profile=nobody");
    expect(await screen.findByText("There is no profile nobody")).toBeVisible();
  });

  it("who may only read is offered no change", async () => {
    renderProfiles("/profiles", { scope: "read" });
    await screen.findByText("Used by no task");
    for (const name of ["Edit", "Copy", "Delete", "New profile"]) {
      expect(screen.queryByRole("button", { name })).toBeNull();
    }
  });

  it("faults stand at their fields and keep it from being created", async () => {
    const faults = [{ path: "layers[0].name", message: "is too long" }];
    renderProfiles("/profiles/edit", { faults });
    const name = await screen.findByLabelText("Name");
    await userEvent.type(name, "new");
    expect(await screen.findByText("is too long")).toBeVisible();
    expect(screen.getByRole("button", { name: "Create" })).toBeDisabled();
  });

  it("what is right is created and shown", async () => {
    const { asked, history } = renderProfiles("/profiles/edit");
    await userEvent.type(await screen.findByLabelText("Name"), "new");
    const create = screen.getByRole("button", { name: "Create" });
    await waitFor(() => expect(create).toBeEnabled());
    await userEvent.click(create);
    await waitFor(() => expect(history.location.search).toContain("profile=new"));
    const sent = asked.find(({ method, path }) => method === "POST" && path.endsWith("profiles/"));
    expect(sent?.body).toMatchObject({ name: "new", layers: [{ name: "settings" }] });
  });

  it("a draft of an older version is not saved over what came since, unless one says so", async () => {
    const draft = { name: "mine", description: "old", extends: null, layers: [] };
    keep("profile-draft:mine:", { draft, etag: '"0"' });
    const { asked } = renderProfiles("/profiles/edit?profile=mine", { newest: '"1"' });
    expect(await screen.findByText(/mine has changed since/)).toBeVisible();
    const save = screen.getByRole("button", { name: "Save" });
    await waitFor(() => expect(save).toBeEnabled());
    await userEvent.click(save);
    const dialog = await screen.findByRole("dialog", { name: "Someone else changed mine" });
    const keepMine = within(dialog).getByRole("button", { name: "Keep mine, replace theirs" });
    await waitFor(() => expect(keepMine).toBeEnabled());
    expect(within(dialog).getByText("description: old")).toBeVisible();
    expect(within(dialog).getByText('description: ""')).toBeVisible();
    await userEvent.click(keepMine);
    const tags = () =>
      asked.filter(({ method }) => method === "PUT").map(({ headers }) => headers.get("If-Match"));
    await waitFor(() => expect(tags()).toEqual(['"0"', '"1"']));
  });

  it("theirs taken, the form goes on with what they wrote; decided later, nothing is lost", async () => {
    const draft = { name: "mine", description: "old", extends: null, layers: [] };
    keep("profile-draft:mine:", { draft, etag: '"0"' });
    const { asked } = renderProfiles("/profiles/edit?profile=mine", { newest: '"1"' });
    const save = await screen.findByRole("button", { name: "Save" });
    await waitFor(() => expect(save).toBeEnabled());
    await userEvent.click(save);
    await userEvent.click(await screen.findByRole("button", { name: "Decide later" }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    expect(screen.getByLabelText("Description")).toHaveValue("old");
    await userEvent.click(screen.getByRole("button", { name: "Compare both versions" }));
    const take = await screen.findByRole("button", { name: "Take theirs, discard mine" });
    await waitFor(() => expect(take).toBeEnabled());
    await userEvent.click(take);
    expect(screen.getByLabelText("Description")).toHaveValue("");
    await waitFor(() => expect(save).toBeEnabled());
    await userEvent.click(save);
    const tags = () =>
      asked.filter(({ method }) => method === "PUT").map(({ headers }) => headers.get("If-Match"));
    await waitFor(() => expect(tags()).toEqual(['"0"', '"1"']));
  });

  it("begun anew, the draft is of what the service has", async () => {
    const draft = { name: "mine", description: "old", extends: null, layers: [] };
    keep("profile-draft:mine:", { draft, etag: '"0"' });
    const { asked } = renderProfiles("/profiles/edit?profile=mine", { newest: '"1"' });
    await userEvent.click(await screen.findByRole("button", { name: "Start over" }));
    const save = screen.getByRole("button", { name: "Save" });
    await waitFor(() => expect(save).toBeEnabled());
    await userEvent.click(save);
    await waitFor(() =>
      expect(asked.find(({ method }) => method === "PUT")?.headers.get("If-Match")).toBe('"1"'),
    );
  });

  it("a broken one of one's own opens in the form with what was written", async () => {
    renderProfiles("/profiles/edit?profile=sunk");
    expect(await screen.findByDisplayValue("mine")).toBeVisible();
    expect(screen.getByDisplayValue("memory.kv_cache_share")).toBeVisible();
    expect(screen.getByDisplayValue("0.5")).toBeVisible();
  });

  it("the deletion of a broken one can be undone, and is sent when the page is left", async () => {
    const { asked } = renderProfiles("/profiles?profile=sunk");
    const remove = async () => {
      await userEvent.click(await screen.findByRole("link", { name: /sunk/ }));
      await userEvent.click(await screen.findByRole("button", { name: "Delete" }));
      const dialog = await screen.findByRole("dialog");
      const button = within(dialog).getByRole("button", { name: "Delete" });
      await waitFor(() => expect(button).toBeEnabled());
      await userEvent.click(button);
      await waitFor(() => expect(screen.queryByRole("link", { name: /sunk/ })).toBeNull());
    };
    const sent = () => asked.filter(({ method }) => method === "DELETE");
    await remove();
    await userEvent.click(await screen.findByRole("button", { name: "Undo" }));
    expect(await screen.findByRole("link", { name: /sunk/ })).toBeVisible();
    expect(sent()).toEqual([]);
    await remove();
    dispatchEvent(new Event("pagehide"));
    await waitFor(() => expect(sent()).toHaveLength(1));
    expect(sent()[0]?.headers.get("If-Match")).toBe('"7"');
  });
});
