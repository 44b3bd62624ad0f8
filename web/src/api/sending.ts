/** Requests as the reader who is signed in, and what every answer tells beside its body. */

import { offlineProblem } from "./problems";
import { noteServiceTime } from "./service-clock";

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);
const UNAUTHORIZED = 401;
const FORBIDDEN = 403;

let csrfToken: string | null = null;
let readSession: () => Promise<unknown> = async () => {};

/** Sets the token that changes are sent with; it comes with the session. */
export function rememberCsrfToken(token: string | null): void {
  csrfToken = token;
}

/** Sets how the session is read anew, once the service has shown that it is another one or over. */
export function whenSessionIsOld(read: () => Promise<unknown>): void {
  readSession = read;
}

/**
 * The answer to a request.
 *
 * Where the reader has signed in anew in another tab, this one's token, and the cookie of what is
 * under way, are of the session before: the session is read, and the request sent once more.
 *
 * @throws ApiProblem where the service does not answer.
 */
export async function send(request: Request): Promise<Response> {
  const again = request.clone();
  const before = csrfToken;
  const response = await answerTo(withToken(request));
  if (!(await isOfOldSession(response))) return response;
  // Of several that were refused, the first has had the session read.
  if (csrfToken === before) await readSession();
  const isAnother = csrfToken !== null && csrfToken !== before;
  return isAnother ? answerTo(withToken(again)) : response;
}

function withToken(request: Request): Request {
  if (csrfToken !== null && !SAFE_METHODS.has(request.method))
    request.headers.set("X-CSRF-Token", csrfToken);
  return request;
}

async function answerTo(request: Request): Promise<Response> {
  const { signal } = request;
  const response = await globalThis.fetch(request).catch((cause: unknown) => {
    throw signal.aborted ? cause : offlineProblem(cause);
  });
  noteServiceTime(response.headers.get("Date"));
  return response;
}

/** A refusal that names no right that is missing is of the token alone. */
async function isOfOldSession(response: Response): Promise<boolean> {
  if (response.status === UNAUTHORIZED) return true;
  if (response.status !== FORBIDDEN) return false;
  const problem: unknown = await response
    .clone()
    .json()
    .catch(() => null);
  if (typeof problem !== "object" || problem === null) return false;
  return (
    "type" in problem && problem.type === "/problems/forbidden" && !("required_scope" in problem)
  );
}
