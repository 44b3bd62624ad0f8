import { beforeEach, describe, expect, it, vi } from "vitest";
import { ApiProblem } from "./problems";
import { rememberCsrfToken, send, whenSessionIsOld } from "./sending";

const REFUSED = { type: "/problems/forbidden", title: "Forbidden" };
let answers: Response[];
let sent: Request[];

const problem = (status: number, body: object) => new Response(JSON.stringify(body), { status });
const change = (body = '{"a":1}') => new Request("http://here/api/v2/x", { method: "POST", body });

beforeEach(() => {
  answers = [];
  sent = [];
  rememberCsrfToken("old");
  vi.stubGlobal("fetch", async (request: Request) => {
    sent.push(request);
    const next = answers.shift();
    if (!next) throw new TypeError("Failed to fetch");
    return next;
  });
});

describe("a change that is refused for the token of a former session", () => {
  it("is sent once more with the token of this one", async () => {
    const read = vi.fn(async () => rememberCsrfToken("new"));
    whenSessionIsOld(read);
    answers = [problem(403, REFUSED), new Response("{}")];
    expect((await send(change())).status).toBe(200);
    expect(read).toHaveBeenCalledTimes(1);
    expect(sent.map(({ headers }) => headers.get("X-CSRF-Token"))).toEqual(["old", "new"]);
    expect(await sent[1]?.text()).toBe('{"a":1}');
  });

  it("is sent once more whichever of several it was", async () => {
    const read = vi.fn(async () => rememberCsrfToken("new"));
    whenSessionIsOld(read);
    answers = [
      problem(403, REFUSED),
      problem(403, REFUSED),
      new Response("{}"),
      new Response("{}"),
    ];
    const both = await Promise.all([send(change()), send(change())]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
  });

  it("of an old token is sent with the one that came meanwhile", async () => {
    const read = vi.fn(async () => {});
    whenSessionIsOld(read);
    answers = [problem(403, REFUSED), new Response("{}")];
    const answer = send(change());
    rememberCsrfToken("new");
    expect((await answer).status).toBe(200);
    expect(read).not.toHaveBeenCalled();
  });

  it("is not sent a third time", async () => {
    whenSessionIsOld(async () => rememberCsrfToken("new"));
    answers = [problem(403, REFUSED), problem(403, REFUSED), new Response("{}")];
    expect((await send(change())).status).toBe(403);
    expect(sent).toHaveLength(2);
  });

  it("stays refused where the session is the same, or a right is missing", async () => {
    whenSessionIsOld(async () => {});
    answers = [problem(403, REFUSED), problem(403, { ...REFUSED, required_scope: "write" })];
    expect((await send(change())).status).toBe(403);
    const refused = await send(change());
    expect(await refused.json()).toMatchObject({ required_scope: "write" });
    expect(sent).toHaveLength(2);
  });
});

it("sends once more what another session was begun under", async () => {
  whenSessionIsOld(async () => rememberCsrfToken("new"));
  answers = [problem(401, {}), new Response("{}")];
  expect((await send(new Request("http://here/api/v2/x"))).status).toBe(200);
});

it("has the session read where the service knows it no longer", async () => {
  const read = vi.fn(async () => {});
  whenSessionIsOld(read);
  answers = [problem(401, {}), problem(401, {})];
  await send(change());
  await send(new Request("http://here/api/v2/x"));
  expect(read).toHaveBeenCalledTimes(2);
  expect(sent[1]?.headers.has("X-CSRF-Token")).toBe(false);
});

it("says that the service cannot be reached, unless nobody waits any more", async () => {
  await expect(send(change())).rejects.toSatisfy(
    (error) => error instanceof ApiProblem && error.isOffline,
  );
  const aborting = new AbortController();
  aborting.abort();
  const given = new Request("http://here/x", { signal: aborting.signal });
  await expect(send(given)).rejects.toBeInstanceOf(TypeError);
});
