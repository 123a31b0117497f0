import { expect, test } from "vitest";
import type { Clock } from "../../base/clock.ts";
import { systemClock } from "../../base/system-clock.ts";
import { FakeClock } from "../../gateway/testing.ts";
import type { StoredSchema } from "../../gateway/snapshot.ts";
import { MOST_XML_CHARACTERS, checkXmlSchema } from "./xml-schema.ts";

const clock: Clock = new FakeClock();

const schema = (inner: string, target = "urn:a"): string =>
  `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:a="urn:a" xmlns:b="urn:b" targetNamespace="${target}" elementFormDefault="qualified">\n${inner}</xs:schema>`;
const stored = (texts: Readonly<Record<string, string>>): ReadonlyMap<string, StoredSchema> =>
  new Map(Object.entries(texts).map(([name, xml]) => [name, { type: "xml", document: null, xml }]));

const STORED = stored({
  a: schema(
    `<xs:import namespace="urn:b" schemaLocation="/schemas/B"/><xs:include schemaLocation="more.xsd"/>
     <xs:element name="root"><xs:complexType><xs:sequence>
       <xs:element name="n" type="a:small" maxOccurs="unbounded"/><xs:element ref="b:other" minOccurs="0"/>
     </xs:sequence><xs:attribute name="id" type="xs:ID"/></xs:complexType></xs:element>`,
  ),
  more: schema(
    `<xs:simpleType name="small"><xs:restriction base="xs:int"><xs:maxInclusive value="9"/></xs:restriction></xs:simpleType>`,
  ),
  b: schema(`<xs:element name="other" type="xs:date"/>`, "urn:b"),
  "passwd-reader": schema(
    `<xs:include schemaLocation="file:///etc/passwd"/><xs:import namespace="urn:x" schemaLocation="http://127.0.0.1:9/x.xsd"/>
     <xs:element name="root" type="a:nowhere"/>`,
  ),
  doctype: `<!DOCTYPE xs:schema [<!ENTITY x SYSTEM "file:///etc/hostname">]>${schema('<xs:element name="root"/>')}`,
  text: "no XML at all",
  open: schema(`<xs:element name="root"/>`),
});

async function verdict(text: string, name = "a", isSoap = false): Promise<string> {
  const found = await checkXmlSchema({ name, stored: STORED }, text, isSoap, clock);
  if (found.kind === "valid") return "valid";
  return found.kind === "schema" ? `schema: ${found.cause}` : `${found.line}: ${found.error}`;
}

test.each<[string, string, string]>([
  ["conforms", '<root xmlns="urn:a"><n>1</n></root>', "valid"],
  [
    "with what is imported",
    '<root xmlns="urn:a"><n>1</n><other xmlns="urn:b">2026-11-23</other></root>',
    "valid",
  ],
  [
    "wrong in what is included",
    '<root xmlns="urn:a">\n\n<n>10</n></root>',
    "3: Element '{urn:a}n': [facet 'maxInclusive'] The value '10' is greater than the maximum value allowed ('9').",
  ],
  [
    "wrong in what is imported",
    '<root xmlns="urn:a"><n>1</n>\n<other xmlns="urn:b">soon</other></root>',
    "2: Element '{urn:b}other': 'soon' is not a valid value of the atomic type 'xs:date'.",
  ],
  [
    "an element that has no place",
    '<root xmlns="urn:a"><m/></root>',
    "1: Element '{urn:a}m': This element is not expected. Expected is ( {urn:a}n ).",
  ],
  [
    "a root that is not declared",
    "<root/>",
    "1: Element 'root': No matching global declaration available for the validation root.",
  ],
  [
    "what follows 65,535 lines",
    `<root xmlns="urn:a">${"<n>1</n>\n".repeat(70_000)}<m/></root>`,
    "70001: Element '{urn:a}m': This element is not expected. Expected is one of ( {urn:a}n, {urn:b}other ).",
  ],
  ["not well-formed", '<root xmlns="urn:a">', "1: Unclosed tag: root."],
  [
    "a document type",
    '<!DOCTYPE root [<!ENTITY x "y">]><root xmlns="urn:a"><n>&x;</n></root>',
    "1: A document type declaration is not allowed.",
  ],
])("a document: %s", async (_name, text, expected) => {
  expect(await verdict(text)).toBe(expected);
});

test("what a document says of schemas is not asked for", async () => {
  const hinted = `<root xmlns="urn:a" xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:schemaLocation="urn:c /schemas/b urn:d file:///etc/passwd urn:e http://127.0.0.1:9/"><n>1</n></root>`;
  expect(await verdict(hinted)).toBe("valid");
});

test.each<[string, RegExp]>([
  ["passwd-reader", /^schema: .*(?:passwd|nowhere)/],
  ["text", /^schema: .*Start tag expected/],
  ["none", /^schema: There is no such schema/],
])("a schema that cannot be used: %s", async (name, expected) => {
  expect(await verdict('<root xmlns="urn:a"/>', name)).toMatch(expected);
});

test("entities of a schema are not loaded", async () => {
  expect(await verdict('<root xmlns="urn:a"/>', "doctype")).toMatch(/^valid$|^schema/);
});

test("many at once, of several configurations, each get their own answer", async () => {
  const sets = [1, 2, 3, 4].map((most) =>
    stored({
      n: schema(
        `<xs:element name="n"><xs:simpleType><xs:restriction base="xs:int"><xs:maxInclusive value="${most}"/></xs:restriction></xs:simpleType></xs:element>`,
      ),
    }),
  );
  const asked = Array.from({ length: 100 }, async (_, i) => {
    const { kind } = await checkXmlSchema(
      { name: "n", stored: sets[i % 4]! },
      `<n xmlns="urn:a">${i % 7}</n>`,
      false,
      clock,
    );
    expect([i, kind]).toEqual([i, i % 7 <= (i % 4) + 1 ? "valid" : "invalid"]);
  });
  await Promise.all(asked);
});

test("too long, and too many", async () => {
  const ask = (text: string): Promise<unknown> =>
    checkXmlSchema({ name: "open", stored: STORED }, text, false, clock);
  await expect(ask(" ".repeat(MOST_XML_CHARACTERS + 1))).rejects.toThrow("The document is longer than");
  const all = await Promise.allSettled(Array.from({ length: 300 }, () => ask('<root xmlns="urn:a"/>')));
  expect(all.filter(({ status }) => status === "fulfilled").length).toBe(257);
  expect(String((all.at(-1) as PromiseRejectedResult).reason)).toContain("Too many documents wait");
});

test("what takes too long ends with its thread; the next gets another", async () => {
  const hard = stored({
    hard: schema(
      `<xs:element name="n"><xs:simpleType><xs:restriction base="xs:string"><xs:pattern value="((a?){30}){30}b|(a|aa|a*)*c"/></xs:restriction></xs:simpleType></xs:element>`,
    ),
  });
  const own = new FakeClock();
  const asked = checkXmlSchema(
    { name: "hard", stored: hard },
    `<n xmlns="urn:a">${"a".repeat(399_979)}</n>`,
    false,
    own,
  );
  const outcome = asked.then(
    ({ kind }) => kind,
    (error: Error) => error.message,
  );
  // Time only passes for the document once its schema has been compiled.
  await expect.poll(() => own.waits[0], { timeout: 10_000 }).toBe(1400);
  own.advance(1400);
  expect(await outcome).toBe("It took longer than 1400 ms.");
  expect(await verdict('<root xmlns="urn:a"><n>1</n></root>')).toBe("valid");
});

test("the event loop stays free while a long document is validated", async () => {
  const real = systemClock(Date.now, () => performance.now());
  const text = `<root xmlns="urn:a">${"<n>1</n>".repeat(100_000)}</root>`;
  let over = false;
  const asked = checkXmlSchema({ name: "a", stored: STORED }, text, false, {
    ...real,
    after: () => () => {},
  } as Clock).finally(() => (over = true));
  let turns = 0;
  while (!over) {
    turns++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect((await asked).kind).toBe("valid");
  expect(turns).toBeGreaterThan(10);
});
