import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { EmptyState } from "~/ui/empty-state";

export function NotFoundPage() {
  return (
    <EmptyState
      title="There is no such page"
      text="The address is wrong, or what it named has been deleted."
      action={
        <Button component={Link} to="/tasks">
          All tasks
        </Button>
      }
    />
  );
}
