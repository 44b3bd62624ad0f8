import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { aWholeTask, openPage } from "./testing-page";
import { problem } from "./testing-service";

const format = (name: string, more: Record<string, unknown> = {}) => ({
  ...{ format: name, title: `Title of ${name}`, summary: `makes ${name}`, fits: true },
  ...{ why_not: null, needs_image: false, one_replica: false, versions: [], ...more },
});
const LOAD = { kind: "concurrency", value: 8 };
const EXPORTS = {
  point: "c2@8",
  points: [
    { point: "c2@8", label: "threads=2", load: LOAD, on_frontier: true, recommended: true },
    { point: "c1@8", label: "threads=1", load: LOAD, on_frontier: true, recommended: false },
  ],
  replicas: 1,
  image: null,
  takes_key: true,
  formats: [
    format("compose", { fits: false, why_not: "no container image is known: name an image" }),
    format("shell"),
    format("dynamo", { versions: ["v1beta1", "v1alpha1"] }),
  ],
};

/** Opens the dialog; every request for files is answered with what it asked for. */
async function openDialog(answers: Record<string, unknown> = {}) {
  const files = (form: string) => (url: URL) =>
    Response.json({
      format: form,
      point: url.searchParams.get("point") ?? "c2@8",
      files: [{ name: `${form}.yaml`, text: `${form} ${url.searchParams}` }],
    });
  openPage("/tasks/1", {
    "tasks/1": aWholeTask(),
    "tasks/1/experiments": { items: [], next_cursor: null },
    "tasks/1/frontier": { objectives: [], actual: [], predicted: null, recommended: null },
    "tasks/1/exports": EXPORTS,
    "tasks/1/exports/shell": files("shell"),
    "tasks/1/exports/dynamo": files("dynamo"),
    "tasks/1/exports/compose": files("compose"),
    ...answers,
  });
  const user = userEvent.setup();
  const opener = await screen.findByRole("button", { name: "Deploy…" });
  opener.focus();
  await user.keyboard("{Enter}");
  const dialog = await screen.findByRole("dialog", { name: "Deploy" });
  await within(dialog).findByRole("radiogroup", { name: "Format" });
  return { user, dialog: within(dialog), opener };
}

describe("the dialog that deploys a point", () => {
  it("asks for files with a key where requests are to carry one", async () => {
    const { user, dialog } = await openDialog();
    await user.click(await dialog.findByRole("checkbox", { name: "Requests carry a key" }));
    await waitFor(() =>
      expect(dialog.getByRole("region", { name: "shell.yaml" })).toHaveTextContent(
        "requires_key=true",
      ),
    );
  });

  it("offers what was never measured, marked so", async () => {
    const { user, dialog } = await openDialog();
    await user.click(dialog.getByLabelText("Point", { selector: "input" }));
    await user.click(await screen.findByText(/^predicted: .* never measured$/));
    await waitFor(() =>
      expect(dialog.getByRole("region", { name: "shell.yaml" })).toHaveTextContent(
        "point=predicted",
      ),
    );
  });

  it("takes the first format that fits, and says why others do not", async () => {
    const { dialog } = await openDialog();
    expect(await dialog.findByRole("radio", { name: "Title of shell" })).toBeChecked();
    expect(dialog.getByRole("radio", { name: "Title of compose" })).toBeDisabled();
    expect(dialog.getByText(/Does not fit: no container image is known/)).toBeVisible();
    expect(await dialog.findByRole("region", { name: "shell.yaml" })).toHaveTextContent("shell");
  });

  it("shows the files of another format, version and number of replicas", async () => {
    const { user, dialog } = await openDialog();
    await user.click(dialog.getByRole("radio", { name: "Title of dynamo" }));
    await user.selectOptions(dialog.getByRole("combobox", { name: "Version" }), "v1alpha1");
    await user.type(dialog.getByRole("textbox", { name: "Replicas" }), "3");
    await waitFor(() =>
      expect(dialog.getByRole("region", { name: "dynamo.yaml" })).toHaveTextContent(
        "dynamo replicas=3&target_version=v1alpha1",
      ),
    );
  });

  it("takes the traffic in place of replicas, and says how many hold it", async () => {
    const exports = (url: URL) =>
      Response.json({ ...EXPORTS, replicas: url.searchParams.has("rate") ? 7 : 1 });
    const { user, dialog } = await openDialog({ "tasks/1/exports": exports });
    await user.type(dialog.getByRole("textbox", { name: "Replicas" }), "3");
    await user.selectOptions(dialog.getByRole("combobox", { name: "Sized by" }), "rate");
    await user.type(dialog.getByRole("textbox", { name: "Requests per second" }), "40");
    expect(await dialog.findByText("7 replicas hold it within the limits")).toBeVisible();
    const text = await dialog.findByRole("region", { name: "shell.yaml" });
    await waitFor(() => expect(text).toHaveTextContent(/^shell rate=40$/));
    await user.selectOptions(dialog.getByRole("combobox", { name: "Sized by" }), "users");
    await user.type(dialog.getByRole("textbox", { name: "Program" }), "serve");
    await waitFor(() =>
      expect(dialog.getByRole("region", { name: "shell.yaml" })).toHaveTextContent(
        /^shell program=serve$/,
      ),
    );
    expect(dialog.queryByText(/within the limits/)).toBeNull();
  });

  it("says beside a field why the service refuses it, and shows no files then", async () => {
    const exports = (url: URL) =>
      url.searchParams.has("users")
        ? problem(422, "No", "users: too much", {
            errors: [{ path: "query.users", message: "8 takes 2,000 replicas of c2" }],
          })()
        : Response.json(EXPORTS);
    const { user, dialog } = await openDialog({ "tasks/1/exports": exports });
    await dialog.findByRole("region", { name: "shell.yaml" });
    await user.selectOptions(dialog.getByRole("combobox", { name: "Sized by" }), "users");
    const users = dialog.getByRole("textbox", { name: "Users at once" });
    await user.type(users, "8");
    expect(await dialog.findByText("8 takes 2,000 replicas of c2")).toBeVisible();
    expect(users).toBeInvalid();
    const formats = dialog.getByRole("radiogroup", { name: "Format" });
    expect(formats.closest("[aria-busy=true]")).toBeNull();
    expect(dialog.queryByRole("alert")).toBeNull();
    expect(dialog.queryByRole("region", { name: "shell.yaml" })).toBeNull();
    await user.type(users, "0");
    expect(formats.closest("[aria-busy=true]")).not.toBeNull();
    await waitFor(() => expect(formats.closest("[aria-busy=true]")).toBeNull());
    await user.clear(users);
    expect(await dialog.findByRole("region", { name: "shell.yaml" })).toBeVisible();
    await waitFor(() => expect(formats.closest("[aria-busy=true]")).toBeNull());
  });

  it("lets nobody take files beside a number that is not taken", async () => {
    const { user, dialog } = await openDialog();
    const download = () => dialog.getByRole("button", { name: "Download" });
    await waitFor(() => expect(download()).toBeEnabled());
    await user.type(dialog.getByRole("textbox", { name: "Replicas" }), "0");
    expect(download()).toBeDisabled();
    const formats = dialog.getByRole("radiogroup", { name: "Format" });
    await waitFor(() => expect(formats.closest("[aria-busy=true]")).toBeNull());
    expect(download().closest("[aria-busy=true]")).toBeNull();
    await user.type(dialog.getByRole("textbox", { name: "Replicas" }), "{Backspace}2");
    await waitFor(() => expect(download()).toBeEnabled());
  });

  it("offers what an image makes possible, and keeps the fields where one is refused", async () => {
    const exports = (url: URL) => {
      const image = url.searchParams.get("image");
      if (image === "bad") return problem(422, "No", "image: 'bad' is no image")();
      const fits = image !== null;
      const compose = format("compose", { fits, why_not: fits ? null : "name an image" });
      return Response.json({ ...EXPORTS, formats: [compose, format("shell")] });
    };
    const { user, dialog } = await openDialog({ "tasks/1/exports": exports });
    const image = dialog.getByRole("textbox", { name: "Image" });
    await user.type(image, "bad");
    expect(await dialog.findByRole("alert")).toHaveTextContent(/bad.* is no image/);
    await user.clear(image);
    await user.type(image, "r/e:1");
    await waitFor(() =>
      expect(dialog.getByRole("radio", { name: "Title of compose" })).toBeEnabled(),
    );
  });

  it("says why a format cannot be written, and works again with another", async () => {
    const refused = problem(422, "No", "shell has no such point");
    const { user, dialog } = await openDialog({ "tasks/1/exports/shell": refused });
    expect(await dialog.findByRole("alert")).toHaveTextContent(/shell has no such point/i);
    await user.click(dialog.getByRole("radio", { name: "Title of dynamo" }));
    expect(await dialog.findByRole("region", { name: "dynamo.yaml" })).toBeVisible();
  });

  it("lets nobody take the files of before while others are made, nor when they cannot be", async () => {
    let make: (made: Response) => void = () => {};
    const made = new Promise<Response>((resolve) => {
      make = resolve;
    });
    const asked = vi.fn();
    const files = (url: URL) => {
      if (url.searchParams.get("point") === "c1@8") {
        asked();
        return made;
      }
      return Response.json({ format: "shell", files: [{ name: "serve.sh", text: "of c2" }] });
    };
    const { user, dialog } = await openDialog({ "tasks/1/exports/shell": files });
    const text = await dialog.findByRole("region", { name: "serve.sh" });
    const buttons = ["Copy", "Download"].map((name) => dialog.getByRole("button", { name }));
    for (const button of buttons) await waitFor(() => expect(button).toBeEnabled());

    await user.click(dialog.getByLabelText("Point", { selector: "input" }));
    await user.click(await screen.findByText(/^c1@8/));
    for (const button of buttons) expect(button).toBeDisabled();
    await waitFor(() => expect(asked).toHaveBeenCalled());
    for (const button of buttons) expect(button).toBeDisabled();
    expect(text).toHaveTextContent("of c2");
    expect(text.closest("[aria-busy=true]")).not.toBeNull();

    make(problem(422, "No", "c1 cannot be written")());
    expect(await dialog.findByRole("alert")).toHaveTextContent(/c1 cannot be written/i);
    expect(dialog.queryByRole("region", { name: "serve.sh" })).toBeNull();
  });

  it("copies and saves, and gives the focus back when Escape closes it", async () => {
    const saved: string[] = [];
    vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (
      this: HTMLAnchorElement,
    ) {
      saved.push(this.download);
    });
    URL.createObjectURL = () => "blob:x";
    const { user, dialog, opener } = await openDialog({ "tasks/1/export/shell": "#!/bin/sh" });
    await dialog.findByRole("region", { name: "shell.yaml" });
    await user.click(dialog.getByRole("button", { name: "Copy" }));
    expect(await dialog.findByRole("button", { name: "Copied" })).toBeVisible();
    await user.click(dialog.getByRole("button", { name: "Download" }));
    await waitFor(() => expect(saved).toEqual(["shell.yaml"]));
    await user.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    await waitFor(() => expect(opener).toHaveFocus());
  });
});
