import { describe, expect, it } from "vitest";
import { UNDECIDED } from "../quick/decisions";
import { changed, type Draft, type DraftAction, newDraft, toKeep } from "./draft";

const EMPTY = {
  text: "",
  decisions: UNDECIDED,
  suggested: null,
  etag: null,
  isOpened: false,
  isEdited: false,
};
const acted = (draft: Draft, ...actions: DraftAction[]) => actions.reduce(changed, draft);

describe("a draft", () => {
  it("goes back and forth", () => {
    const draft = acted(
      newDraft(EMPTY),
      { kind: "edit", text: "name: a\n" },
      { kind: "edit", text: "name: b\n" },
      { kind: "undo" },
    );
    expect(draft.task.text).toBe("name: a\n");
    expect(acted(draft, { kind: "redo" }).task.text).toBe("name: b\n");
    expect(acted(draft, { kind: "undo" }, { kind: "undo" }).task.text).toBe("");
  });

  it("takes typing for one step", () => {
    const typed = ["n", "na", "nam", "name"].map(
      (text): DraftAction => ({ kind: "edit", text, isTyping: true }),
    );
    expect(acted(newDraft(EMPTY), ...typed, { kind: "undo" }).task.text).toBe("");
  });

  it("is not edited by what the service suggests", () => {
    const draft = acted(newDraft(EMPTY), { kind: "suggest", document: { version: 2, name: "a" } });
    expect(draft.task.content).toEqual({ version: 2, name: "a" });
    expect(draft.isEdited).toBe(false);
  });

  it("of another task is not touched by the first suggestion, and follows later ones", () => {
    const opened = newDraft({
      ...EMPTY,
      isOpened: true,
      text: "version: 2\nname: a\nruntime: {isl: 5}\n",
    });
    const compared = acted(opened, {
      kind: "suggest",
      document: { version: 2, name: "a", runtime: { isl: 5, osl: 1 } },
    });
    expect(compared.task.text).toBe(opened.task.text);
    const followed = acted(compared, {
      kind: "suggest",
      document: { version: 2, name: "a", runtime: { isl: 9, osl: 1 } },
    });
    expect(followed.task.content).toEqual({ version: 2, name: "a", runtime: { isl: 9 } });
  });

  it("that was named before the first suggestion takes it, and keeps the name", () => {
    const named = acted(
      newDraft(EMPTY),
      { kind: "edit", text: "name: mine\n" },
      { kind: "suggest", document: { version: 2, name: "a", runtime: { isl: 5 } } },
    );
    expect(named.task.content).toEqual({ version: 2, name: "mine", runtime: { isl: 5 } });
  });

  it("that cannot be read waits with suggestions until it can", () => {
    const broken = acted(
      newDraft(EMPTY),
      { kind: "suggest", document: { name: "a" } },
      { kind: "edit", text: "name: [a" },
      { kind: "suggest", document: { name: "b" } },
    );
    expect(broken.task.text).toBe("name: [a");
    const mended = acted(
      broken,
      { kind: "edit", text: "name: a" },
      { kind: "suggest", document: { name: "b" } },
    );
    expect(mended.task.content).toEqual({ name: "b" });
  });

  it("comes back as it was kept", () => {
    const draft = acted(
      newDraft(EMPTY),
      { kind: "decide", decisions: { model: "m" } },
      { kind: "edit", text: "name: a" },
    );
    const kept = JSON.parse(JSON.stringify(toKeep(draft)));
    expect(newDraft(kept)).toMatchObject({
      decisions: { model: "m" },
      isEdited: true,
      task: { text: "name: a" },
    });
  });
});
