import { Alert, Button, Group, List, Text } from "@mantine/core";
import { IconAlertTriangle, IconPlugConnectedX } from "@tabler/icons-react";
import { ApiProblem, type Fault } from "~/api/problems";
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
  const faults = furtherFaults(problem);
  const Icon = problem?.isOffline ? IconPlugConnectedX : IconAlertTriangle;
  return (
    <Alert color="red" variant="light" icon={<Icon aria-hidden />} title={title} role="alert">
      <Text size="sm" className="text-of-users">
        {asSentence(detail)}
      </Text>
      {faults.length > 0 && (
        <List size="sm" mt="xs">
          {faults.map((fault) => (
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

/** Faults that the detail does not hold already: a single one is often all that it says. */
function furtherFaults(problem: ApiProblem | null): readonly Fault[] {
  const [first, ...others] = problem?.faults ?? [];
  if (!problem || !first) return [];
  const isDetail = [first.message, `${first.path}: ${first.message}`].includes(problem.detail);
  return isDetail && others.length === 0 ? [] : problem.faults;
}
