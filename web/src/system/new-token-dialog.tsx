import {
  Alert,
  Button,
  Checkbox,
  Group,
  NumberInput,
  Radio,
  Stack,
  TextInput,
} from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ApiProblem } from "~/api/problems";
import { createToken, type TokenScope, tokensQuery } from "~/api/system";
import { CommandBlock } from "~/ui/command-block";
import { Dialog } from "~/ui/dialog";
import { ErrorNotice } from "~/ui/error-notice";
import { RIGHTS, SCOPES } from "./rights";

const MOST_DAYS = 3_660;
const USUAL_DAYS = 90;

/** Makes a token, and shows its secret this once. */
export function NewTokenDialog({ onClose }: { onClose: () => void }) {
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [scope, setScope] = useState<TokenScope>("read");
  // What is typed is text until it is a number.
  const [typed, setTyped] = useState<number | string>(USUAL_DAYS);
  const [isEndless, setEndless] = useState(false);
  const days = isEndless ? null : daysOf(typed);
  const making = useMutation({
    mutationFn: (lasts: number | null) => createToken({ name: name.trim(), scope, days: lasts }),
    onSuccess: () => queries.invalidateQueries({ queryKey: tokensQuery.queryKey }),
    // The secret goes with the dialog.
    gcTime: 0,
  });
  const faults = making.error instanceof ApiProblem ? making.error.faults : [];
  const faultOf = (path: string) => faults.find((fault) => fault.path === path)?.message;
  if (making.data) {
    return (
      <Dialog
        onClose={onClose}
        title={`Token ${making.data.name}`}
        closeOnClickOutside={false}
        closeOnEscape={false}
      >
        <Stack gap="sm">
          <Alert color="yellow" title="Copy it now">
            It is shown this once. The service keeps no copy that could be read.
          </Alert>
          <CommandBlock command={making.data.secret} title="Secret" />
          <Group justify="flex-end">
            <Button onClick={onClose}>I have it</Button>
          </Group>
        </Stack>
      </Dialog>
    );
  }
  return (
    <Dialog onClose={onClose} title="New token">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (days !== undefined && name.trim() !== "") making.mutate(days);
        }}
      >
        <Stack gap="sm">
          {making.isError && faults.length === 0 && <ErrorNotice error={making.error} />}
          <TextInput
            label="Name"
            description="Who or what uses it"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            error={faultOf("name")}
            maxLength={100}
            data-autofocus
          />
          <Radio.Group
            label="Rights"
            value={scope}
            onChange={(value) => setScope(value as TokenScope)}
            error={faultOf("scope")}
          >
            <Stack gap={6} mt={4}>
              {SCOPES.map((each) => (
                <Radio
                  key={each}
                  value={each}
                  label={RIGHTS[each].title}
                  description={RIGHTS[each].text}
                  size="xs"
                />
              ))}
            </Stack>
          </Radio.Group>
          <NumberInput
            label="Days until it expires"
            value={typed}
            onChange={setTyped}
            min={1}
            max={MOST_DAYS}
            allowNegative={false}
            disabled={isEndless}
            error={faultOf("days") ?? (days === undefined && `Give 1 to ${MOST_DAYS} days`)}
            hideControls
          />
          <Checkbox
            label="It never expires"
            size="xs"
            checked={isEndless}
            onChange={(event) => setEndless(event.currentTarget.checked)}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button
              type="submit"
              loading={making.isPending}
              disabled={name.trim() === "" || days === undefined}
            >
              Make it
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}

/** The days typed; undefined where that is no number of days yet. */
function daysOf(typed: number | string): number | undefined {
  const days = typed === "" ? Number.NaN : Number(typed);
  return Number.isFinite(days) && days > 0 && days <= MOST_DAYS ? days : undefined;
}
