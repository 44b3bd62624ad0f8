import { Box, Button, Group, Radio, Skeleton, Stack, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconDownload } from "@tabler/icons-react";
import { keepPreviousData, useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import {
  type ExportFormat,
  type ExportWishes,
  exportFilesQuery,
  exportsQuery,
  saveDeployment,
} from "~/api/exports";
import { parameterFaults } from "~/api/problems";
import { Dialog } from "~/ui/dialog";
import { ErrorNotice } from "~/ui/error-notice";
import { StaleBox } from "~/ui/stale-box";
import { TextBlock } from "~/ui/text-block";
import classes from "./export-dialog.module.css";
import { ExportFields } from "./export-fields";

interface ExportDialogProps {
  taskId: number;
  onClose: () => void;
}

const NOTHING: ExportWishes = {
  point: null,
  replicas: null,
  rate: null,
  users: null,
  image: null,
  program: null,
  apiKey: false,
};
/** A pause in typing, after which the service is asked. */
const SETTLED_AFTER_MS = 300;

/** What deploys the engine of a point: a format, its options, and a look at the files. */
export default function ExportDialog({ taskId, onClose }: ExportDialogProps) {
  const [wishes, setWishes] = useState<ExportWishes>(NOTHING);
  const [asked] = useDebouncedValue(wishes, SETTLED_AFTER_MS);
  const [picked, setPicked] = useState<string | null>(null);
  const [version, setVersion] = useState<string | null>(null);
  const [fieldFault, setFieldFault] = useState<string | null>(null);
  const found = useQuery({ ...exportsQuery(taskId, asked), placeholderData: keepPreviousData });
  const { faultAt, isAtFields } = parameterFaults(found.error);
  // A wish that cannot be met leaves the fields in which it is corrected.
  const [shown, setShown] = useState(found.data);
  if (found.data !== undefined && found.data !== shown) setShown(found.data);
  const formats = shown?.formats ?? [];
  const form =
    formats.find(({ format, fits }) => fits && format === picked) ??
    formats.find(({ fits }) => fits) ??
    null;
  const written = form?.versions.find((known) => known === version) ?? null;
  // Nothing is awaited beside a wish that is refused: the fields say why.
  const isAwaited = wishes !== asked || found.isPending || found.isPlaceholderData;
  // A number that is not taken is wished, too: what is shown is not of it.
  const isSettled = !isAwaited && !found.isError && fieldFault === null;
  const wish = (changed: Partial<ExportWishes>) =>
    setWishes((before) => ({ ...before, ...changed }));
  const pick = (format: string) => {
    setPicked(format);
    setVersion(null);
  };

  const refusal = found.isError && (
    <ErrorNotice error={found.error} onRetry={() => void found.refetch()} />
  );

  return (
    <Dialog onClose={onClose} title="Deploy" size="72rem">
      {shown === undefined && refusal}
      {found.isPending && <Skeleton h={320} aria-label="Loading" />}
      {shown && (
        <Box className={classes.columns}>
          <StaleBox isStale={isAwaited}>
            <Formats formats={formats} picked={form?.format ?? null} onPick={pick} />
          </StaleBox>
          <Stack gap="sm">
            <ExportFields
              wishes={wishes}
              onWish={wish}
              shown={shown}
              form={form}
              version={written}
              onVersion={setVersion}
              isSettled={isSettled}
              faultAt={faultAt}
              onFault={setFieldFault}
            />
            {/* A wish that cannot be met has no files. */}
            {!isAtFields && refusal}
            {form && !found.isError && (
              <Preview
                key={form.format}
                taskId={taskId}
                form={form}
                version={written}
                wishes={asked}
                isAwaited={isAwaited}
                isSettled={isSettled}
              />
            )}
          </Stack>
        </Box>
      )}
    </Dialog>
  );
}

const fittingFirst = (a: ExportFormat, b: ExportFormat) => Number(b.fits) - Number(a.fits);

interface FormatsProps {
  formats: readonly ExportFormat[];
  picked: string | null;
  onPick: (format: string) => void;
}

/** All formats: first those that fit, then those that do not, with why. */
function Formats({ formats, picked, onPick }: FormatsProps) {
  return (
    <Radio.Group label="Format" value={picked} onChange={onPick}>
      <Stack gap="xs" mt="xs" className={`${classes.formats} scroll-y`}>
        {[...formats].sort(fittingFirst).map(({ format, title, summary, fits, why_not }) => (
          <Radio
            key={format}
            value={format}
            label={title}
            disabled={!fits}
            description={fits ? summary : `Does not fit: ${why_not}`}
          />
        ))}
      </Stack>
    </Radio.Group>
  );
}

interface PreviewProps {
  taskId: number;
  form: ExportFormat;
  version: string | null;
  wishes: ExportWishes;
  /** Whether the service has yet to say what fits what is wished. */
  isAwaited: boolean;
  /** Whether nothing newer is wished, and the service has said that the format fits. */
  isSettled: boolean;
}

/** The files as they would be saved. */
function Preview({ taskId, form, version, wishes, isAwaited, isSettled }: PreviewProps) {
  const shown = useQuery({
    ...exportFilesQuery(taskId, form.format, version, wishes),
    placeholderData: keepPreviousData,
  });
  const files = shown.data?.files ?? [];
  const isBusy = isAwaited || shown.isPlaceholderData;
  const isStale = isBusy || !isSettled;
  const saving = useMutation({
    mutationFn: () => saveDeployment(taskId, form.format, version, wishes, files),
  });
  if (shown.isError) {
    return <ErrorNotice error={shown.error} onRetry={() => void shown.refetch()} />;
  }
  return (
    <Stack gap="sm" aria-busy={isBusy}>
      {shown.isPending && <Skeleton h={260} aria-label="Loading" />}
      {files.map((file) => (
        <TextBlock
          key={file.name}
          text={file.text}
          title={file.name}
          what={file.name}
          className={classes.text}
          isStale={isStale}
        />
      ))}
      {saving.isError && <ErrorNotice error={saving.error} />}
      <Group justify="space-between">
        <Text size="xs" className="quiet">
          Every flag of the launch is in it. Its first lines say what is left for you.
        </Text>
        <Button
          leftSection={<IconDownload size={16} aria-hidden />}
          disabled={files.length === 0 || isStale}
          loading={saving.isPending}
          onClick={() => saving.mutate()}
        >
          {files.length > 1 ? "Download as a zip" : "Download"}
        </Button>
      </Group>
    </Stack>
  );
}
