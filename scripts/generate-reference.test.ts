/** The reference cannot drift: pages are what the generator makes now, each with an example, and every example works. */
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { Runner } from "../conformance/runner.ts";
import { messages } from "../src/compiler/diagnostics.ts";
import type { AttributeShape, ElementShape } from "../src/compiler/policy.ts";
import { catalogue, otherMessages } from "../src/main.ts";
import { mentions, ownExamples, referencePages, writtenPages } from "./generate-reference.ts";

const pages = referencePages();
const written = writtenPages();
const AGAIN = "run `node scripts/generate-reference.ts`";

describe("docs/reference", () => {
  it("has a page for every policy, and none besides", () => {
    expect([...written.keys()].sort(), AGAIN).toEqual([...pages.keys()].sort());
  });

  it.each([...pages])("%s is up to date", (path, text) => {
    expect(written.get(path) === text, `docs/reference/${path} is stale: ${AGAIN}`).toBe(true);
  });

  it.each(catalogue.map(({ element }) => element))("%s has an example", (element) => {
    expect(pages.get(`policies/${element}.md`)).toContain("\n## Example\n");
  });

  it("has every code", () => {
    const codes = [...Object.keys(messages), ...otherMessages.keys()];
    const missing = codes.filter((code) => !pages.get("messages.md")!.includes(`\n## ${code}\n`));
    expect(missing).toEqual([]);
  });
});

test.each(catalogue.map((policy) => [policy.element, policy] as const))(
  "%s says what each attribute is for",
  (element, { shape }) => {
    expect(undocumented(shape, element)).toEqual([]);
  },
);

function undocumented(shape: ElementShape, path: string): string[] {
  const attributes = Object.entries<AttributeShape>(shape.attributes ?? {}).flatMap(([name, { doc }]) =>
    doc === undefined ? [`${path}@${name}`] : [],
  );
  const children = Object.entries(shape.children ?? {}).flatMap(([name, child]) =>
    undocumented(child, `${path}/${name}`),
  );
  return [...attributes, ...children];
}

describe("examples/policies", () => {
  const runner = new Runner();
  beforeAll(() => runner.start());
  afterAll(() => runner.close());
  const examples = ownExamples().map((one) => [`${one.file}: ${one.title}`, one] as const);

  it.each(examples)("%s", async (_name, one) => {
    const element = one.file.replace(/\.txt$/, "");
    expect(catalogue.map((policy) => policy.element)).toContain(element);
    expect(mentions(one, element), `it does not show <${element}>`).toBe(true);
    expect(await runner.run(one)).toEqual([]);
  });
});
