import { Skeleton, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { parameterFaults } from "~/api/problems";
import { type RecommendationRequest, recommendationQuery } from "~/api/recommendation";
import { limitsOfWanted, type WantedTask } from "~/new-task/search-params";
import { useCircumstances } from "~/profiles/use-circumstances";
import { ErrorNotice } from "~/ui/error-notice";
import { RecommendForm } from "./recommend-form";
import { RecommendedAnswer } from "./recommended-answer";
import classes from "./start.module.css";

const route = getRouteApi("/start");

/** What to run, by prediction alone: nothing is launched and nothing is stored. */
export default function RecommendCard() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const usual = useCircumstances(search);
  const asked = requestOf(search);
  const found = useQuery(recommendationQuery(asked));
  const { faultAt, isAtFields } = parameterFaults(found.error);
  const ask = (wanted: WantedTask) =>
    void navigate({ search: wanted, replace: true, resetScroll: false });
  return (
    <section className="card card-stack" aria-labelledby="recommend">
      <div>
        <Title order={2} fz="md" id="recommend">
          Recommend without launching
        </Title>
        <Text size="sm" className="quiet">
          The best point within your limits by prediction alone, its command, and what measuring
          would settle.
        </Text>
      </div>
      {usual === null && <Skeleton height={120} aria-busy />}
      {usual !== null && (
        <RecommendForm
          // Beside what the address says stands what was found here; any engine, unless one is named.
          first={{ ...usual, engine: search.engine, ttft: search.ttft, tpot: search.tpot }}
          address={search}
          isAsking={found.isFetching}
          onAsk={ask}
          faultAt={faultAt}
        />
      )}
      {found.isFetching && (
        <Text size="sm" role="status" className="quiet">
          Predicting every candidate; this takes some seconds.
        </Text>
      )}
      {found.isError && !isAtFields && (
        <ErrorNotice error={found.error} onRetry={() => void found.refetch()} />
      )}
      {asked !== null && found.data && (
        <div className={classes.answer}>
          <RecommendedAnswer found={found.data} wanted={search} />
        </div>
      )}
    </section>
  );
}

/** What the service is asked; null until there are a model and a device. */
export function requestOf(wanted: WantedTask): RecommendationRequest | null {
  const { model, gpu, gpus, engine, isl, osl } = wanted;
  if (model === undefined || gpu === undefined) return null;
  return {
    model,
    gpu,
    ...(gpus !== undefined && gpu !== "cpu" && { gpus }),
    ...(engine !== undefined && { engine: [engine] }),
    ...(isl !== undefined && { isl }),
    ...(osl !== undefined && { osl }),
    ...limitsOfWanted(wanted),
  };
}
