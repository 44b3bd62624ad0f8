/** Which tasks of version 1 are listed, as it stands in the address. */

import { V1_STATUSES, type V1Status } from "~/api/legacy";

export interface LegacySearch {
  status?: V1Status;
}

export function legacySearch(given: Record<string, unknown>): LegacySearch {
  const status = V1_STATUSES.find((one) => one === given.status);
  return status ? { status } : {};
}
