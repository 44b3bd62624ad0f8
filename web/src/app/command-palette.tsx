import { useDebouncedValue, useHotkeys } from "@mantine/hooks";
import { Spotlight, spotlight } from "@mantine/spotlight";
import { IconSearch } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { flushSync } from "react-dom";
import { readTasks } from "~/api/tasks";
import classes from "./command-palette.module.css";
import { useCommands } from "./commands";
import { type Command, taskCommands, thoseNamed } from "./palette-search";

const FOUND_TASKS = 8;
const TYPING_MS = 150;

/** Opens the palette with its field ready: keys that follow at once are the search's. */
export function openPalette(): void {
  flushSync(spotlight.open);
  document.querySelector<HTMLInputElement>("[data-palette] input")?.focus();
}

/** Everything that can be done or gone to, by a few letters of its name. */
export function CommandPalette() {
  const [text, setText] = useState("");
  const [isOpen, setOpen] = useState(false);
  useHotkeys([
    ["mod + K", openPalette],
    ["/", openPalette],
  ]);
  return (
    <Spotlight.Root
      data-palette
      shortcut={null}
      transitionProps={{ duration: 0 }}
      query={text}
      onQueryChange={setText}
      onSpotlightOpen={() => setOpen(true)}
      onSpotlightClose={() => {
        setOpen(false);
        setText("");
      }}
      scrollable
      maxHeight={420}
    >
      <Spotlight.Search
        classNames={{ input: classes.search }}
        placeholder="Find a task, page or command"
        aria-label="Find a task, a page, or something to do"
        leftSection={<IconSearch size={18} aria-hidden />}
      />
      {isOpen && <Findings text={text} />}
    </Spotlight.Root>
  );
}

function Findings({ text }: { text: string }) {
  const navigate = useNavigate();
  const groups = useCommands().map((group) => ({
    ...group,
    commands: thoseNamed(group.commands, text),
  }));
  const [search] = useDebouncedValue(text.trim(), TYPING_MS);
  const tasks = useQuery({
    queryKey: ["palette", search],
    queryFn: ({ signal }) => readTasks({ search, sort: "-updated_at" }, FOUND_TASKS, null, signal),
    placeholderData: keepPreviousData,
    staleTime: 5_000,
  });
  const open = (id: number) => void navigate({ to: "/tasks/$taskId", params: { taskId: id } });
  const found = taskCommands(tasks.data?.items ?? [], text, open);
  const shown = [...groups, { title: "Tasks", commands: found }].filter(
    ({ commands }) => commands.length > 0,
  );
  return (
    <Spotlight.ActionsList>
      {shown.map(({ title, commands }) => (
        <Spotlight.ActionsGroup key={title} label={title}>
          {commands.map((command) => (
            <Finding key={command.id} command={command} text={text} />
          ))}
        </Spotlight.ActionsGroup>
      ))}
      {shown.length === 0 && (
        <Spotlight.Empty>{tasks.isFetching ? "Searching" : "Nothing of that name"}</Spotlight.Empty>
      )}
    </Spotlight.ActionsList>
  );
}

function Finding({
  command: { label, description, Icon, run },
  text,
}: {
  command: Command;
  text: string;
}) {
  return (
    <Spotlight.Action
      className={classes.found}
      label={label}
      description={description}
      leftSection={<Icon size={18} aria-hidden />}
      onClick={run}
      highlightQuery={text.trim() !== ""}
    />
  );
}
