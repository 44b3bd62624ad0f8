/** Problem details (RFC 9457) of the service, and what went wrong before one came. */

export interface Fault {
  /** Dotted path of a field; empty for the whole. */
  path: string;
  message: string;
}

export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    readonly type: string,
    readonly title: string,
    readonly detail: string,
    readonly faults: readonly Fault[] = [],
    /** Seconds after which the service asks for the request again; null where it says nothing. */
    readonly retryAfterS: number | null = null,
  ) {
    super(detail || title);
  }

  /** Whether the service could not be reached at all. */
  get isOffline(): boolean {
    return this.status === 0;
  }

  get isStale(): boolean {
    return this.status === 412;
  }

  get isGone(): boolean {
    return this.status === 404;
  }

  get isConflict(): boolean {
    return this.status === 409;
  }

  /** Whether the operator's policy forbids it: each fault says which setting, where one allows it. */
  get isForbiddenByPolicy(): boolean {
    return this.type === "/problems/policy-refused";
  }

  get needsSignIn(): boolean {
    return this.status === 401;
  }
}

/** Faults of a request's parameters, for the fields that hold them. */
export interface ParameterFaults {
  /** Why a parameter is refused, by its name. */
  faultAt: (name: string) => string | null;
  /** Whether the fields say all that there is to say. */
  isAtFields: boolean;
}

export function parameterFaults(error: unknown): ParameterFaults {
  const faults = error instanceof ApiProblem ? error.faults : [];
  return {
    faultAt: (name) => faults.find(({ path }) => path === `query.${name}`)?.message ?? null,
    isAtFields: faults.length > 0 && faults.every(({ path }) => path.startsWith("query.")),
  };
}

const WORTH_RETRYING = new Set([0, 429, 502, 503, 504]);

/** Whether the same request may succeed a moment later. */
export function isPassing(error: unknown): boolean {
  return error instanceof ApiProblem && WORTH_RETRYING.has(error.status);
}

/** The problem in a response's body, whatever its form. */
export function problemOf(status: number, body: unknown, headers?: Headers): ApiProblem {
  const given = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const text = (key: string): string => (typeof given[key] === "string" ? given[key] : "");
  const faults = Array.isArray(given.errors) ? (given.errors as Fault[]) : [];
  const retryAfterS = Number.parseFloat(headers?.get("Retry-After") ?? "");
  return new ApiProblem(
    status,
    text("type"),
    text("title") || `The service answered ${status}`,
    text("detail"),
    faults,
    Number.isFinite(retryAfterS) ? retryAfterS : null,
  );
}

export function offlineProblem(cause: unknown): ApiProblem {
  const problem = new ApiProblem(
    0,
    "offline",
    "The service cannot be reached",
    "The service did not answer. It may be restarting; the page goes on by itself when it is back.",
  );
  problem.cause = cause;
  return problem;
}
