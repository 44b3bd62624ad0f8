import { Group, Skeleton, Text, Title } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ApiProblem } from "~/api/problems";
import { ErrorNotice } from "~/ui/error-notice";

interface CardProps<Data> {
  id: string;
  title: string;
  query: UseQueryResult<Data>;
  /** What stands at the end of its head. */
  aside?: ReactNode;
  isWide?: boolean;
  children: (data: Data) => ReactNode;
}

/** Whether the service was not reached: the page says so once, for all its parts. */
export const isOffline = (error: unknown) => error instanceof ApiProblem && error.isOffline;

/** A part of the page that is read by itself: one that fails takes no other along. */
export function SystemCard<Data>(props: CardProps<Data>) {
  const { id, title, query, aside, isWide = false, children } = props;
  return (
    <section className="card card-body" aria-labelledby={id} data-wide={isWide || undefined}>
      <Group justify="space-between" gap="sm" mb="xs">
        <Title order={2} fz="md" id={id}>
          {title}
        </Title>
        {aside}
      </Group>
      {query.isPending && <Skeleton height={80} />}
      {query.isError && query.data === undefined && isOffline(query.error) && (
        <Text size="sm" className="quiet">
          Not loaded yet.
        </Text>
      )}
      {query.isError && !isOffline(query.error) && (
        <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
      )}
      {query.data !== undefined && children(query.data)}
    </section>
  );
}
