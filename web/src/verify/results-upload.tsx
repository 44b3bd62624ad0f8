import { Button, FileButton, Group, Text } from "@mantine/core";
import { IconUpload } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTaskActions } from "~/actions/actions-provider";
import { limitsQuery } from "~/api/catalog";
import { type ResultFile, resultFilesQuery, uploadResults } from "~/api/verify";
import { ErrorNotice } from "~/ui/error-notice";
import { FileDrop } from "~/ui/file-drop";
import { count } from "~/ui/format";

/** Results of another program, chosen or dropped here; nothing where the reader may change nothing. */
export function ResultsUpload({ onUploaded }: { onUploaded: (file: ResultFile) => void }) {
  const { mayWrite } = useTaskActions();
  const queries = useQueryClient();
  const limitBytes = useQuery(limitsQuery).data?.max_upload_bytes ?? Number.POSITIVE_INFINITY;
  const [tooLarge, setTooLarge] = useState<number | null>(null);
  const uploading = useMutation({
    mutationFn: uploadResults,
    onSuccess: (found) => {
      onUploaded(found);
      void queries.invalidateQueries({ queryKey: resultFilesQuery.queryKey });
    },
  });
  const take = (chosen: readonly File[]) => {
    if (chosen.length === 0) return;
    uploading.reset();
    const bytes = chosen.reduce((sum, file) => sum + file.size, 0);
    setTooLarge(bytes > limitBytes ? bytes : null);
    if (bytes <= limitBytes) uploading.mutate(chosen);
  };
  if (!mayWrite) return null;
  return (
    <>
      <FileDrop onFiles={take}>
        <Group gap="sm">
          <FileButton multiple onChange={take}>
            {(props) => (
              <Button
                {...props}
                size="xs"
                variant="default"
                loading={uploading.isPending}
                leftSection={<IconUpload size={14} aria-hidden />}
              >
                Upload a file, or all of one run
              </Button>
            )}
          </FileButton>
          <Text size="xs" className="quiet">
            or drop them here
          </Text>
        </Group>
      </FileDrop>
      {tooLarge !== null && (
        <Text size="sm" c="var(--bad)" role="alert">
          These are {count(tooLarge)} bytes, and this service reads {count(limitBytes)} at the most.
        </Text>
      )}
      {uploading.isError && <ErrorNotice error={uploading.error} />}
    </>
  );
}
