import { Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";

interface EmptyStateProps {
  title: string;
  text?: ReactNode;
  action?: ReactNode;
  /** Whether it stands in a card among others, not in place of a page. */
  isSmall?: boolean;
}

/** What a page shows in place of data, and the way on from there. */
export function EmptyState({ title, text, action, isSmall = false }: EmptyStateProps) {
  return (
    <Stack align="center" justify="center" gap="sm" py={isSmall ? 20 : 72} px="md" ta="center">
      <Title order={2} fz={isSmall ? "md" : "lg"}>
        {title}
      </Title>
      {text && (
        <Text className="quiet" maw={480} size={isSmall ? "sm" : undefined}>
          {text}
        </Text>
      )}
      {action}
    </Stack>
  );
}
