import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, it, vi } from "vitest";
import { goalsQuery } from "~/api/catalog";
import { type Decisions, UNDECIDED } from "./decisions";
import { GoalField } from "./goal-field";

const LIMITED = { name: "slo", title: "SLO", description: "", objectives: [], needs_slo: true };

function Held({ slo, onDecide }: Pick<Decisions, "slo"> & { onDecide: (slo: unknown) => void }) {
  const [decisions, setDecisions] = useState<Decisions>({ ...UNDECIDED, goal: "slo", slo });
  return (
    <GoalField
      decisions={decisions}
      onDecide={(change) => {
        onDecide(change.slo);
        setDecisions((before) => ({ ...before, ...change }));
      }}
      onFault={() => {}}
      faultAt={() => null}
    />
  );
}

function open(slo: Decisions["slo"]) {
  const onDecide = vi.fn();
  const queries = new QueryClient({ defaultOptions: { queries: { staleTime: 60_000 } } });
  queries.setQueryData(goalsQuery.queryKey, [LIMITED] as never);
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={queries}>
        <Held slo={slo} onDecide={onDecide} />
      </QueryClientProvider>
    </MantineProvider>,
  );
  return onDecide;
}

it("moves on to the field of a percentile that is added", async () => {
  open({});
  const choice = screen.getByRole("combobox", { name: "Limit a percentile too" });
  await userEvent.selectOptions(choice, "ttft_p99_ms");
  expect(screen.getByLabelText("TTFT, p99")).toHaveFocus();
});

it("keeps the field of a percentile while its limit is typed anew", async () => {
  const onDecide = open({ ttft_p99_ms: 900 });
  const field = screen.getByLabelText("TTFT, p99");
  await userEvent.clear(field);
  expect(onDecide).toHaveBeenLastCalledWith({});
  expect(field).toBeInTheDocument();
  await userEvent.type(field, "500");
  expect(field).toHaveValue("500");
  expect(onDecide).toHaveBeenLastCalledWith({ ttft_p99_ms: 500 });
});
