import { expect, test } from "vitest";
import { exchangeOf, mistakesOf, policyStep } from "../../gateway/testing.ts";
import { ResponseMessage } from "../../gateway/message.ts";
import { crossDomain } from "./policy.ts";

function run(text: string, method = "GET", target = "/crossdomain.xml"): string {
  const outcome = policyStep(crossDomain, { text }).run(exchangeOf({ method, target }), null);
  if (!(outcome instanceof ResponseMessage)) return "goes on";
  return `${outcome.headers.get("content-type")} ${Buffer.from(outcome.body!.bytes()).toString().split("\n").slice(1).join("\n")}`;
}

const RULE = '<allow-access-from domain="*" />';
const FILE = `text/x-cross-domain-policy <cross-domain-policy>${RULE}</cross-domain-policy>`;

test.each<[string, [string, string?, string?], string]>([
  ["a whole document", [`<cross-domain-policy>${RULE}</cross-domain-policy>`], FILE],
  ["its inside", [`\n${RULE}\n`], FILE],
  ["nothing", [""], "text/x-cross-domain-policy <cross-domain-policy></cross-domain-policy>"],
  ["its path has no case", [RULE, "GET", "/CrossDomain.xml"], FILE],
  ["another path", [RULE, "GET", "/api/x"], "goes on"],
  ["another method", [RULE, "POST"], "goes on"],
])("cross-domain: %s", (_name, args, expected) => {
  expect(run(...args)).toBe(expected);
});

test("a file that is not well-formed is refused when the document is saved", () => {
  expect(mistakesOf(crossDomain, { text: "<a>" })).toEqual([
    "the policy file is not well-formed: Unexpected close tag.",
  ]);
  expect(mistakesOf(crossDomain, { text: RULE })).toEqual([]);
});
