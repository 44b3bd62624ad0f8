import { Anchor, Stack, Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { FileCard } from "./file-card";
import { MovedCard } from "./moved-card";
import { WaitingCard } from "./waiting-card";

/** From version 1: files that are brought along, tasks that wait here, and what was moved. */
export function MigrationPage() {
  return (
    <Stack gap="md" className="page page-narrow">
      <div>
        <Title order={1} fz="xl">
          Migration from version 1
        </Title>
        <Text size="sm" className="quiet">
          Tasks, results and presets of version 1 become those of version 2; version 1's own stay as
          they were, and its API answers from them:{" "}
          <Anchor
            size="sm"
            underline="always"
            renderRoot={(props) => <Link to="/tasks/legacy" search={{}} {...props} />}
          >
            tasks of version 1
          </Anchor>
          .
        </Text>
      </div>
      <FileCard />
      <WaitingCard />
      <MovedCard />
    </Stack>
  );
}
