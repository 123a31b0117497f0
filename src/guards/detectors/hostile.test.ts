/** Every detector on texts made to be slow: four times the text may take about four times as long, and no more. */
import { expect, test } from "vitest";
import { createBlocklist, notLinear } from "../built-in/blocklists.ts";
import { HARM_CATEGORIES, harmSeverities } from "./categories.ts";
import { fold } from "./fold.ts";
import { scoreInjection } from "./injection.ts";
import { PERSONAL_KINDS, findPersonalData } from "./personal-data.ts";
import { findSecrets } from "./secrets.ts";

const SEEDS =
  "a|1|a.|@|a@|a@a.|1 |1-1|0/|+1 |A1|1.|12 Ab |Ab |born |tel |:a:|passport |BG12 |\" |'|ignore |ignore all the |you are |![|![a](http://a?|%41|49 |send |eyJaaaaaaaaaaaaaa.|://a:|secret |aws secret |api_key=|<!-- |reveal your |two responses |password = |i |xox|sk-proj-|ai |don't tell |kill |how to kill |i will kill |all the |black people are |sex |naked |children |my wrists |é|\u0301|\u200b|о|=|/|_|(|[|{|<".split(
    "|",
  );
const blocklist = createBlocklist("x", ["a b", "/a{0,15}b{0,15}c/", "kill all"]);

const DETECTORS: readonly (readonly [string, (text: string) => unknown])[] = [
  ["personal data", (text) => findPersonalData(text, PERSONAL_KINDS)],
  ["secrets", findSecrets],
  ["injection", (text) => scoreInjection(text, true)],
  ["harm", (text) => harmSeverities(text, HARM_CATEGORIES)],
  ["blocklists", (text) => blocklist.match(text, fold(text, true).text)],
];

/** Milliseconds of this thread's own; the least of three. */
function costOf(run: () => unknown): number {
  let least = Infinity;
  for (let i = 0; i < 3; i++) {
    const before = process.threadCpuUsage();
    run();
    const { user, system } = process.threadCpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

test.each(DETECTORS)("%s are linear whatever the text", (_, detect) => {
  for (const seed of SEEDS) {
    const text = (length: number): string => seed.repeat(Math.ceil(length / seed.length));
    detect(text(4000));
    const small = costOf(() => detect(text(8000)));
    const large = costOf(() => detect(text(32_000)));
    // Quadratic would be 16 times; what takes no time at all says nothing.
    if (large > Math.max(60, small * 12))
      expect.fail(`${JSON.stringify(seed)}: ${small} ms, then ${large} ms`);
  }
});

test.each([
  ["ab[0-9]{3}", null],
  ["foo|bar|baz", null],
  ["\\d{1,16} \\w{1,16}", null],
  ["[+*]x", null],
  ["\\p{Lu}{3}", null],
  ["a+", "repetitions need a bound"],
  ["a{3,}", "repetitions need a bound"],
  ["(a|b){3}", "a group must not be repeated"],
  ["(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)", "too many ways"],
  ["a?".repeat(12), "too many ways"],
  ["a{0,101}", "a repetition of more than 100"],
  ["(a)\\1", "back-references"],
])("a pattern of a blocklist: %s", (source, wrong) => {
  if (wrong === null) expect(notLinear(source)).toBeNull();
  else expect(notLinear(source)).toContain(wrong);
});
