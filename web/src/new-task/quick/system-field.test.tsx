import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";
import { devicesQuery, enginesQuery, gpusQuery } from "~/api/catalog";
import { SystemField } from "./system-field";

function shownField(onDecide = vi.fn()) {
  const queries = new QueryClient({ defaultOptions: { queries: { staleTime: 60_000 } } });
  queries.setQueryData(gpusQuery.queryKey, [
    { name: "h100_sxm", memory_gib: 80 },
    { name: "h200_sxm", memory_gib: 141 },
  ] as never);
  queries.setQueryData(devicesQuery.queryKey, []);
  queries.setQueryData(enginesQuery.queryKey, []);
  const field = (gpu: string | null) => (
    <MantineProvider env="test">
      <QueryClientProvider client={queries}>
        <SystemField
          decisions={{ model: "m", gpu: null, gpus: null, backend: null } as never}
          onDecide={onDecide}
          onFault={() => {}}
          gpu={gpu}
          gpus={1}
          backend={null}
          faults={{ gpu: null, gpus: null, backend: null }}
        />
      </QueryClientProvider>
    </MantineProvider>
  );
  const { rerender } = render(field("h100_sxm"));
  return { onDecide, suggest: (gpu: string) => rerender(field(gpu)) };
}

it("keeps what is being typed when another device is suggested", async () => {
  const { onDecide, suggest } = shownField();
  const input = screen.getByRole("textbox", { name: "Device" });
  await userEvent.click(input);
  await userEvent.keyboard("h200");
  suggest("cpu");
  expect(input).toHaveValue("h200");
  await userEvent.keyboard("{ArrowDown}{Enter}");
  expect(onDecide).toHaveBeenCalledWith({ gpu: "h200_sxm", gpus: null });
});

it("shows the suggestion again when one leaves without a choice", async () => {
  const { suggest } = shownField();
  const input = screen.getByRole("textbox", { name: "Device" });
  await userEvent.click(input);
  await userEvent.keyboard("x");
  suggest("h200_sxm");
  await userEvent.tab();
  expect(input).toHaveValue("h200_sxm, 141\u00a0GiB");
});
