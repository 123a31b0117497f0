import { expect, test } from "vitest";
import { checkToken, issueToken } from "./token.ts";

const KEY = Buffer.from("a key for this test");
const NOW = 1_700_000_000_000;
const HOUR = 3_600_000;

test.each<[string, string | null, number, string | null, number, string]>([
  // for, lifetime, matched API, after, verdict
  ["its own API", "echo", HOUR, "echo", 0, "valid"],
  ["the name in another case", "Echo", HOUR, "eCHO", 0, "valid"],
  ["any API", null, HOUR, "echo", 0, "valid"],
  ["no API matched", null, HOUR, null, 0, "valid"],
  ["another API", "echo", HOUR, "other", 0, "wrong-api"],
  ["bound, and no API matched", "echo", HOUR, null, 0, "wrong-api"],
  ["its last moment", "echo", 1_000, "echo", 999, "valid"],
  ["over", "echo", 1_000, "echo", 1_000, "expired"],
  ["an hour at most", "echo", 10 * HOUR, "echo", HOUR, "expired"],
])("%s", (_name, bound, lifetimeMs, api, afterMs, kind) => {
  expect(checkToken(KEY, issueToken(KEY, bound, NOW, lifetimeMs), api, NOW + afterMs).kind).toBe(kind);
});

test.each(["", ".", "a.b", "e30.AAAA", `${"x".repeat(2_000)}.y`, "\u0000.\u0000"])(
  "%j is no token",
  (text) => {
    expect(checkToken(KEY, text, "echo", NOW)).toEqual({ kind: "invalid" });
  },
);

test("a token with one bit changed, or of another key, is none", () => {
  const token = issueToken(KEY, "echo", NOW, HOUR);
  for (let i = 0; i < token.length; i++) {
    const changed = token.slice(0, i) + (token[i] === "A" ? "B" : "A") + token.slice(i + 1);
    const verdict = checkToken(KEY, changed, "echo", NOW);
    // The last character of base64url may carry bits that mean nothing.
    if (i < token.length - 1) expect(verdict).toEqual({ kind: "invalid" });
  }
  expect(checkToken(Buffer.from("another"), token, "echo", NOW)).toEqual({ kind: "invalid" });
});
