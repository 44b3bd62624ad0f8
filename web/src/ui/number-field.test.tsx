import { MantineProvider } from "@mantine/core";
import { act, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { describe, expect, it, vi } from "vitest";
import { NumberField, type NumberFieldProps } from "./number-field";
import { type NumberRule, typedNumber, typedOrEmpty } from "./typed-number";

describe("a typed number", () => {
  it.each<[string, NumberRule, number]>([
    ["1,024", {}, 1024],
    ["12,345,678.5", {}, 12345678.5],
    ["1e3", { isWhole: true }, 1000],
    [" .5 ", { above: 0 }, 0.5],
    ["+8", { least: 8, most: 8 }, 8],
  ])("%s is taken as it stands", (text, rule, value) => {
    expect(typedNumber(text, rule)).toEqual({ value });
  });

  it.each<[string, NumberRule, string]>([
    ["-5", { above: 0 }, "must be above 0"],
    ["0", { above: 0 }, "must be above 0"],
    ["0", { least: 1 }, "must be at least 1"],
    ["100001", { most: 100_000 }, "must be at most 100,000"],
    ["1.5", { isWhole: true }, "must be a whole number"],
    ["1,5", {}, "'1,5' is not a number"],
    ["5 s", {}, "'5 s' is not a number"],
    ["1e999", {}, "'1e999' is too large"],
  ])("%s is refused, with the reason", (text, rule, fault) => {
    expect(typedNumber(text, rule)).toEqual({ fault });
  });

  it("may be left out where nothing needs it", () => {
    expect(typedOrEmpty(" ", {})).toEqual({ value: null });
    expect(typedOrEmpty("", { isNeeded: true })).toEqual({ fault: "required" });
  });
});

interface HeldProps {
  first: number | null;
  more: Partial<NumberFieldProps>;
  onChange: (value: number | null) => void;
  onFault: (fault: string | null) => void;
}

function Held({ first, more, onChange, onFault }: HeldProps) {
  const [value, setValue] = useState(first);
  return (
    <MantineProvider env="test">
      <NumberField
        label="Limit"
        unit="ms"
        rule={{ above: 0 }}
        onFault={onFault}
        {...more}
        value={value}
        onChange={(next) => {
          onChange(next);
          setValue(next);
        }}
      />
      <button type="button" onClick={() => setValue(70)}>
        Other
      </button>
    </MantineProvider>
  );
}

describe("a field of a number", () => {
  function open(first: number | null, more: Partial<NumberFieldProps> = {}) {
    const onChange = vi.fn();
    const onFault = vi.fn();
    const { unmount } = render(
      <Held first={first} more={more} onChange={onChange} onFault={onFault} />,
    );
    return { field: screen.getByLabelText("Limit"), onChange, onFault, unmount };
  }

  it.each(["-5", "0", "5e", "1,5", "no"])(
    "keeps %s as it was typed, beside the reason",
    async (text) => {
      const { field, onChange, onFault } = open(null);
      await userEvent.click(field);
      await userEvent.paste(text);
      await userEvent.tab();
      expect(field).toHaveValue(text);
      expect(field).toBeInvalid();
      expect(onChange).not.toHaveBeenCalled();
      expect(onFault).toHaveBeenLastCalledWith(expect.stringMatching(/./));
    },
  );

  it("takes a number with separators and its unit, and shows it plainly once left", async () => {
    const { field, onChange } = open(1000);
    expect(field).toHaveValue("1000");
    expect(field).toHaveAccessibleDescription("ms");
    await userEvent.clear(field);
    await userEvent.paste("2,500 ms");
    await userEvent.tab();
    expect(onChange).toHaveBeenLastCalledWith(2500);
    expect(field).toHaveValue("2500");
  });

  it("gives up what is wrong for another value, and its fault with it", async () => {
    const { field, onFault } = open(50);
    await userEvent.clear(field);
    await userEvent.type(field, "-5");
    await userEvent.click(screen.getByRole("button", { name: "Other" }));
    expect(field).toHaveValue("70");
    expect(onFault).toHaveBeenLastCalledWith(null);
  });

  it("takes its fault along when it goes", async () => {
    const { field, onFault, unmount } = open(50);
    await userEvent.type(field, "x");
    expect(onFault).not.toHaveBeenLastCalledWith(null);
    unmount();
    expect(onFault).toHaveBeenLastCalledWith(null);
  });

  it("is stepped by arrows, and not below what it may hold", async () => {
    const { field } = open(20, { step: 10 });
    await userEvent.type(field, "{ArrowUp}{ArrowDown}{ArrowDown}{ArrowDown}");
    expect(field).toHaveValue("10");
  });

  it("is stepped by one where it holds whole numbers and nothing else is given", async () => {
    const { field, onChange } = open(1, { rule: { least: 1, isWhole: true }, isTakenOnBlur: true });
    await userEvent.type(field, "{ArrowUp}{ArrowUp}{ArrowDown}");
    expect(field).toHaveValue("2");
    await userEvent.tab();
    expect(onChange.mock.calls).toEqual([[2]]);
  });

  it("says what is wrong once it is left, and no longer than until it is mended", async () => {
    const { field, onFault } = open(null);
    await userEvent.type(field, "1,");
    expect(field).toBeValid();
    expect(onFault).toHaveBeenLastCalledWith(expect.stringMatching(/./));
    await userEvent.tab();
    expect(field).toBeInvalid();
    await userEvent.type(field, "0");
    expect(field).toBeInvalid();
    await userEvent.type(field, "24");
    expect(field).toBeValid();
    expect(field).toHaveValue("1,024");
  });

  it("stays empty while another is typed, whatever is suggested for what is left open", async () => {
    const onChange = vi.fn();
    const { rerender } = render(suggested(4));
    const field = screen.getByLabelText("GPUs");
    await userEvent.clear(field);
    expect(onChange).toHaveBeenLastCalledWith(null);
    rerender(suggested(8));
    expect(field).toHaveValue("");
    await userEvent.type(field, "2");
    expect(onChange).toHaveBeenLastCalledWith(2);
    await userEvent.clear(field);
    await userEvent.tab();
    expect(field).toHaveValue("8");

    function suggested(value: number) {
      return (
        <MantineProvider env="test">
          <NumberField
            label="GPUs"
            rule={{ least: 1, isWhole: true }}
            value={value}
            onChange={onChange}
          />
        </MantineProvider>
      );
    }
  });

  it("may wait until it is left", async () => {
    const { field, onChange } = open(null, { isTakenOnBlur: true });
    await userEvent.type(field, "25");
    expect(onChange).not.toHaveBeenCalled();
    await userEvent.tab();
    expect(onChange.mock.calls).toEqual([[25]]);
  });
});

it("a field's text is the same when it is entered, and what is selected is replaced", async () => {
  const onChange = vi.fn();
  render(
    <MantineProvider>
      <NumberField label="Tokens in" value={1024} onChange={onChange} rule={{ isWhole: true }} />
    </MantineProvider>,
  );
  const field = screen.getByRole<HTMLInputElement>("textbox", { name: "Tokens in" });
  const texts = [field.value];
  act(() => field.focus());
  texts.push(field.value);
  expect(texts).toEqual(["1024", "1024"]);
  act(() => field.setSelectionRange(1, 3));
  await userEvent.keyboard("6");
  expect(field).toHaveValue("164");
  act(() => field.select());
  await userEvent.keyboard("16");
  expect(field).toHaveValue("16");
  expect(onChange).toHaveBeenLastCalledWith(16);
});
