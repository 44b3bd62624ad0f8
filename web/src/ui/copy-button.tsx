import { ActionIcon, Button, CopyButton as MantineCopy, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";

interface CopyButtonProps {
  text: string;
  /** What is copied, for those who cannot see it: "command". */
  what: string;
  /** A button with words in place of a sign alone. */
  label?: string;
  disabled?: boolean;
}

export function CopyButton({ text, what, label, disabled = false }: CopyButtonProps) {
  return (
    <MantineCopy value={text} timeout={1800}>
      {({ copied, copy }) => {
        const Icon = copied ? IconCheck : IconCopy;
        if (label) {
          return (
            <Button
              size="xs"
              variant="default"
              leftSection={<Icon size={14} aria-hidden />}
              disabled={disabled}
              onClick={copy}
            >
              {copied ? "Copied" : label}
            </Button>
          );
        }
        return (
          <Tooltip label={copied ? "Copied" : `Copy ${what}`}>
            <ActionIcon
              variant="subtle"
              disabled={disabled}
              onClick={copy}
              aria-label={copied ? "Copied" : `Copy ${what}`}
            >
              <Icon size={16} aria-hidden />
            </ActionIcon>
          </Tooltip>
        );
      }}
    </MantineCopy>
  );
}
