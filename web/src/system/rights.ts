/** What tokens may do, in words. */

import type { TokenScope } from "~/api/system";

export const RIGHTS: Record<TokenScope, { title: string; text: string }> = {
  read: { title: "Read", text: "See everything but tokens and backups; change nothing." },
  write: { title: "Write", text: "Make, start and delete tasks and profiles too." },
  admin: { title: "Everything", text: "Tokens and backups too." },
};

export const SCOPES = Object.keys(RIGHTS) as TokenScope[];
