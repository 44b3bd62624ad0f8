import { Text } from "@mantine/core";
import { asSentence } from "~/ui/sentence";
import { WithCode } from "~/ui/with-code";

/** Why a daemon or a cluster does not say what it has, and what to do; nothing where it does. */
export function WhyNot({ problem, remedy }: { problem: string; remedy: string }) {
  if (problem === "") return null;
  return (
    <Text size="sm" className="quiet">
      {asSentence(problem)}
      <br />
      Remedy: <WithCode text={remedy} />
    </Text>
  );
}
