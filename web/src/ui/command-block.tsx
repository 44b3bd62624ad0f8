import { Alert, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import classes from "./command-block.module.css";
import { TextBlock } from "./text-block";

interface CommandBlockProps {
  command: string;
  title?: string;
  /** Why the command does not serve what was measured. */
  unserved?: string | null;
  /** A request that tries the engine once the command serves. */
  sampleRequest?: string | null;
}

/** A command to copy, below a warning where it does not serve what was measured, with a request to try it. */
export function CommandBlock(props: CommandBlockProps) {
  const { command, title = "Command", unserved = null, sampleRequest = null } = props;
  return (
    <Stack gap="xs">
      {unserved !== null && (
        <Alert
          color="yellow"
          variant="light"
          icon={<IconAlertTriangle aria-hidden />}
          title="This does not serve what was measured"
        >
          <span className="text-of-users">{unserved}</span>
        </Alert>
      )}
      <ShellText text={command} title={title} what="command" />
      {sampleRequest !== null && (
        <>
          <ShellText text={sampleRequest} title="Sample request" what="sample request" />
          <Text size="xs" className="quiet">
            Until the model is loaded, the engine answers 503 or refuses the connection.
          </Text>
        </>
      )}
    </Stack>
  );
}

/** A line as it is run, with a button that copies it whole. */
function ShellText({ text, title, what }: { text: string; title: string; what: string }) {
  return (
    <TextBlock text={text} title={title} what={what} className={`${classes.text} scroll-y`}>
      {text.split(/(\s+)/).map((word, place) =>
        place % 2 === 1 ? (
          word
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: words of a text have nothing but their place.
          <span key={place} className={classes.word}>
            {word}
          </span>
        ),
      )}
    </TextBlock>
  );
}
