/** The circumstances of the address, and what stands in for those that it does not name. */

import { useQuery } from "@tanstack/react-query";
import { devicesQuery, enginesQuery, modelAtHand, modelsQuery } from "~/api/catalog";
import { type Circumstances, circumstancesOf } from "./search-params";

const CPU = "cpu";

/**
 * What is found here stands in for what the address does not say; null until that is known, so that
 * nothing is shown for one machine and a moment later for another.
 */
export function useCircumstances(search: Circumstances): Circumstances | null {
  const devices = useQuery(devicesQuery);
  const engines = useQuery(enginesQuery);
  const models = useQuery(modelsQuery);
  const given = circumstancesOf({ ...search });
  if ([devices, engines, models].some((query) => query.isPending)) return null;
  const gpu = (devices.data ?? []).find(({ kind }) => kind === "gpu");
  const model = modelAtHand(models.data ?? []);
  const engine = (engines.data ?? []).find(({ found }) => found)?.name;
  return {
    ...(model ? { model: model.id } : {}),
    gpu: gpu?.name ?? CPU,
    ...(gpu && given.gpu === undefined ? { gpus: gpu.count } : {}),
    ...(engine ? { engine } : {}),
    isl: 1_000,
    osl: 200,
    ...given,
  };
}
