import { Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";

interface EmptyStateProps {
  title: string;
  text?: ReactNode;
  action?: ReactNode;
}

/** What a page shows in place of data, and the way on from there. */
export function EmptyState({ title, text, action }: EmptyStateProps) {
  return (
    <Stack align="center" justify="center" gap="sm" py={72} px="md" ta="center">
      <Title order={2} fz="lg">
        {title}
      </Title>
      {text && (
        <Text className="quiet" maw={480}>
          {text}
        </Text>
      )}
      {action}
    </Stack>
  );
}
