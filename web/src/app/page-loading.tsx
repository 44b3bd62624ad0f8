import { Skeleton, Stack } from "@mantine/core";

const ROWS = ["a", "b", "c", "d", "e", "f"];

export function PageLoading() {
  return (
    <Stack p="md" gap="sm" aria-busy="true" aria-label="Loading">
      <Skeleton h={28} w={220} />
      {ROWS.map((row) => (
        <Skeleton key={row} h={22} />
      ))}
    </Stack>
  );
}
