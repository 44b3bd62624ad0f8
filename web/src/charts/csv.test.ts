import { expect, it } from "vitest";
import { csv } from "./csv";

it("quotes what needs it and leaves absent values empty", () => {
  expect(
    csv(
      ["a", "b"],
      [
        ["x, y", null],
        ['say "hi"', 1.5],
      ],
    ),
  ).toBe('a,b\r\n"x, y",\r\n"say ""hi""",1.5\r\n');
});

it("keeps spreadsheets from running text of users", () => {
  expect(csv(["name"], [["=HYPERLINK(1)"], ["-1"], [-1]])).toBe(
    "name\r\n'=HYPERLINK(1)\r\n'-1\r\n-1\r\n",
  );
});
