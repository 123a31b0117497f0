import { expect, test } from "vitest";
import { brokenAfter, carriageReturned, paced, pinged, sliced, toBytes, type Step } from "./steps.ts";

const wait = { waitMs: 5 };
const reset = { end: "reset" } as const;

test.each<[name: string, steps: Iterable<Step>, expected: Step[]]>([
  ["paced", paced(["a", "b", "c"], 5), ["a", wait, "b", wait, "c"]],
  ["broken after 0", brokenAfter(["a", "b"], 0, reset), [reset]],
  ["broken after 1", brokenAfter(["a", "b"], 1, reset), ["a", reset]],
  ["broken after more than there is", brokenAfter(["a", "b"], 9, reset), ["a", "b", reset]],
  ["waits are no chunks", brokenAfter([wait, "a", "b"], 1, "x"), [wait, "a", "x"]],
  ["goes on otherwise", brokenAfter(["a", "b"], 1, ["x", "y"]), ["a", "x", "y"]],
  ["pinged", pinged(["a", "b", "c"], 2), [": ping\n\n", "a", "b", ": ping\n\n", "c"]],
  ["carriage returns", carriageReturned(["a\n\n", wait]), ["a\r\n\r\n", wait]],
])("%s", (_, steps, expected) => {
  expect([...steps]).toEqual(expected);
});

test.each([1, 2, 3, 5, 7, 100])("slices of %i bytes", (size) => {
  const steps = [...sliced(["häß", "lich", "", "x"], size)] as Uint8Array[];
  expect(Buffer.concat(steps).toString()).toBe("häßlichx");
  expect(steps.slice(0, -1).every((step) => step.length === size)).toBe(true);
  expect(toBytes("häßlichx").length).toBe(10);
});

test("an endless list is read no further than needed", () => {
  let made = 0;
  function* endless(): Generator<Step> {
    for (;;) yield String(made++);
  }
  expect([...brokenAfter(endless(), 3, reset)]).toEqual(["0", "1", "2", reset]);
  expect(made).toBe(3);
});
