import { renderToStaticMarkup } from "react-dom/server";
import { expect, it } from "vitest";
import { WithCode } from "./with-code";

const shown = (text: string) => renderToStaticMarkup(<WithCode text={text} />);

it("shows names between backticks as code", () => {
  expect(shown("`auto`, or a list of `bf16`")).toBe(
    "<code>auto</code>, or a list of <code>bf16</code>",
  );
});

it("leaves a backtick alone, and what looks like a tag, as they are", () => {
  expect(shown("a ` and <b>")).toBe("a ` and &lt;b&gt;");
});
