/** Whatever a caller sends: nothing on the way to the plan throws, hangs or lets a dot segment through. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { route } from "./router.ts";
import { compileTemplate } from "./template.ts";
import { apiOf, exchangeOf, snapshotOf } from "./testing.ts";
import { decodeOnce, parseQuery, parseTarget, splitTarget } from "./url.ts";

const piece = fc.constantFrom(
  "/",
  "//",
  ".",
  "..",
  "%2e",
  "%2E%2e",
  "%2F",
  "%5c",
  "%",
  "%zz",
  "\\",
  ";rev=2",
  ";rev=",
  "a",
  "v1",
  "x",
  "?",
  "&",
  "=",
  "{",
  "}",
  "é",
  "\0",
  "%00",
  "%C3%A9",
  "%ff",
  "*",
);
const target = fc.array(piece, { maxLength: 30 }).map((parts) => `/${parts.join("")}`);

test("a path that is let through has no dot segment, raw or decoded, and no control character", () => {
  fc.assert(
    fc.property(target, (text) => {
      const split = splitTarget(text);
      if (split === null) return;
      for (const segment of split.path.split("/")) {
        const decoded = decodeOnce(segment);
        expect(decoded).not.toBeNull();
        for (const part of decoded!.split(/[/\\]/)) expect(part === "." || part === "..").toBe(false);
        expect(/[\0-\x1f\x7f\\]/.test(decoded!)).toBe(false);
      }
      // Once resolved it stays as it is.
      expect(splitTarget(split.path)?.path).toBe(split.path);
    }),
    { numRuns: 2000 },
  );
});

const versionSet = { id: "s", scheme: "Segment" as const, parameter: "" };
const snapshot = snapshotOf({
  apis: [
    apiOf({ path: "", operations: ["GET /a/{x}", "GET /{*all}"] }),
    apiOf({ path: "a", operations: ["GET /x({y})", "GET /{p}.{q}", "GET /x?v={v}"] }),
    apiOf({ id: "a2", path: "a", revision: "2", isCurrentRevision: false, operations: ["GET /*"] }),
    apiOf({ id: "v", path: "a/x", version: "v1", versionSet, operations: ["GET /{any}"] }),
  ],
});

test("routing never throws, and what it found fits the request", () => {
  fc.assert(
    fc.property(target, (text) => {
      const exchange = exchangeOf({ target: text }, snapshot);
      const match = route(snapshot, exchange);
      if (match.kind === "none") return;
      expect(exchange.request.path.endsWith(match.remainder)).toBe(true);
      expect([...match.parameters.keys()]).toEqual([...match.rawParameters.keys()]);
    }),
    { numRuns: 2000 },
  );
});

test("templates, base URLs and queries of any shape are read or refused", () => {
  const text = fc
    .array(fc.oneof(piece, fc.constantFrom("http://", "[::1]", ":", "@", "#", "{a}", "{*b}", "(", ")")), {
      maxLength: 20,
    })
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(text, text, (one, other) => {
      const matcher = compileTemplate(one);
      parseTarget(one);
      const query = parseQuery(other);
      if (typeof matcher === "string") return;
      const raw = other.split("/");
      matcher.match({ raw, decoded: raw.map((segment) => decodeOnce(segment) ?? segment) }, query);
    }),
    { numRuns: 2000 },
  );
});
