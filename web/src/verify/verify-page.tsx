import { Stack, Text, Title } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import { AccuracyCard } from "./accuracy-card";
import { ResultsCard } from "./results-card";
import type { VerifySearch } from "./search-params";

const route = getRouteApi("/verify");

/** How far predictions are from measurements, whoever made either. */
export function VerifyPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const change = (part: VerifySearch) =>
    void navigate({
      search: (before) => ({ ...before, ...part }),
      replace: true,
      resetScroll: false,
    });
  return (
    <Stack gap="md" className="page">
      <div>
        <Title order={1} fz="xl">
          Verify
        </Title>
        <Text size="sm" className="quiet">
          How far predictions are from measurements, and whether that would change what you choose.
        </Text>
      </div>
      <ResultsCard search={search} onChange={change} />
      <AccuracyCard search={search} onChange={change} />
    </Stack>
  );
}
