import { Alert, Button, Group, List, Text } from "@mantine/core";
import { IconAlertTriangle, IconPlugConnectedX } from "@tabler/icons-react";
import { ApiProblem } from "~/api/problems";
import { asSentence } from "./sentence";

interface ErrorNoticeProps {
  error: unknown;
  onRetry?: () => void;
}

/** What happened, and what to do about it. */
export function ErrorNotice({ error, onRetry }: ErrorNoticeProps) {
  const problem = error instanceof ApiProblem ? error : null;
  const title = problem?.title ?? "Something went wrong on this page";
  const detail = problem?.detail ?? (error instanceof Error ? error.message : String(error));
  const Icon = problem?.isOffline ? IconPlugConnectedX : IconAlertTriangle;
  return (
    <Alert color="red" variant="light" icon={<Icon aria-hidden />} title={title} role="alert">
      <Text size="sm" className="text-of-users">
        {asSentence(detail)}
      </Text>
      {problem && problem.faults.length > 0 && (
        <List size="sm" mt="xs">
          {problem.faults.map((fault) => (
            <List.Item key={`${fault.path}:${fault.message}`} className="text-of-users">
              {fault.path && <strong>{fault.path}: </strong>}
              {fault.message}
            </List.Item>
          ))}
        </List>
      )}
      {onRetry && (
        <Group mt="sm">
          <Button size="xs" variant="default" onClick={onRetry}>
            Try again
          </Button>
        </Group>
      )}
    </Alert>
  );
}
