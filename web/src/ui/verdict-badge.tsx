import { Badge } from "@mantine/core";
import { IconCheck, IconQuestionMark, IconX } from "@tabler/icons-react";

export type Verdict = "meets" | "unclear" | "misses";

const LOOKS: Record<Verdict, { label: string; color: string; Icon: typeof IconCheck }> = {
  meets: { label: "Meets", color: "green", Icon: IconCheck },
  unclear: { label: "Unclear", color: "yellow", Icon: IconQuestionMark },
  misses: { label: "Misses", color: "red", Icon: IconX },
};

/** How a figure stands to its limit: word, sign and colour. */
export function VerdictBadge({ verdict }: { verdict: Verdict }) {
  const { label, color, Icon } = LOOKS[verdict];
  return (
    <Badge
      color={color}
      variant="light"
      autoContrast
      size="sm"
      tt="none"
      fw={550}
      leftSection={<Icon size={11} aria-hidden />}
    >
      {label}
    </Badge>
  );
}
