import { Alert, Button, Checkbox, Group, Radio, Stack, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ApiProblem } from "~/api/problems";
import { createToken, type TokenScope, tokensQuery } from "~/api/system";
import { CommandBlock } from "~/ui/command-block";
import { Dialog } from "~/ui/dialog";
import { ErrorNotice } from "~/ui/error-notice";
import { NumberField } from "~/ui/number-field";
import { RIGHTS, SCOPES } from "./rights";

const DAYS = { above: 0, most: 3_660, isNeeded: true };
const USUAL_DAYS = 90;

/** Makes a token, and shows its secret this once. */
export function NewTokenDialog({ onClose }: { onClose: () => void }) {
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [scope, setScope] = useState<TokenScope>("read");
  const [typed, setTyped] = useState<number | null>(USUAL_DAYS);
  const [isDaysFaulty, setDaysFaulty] = useState(false);
  const [isEndless, setEndless] = useState(false);
  const canMake = name.trim() !== "" && (isEndless || !isDaysFaulty);
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
            It is shown only once: the service keeps no readable copy.
          </Alert>
          <CommandBlock command={making.data.secret} title="Secret" />
          <Group justify="flex-end">
            <Button onClick={onClose}>I have copied it</Button>
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
          if (canMake) making.mutate(isEndless ? null : typed);
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
          <NumberField
            label="Days until it expires"
            value={typed}
            onChange={setTyped}
            rule={DAYS}
            disabled={isEndless}
            error={faultOf("days")}
            onFault={(fault) => setDaysFaulty(fault !== null)}
          />
          <Checkbox
            label="Never expires"
            size="xs"
            checked={isEndless}
            onChange={(event) => setEndless(event.currentTarget.checked)}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={making.isPending} disabled={!canMake}>
              Create token
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
