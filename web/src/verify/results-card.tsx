import { Group, Skeleton, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { comparisonOfResultsQuery, resultFilesQuery, type Sides } from "~/api/verify";
import { CopyButton } from "~/ui/copy-button";
import { EmptyState } from "~/ui/empty-state";
import { ErrorNotice } from "~/ui/error-notice";
import { NumberField } from "~/ui/number-field";
import { ResultView } from "./result-view";
import { sidesOf, type VerifySearch } from "./search-params";
import { SidePicker } from "./side-picker";
import classes from "./verify.module.css";

interface ResultsCardProps {
  search: VerifySearch;
  onChange: (part: VerifySearch) => void;
}

/** Results of a file or a task beside others; the address alone says which. */
export function ResultsCard({ search, onChange }: ResultsCardProps) {
  const sides = sidesOf(search);
  const formats = useQuery(resultFilesQuery).data?.formats;
  const limit = (name: "ttft" | "tpot", label: string) => (
    <NumberField
      key={name}
      size="xs"
      w={150}
      label={label}
      placeholder="none"
      rule={{ above: 0 }}
      isTakenOnBlur
      value={search[name] ?? null}
      onChange={(given) => onChange({ [name]: given ?? undefined })}
    />
  );
  return (
    <section className="card card-stack" aria-labelledby="results">
      <Group justify="space-between" gap="sm">
        <div>
          <Title order={2} fz="md" id="results">
            Results side by side
          </Title>
          <Text size="sm" className="quiet">
            Compare results of aiconfigurator, genai-bench, vLLM, SGLang, GuideLLM, AIPerf,
            InferenceX and others with predictions, with tasks of this service, or with each other.
          </Text>
        </div>
        {sides && <CopyButton text={location.href} what="link" label="Copy link" />}
      </Group>
      <div className={classes.sides}>
        <SidePicker
          title="Predicted"
          hint="What was expected, or the older of two measurements."
          value={search.predicted}
          settings={search.predictedSet}
          onChange={(predicted) => onChange({ predicted })}
          onSettings={(predictedSet) => onChange({ predictedSet })}
        />
        <SidePicker
          title="Measured"
          hint="What was measured. Errors are relative to these figures."
          value={search.actual}
          settings={search.actualSet}
          onChange={(actual) => onChange({ actual })}
          onSettings={(actualSet) => onChange({ actualSet })}
        />
      </div>
      <Group gap="sm" align="start">
        {limit("ttft", "SLO of TTFT (ms)")}
        {limit("tpot", "SLO of TPOT (ms)")}
        <Text size="xs" className="quiet" maw={420}>
          With an SLO, the choice is the point with the most tokens/s per GPU that meets it; without
          one, the point with the highest product of tokens/s per GPU and tokens/s per user.
        </Text>
      </Group>
      {formats && (
        <details>
          <summary className={classes.summary}>Supported formats</summary>
          <ul className={classes.reasons}>
            {Object.entries(formats).map(([name, about]) => (
              <li key={name}>
                <strong>{name}</strong>: {about}
              </li>
            ))}
          </ul>
        </details>
      )}
      {sides ? (
        <Compared sides={sides} />
      ) : (
        <EmptyState
          isSmall
          title="Choose both sides"
          text="Their points are paired by model, engine, system, token lengths, settings and load. Points without a counterpart are listed with the reason."
        />
      )}
    </section>
  );
}

function Compared({ sides }: { sides: Sides }) {
  const found = useQuery(comparisonOfResultsQuery(sides));
  if (found.isPending) return <Skeleton height={280} aria-busy />;
  if (found.data === undefined) {
    return <ErrorNotice error={found.error} onRetry={() => void found.refetch()} />;
  }
  return <ResultView found={found.data} sides={sides} />;
}
