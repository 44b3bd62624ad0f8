/** What tokens may do, in words. */

import type { TokenScope } from "~/api/system";

export const RIGHTS: Record<TokenScope, { title: string; text: string }> = {
  read: { title: "Read", text: "See everything except tokens and backups; change nothing." },
  write: { title: "Write", text: "Also create, start and delete tasks and profiles." },
  admin: { title: "Everything", text: "Also manage tokens and backups." },
};

export const SCOPES = Object.keys(RIGHTS) as TokenScope[];
