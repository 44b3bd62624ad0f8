import { ActionIcon, Tooltip } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTaskActions } from "~/actions/actions-provider";
import { forgetResults, resultFilesQuery } from "~/api/verify";
import { ErrorNotice } from "~/ui/error-notice";
import { ForgetDialog } from "./forget-dialog";

interface ForgetButtonProps {
  id: string;
  /** Of the results, as their sender called them. */
  name: string;
  label: string;
  onForgotten: () => void;
}

/** Uploaded results are gone from the service, once the reader has confirmed it. */
export function ForgetButton({ id, name, label, onForgotten }: ForgetButtonProps) {
  const { mayWrite } = useTaskActions();
  const queries = useQueryClient();
  const [isAsked, setIsAsked] = useState(false);
  const forgetting = useMutation({
    mutationFn: () => forgetResults(id),
    onSuccess: () => {
      onForgotten();
      void queries.invalidateQueries({ queryKey: resultFilesQuery.queryKey });
    },
  });
  if (!mayWrite) return null;
  return (
    <>
      <Tooltip label="Delete these results">
        <ActionIcon
          variant="subtle"
          c="var(--bad)"
          aria-label={label}
          loading={forgetting.isPending}
          onClick={() => setIsAsked(true)}
        >
          <IconTrash size={16} aria-hidden />
        </ActionIcon>
      </Tooltip>
      {isAsked && (
        <ForgetDialog
          name={name}
          onForget={() => forgetting.mutate()}
          onClose={() => setIsAsked(false)}
        />
      )}
      {forgetting.isError && <ErrorNotice error={forgetting.error} />}
    </>
  );
}
