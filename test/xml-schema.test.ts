/** validate-content with an XML Schema that is a file of the configuration; a reload brings the new one. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestGateway, api, policy, testGateway } from "./gateway.ts";
import { type StandIn, standIn } from "./stand-in.ts";

let upstream: StandIn;
let gateway: TestGateway;

const schema = (most: number): string =>
  JSON.stringify({
    properties: {
      schemaType: "xml",
      value: `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="n"><xs:simpleType><xs:restriction base="xs:int"><xs:maxInclusive value="${most}"/></xs:restriction></xs:simpleType></xs:element></xs:schema>`,
    },
  });

beforeAll(async () => {
  upstream = await standIn("upstream");
  gateway = await testGateway({
    ...api("a", upstream.url, ["POST /x"], {
      policy: policy({
        inbound: `<validate-content unspecified-content-type-action="prevent" max-size="102400" size-exceeded-action="prevent" errors-variable-name="found"><content type="text/xml" validate-as="xml" schema-id="Small" action="prevent" /></validate-content>`,
        onError: `<set-header name="x-found" exists-action="override"><value>@(((JArray)context.Variables["found"]).Count.ToString())</value></set-header>`,
      }),
    }),
    "schemas/small/schemaInformation.json": schema(5),
  });
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});

async function post(body: string): Promise<string> {
  const answer = await fetch(`${gateway.url}/a/x`, {
    method: "POST",
    headers: { "content-type": "text/xml" },
    body,
  });
  return `${answer.status} ${await answer.text()}`;
}

test("what conforms reaches the backend whole; what does not is answered with its line", async () => {
  expect(await post("<n>5</n>")).toBe("200 fine <n>5</n>");
  const refused = await post("\n<n>6</n>");
  expect(refused).toMatch(/^400 /);
  expect(refused).toContain("The value '6' is greater than the maximum value allowed ('5'). Line: 2");
  gateway.write("schemas/small/schemaInformation.json", schema(6));
  expect(await gateway.reload()).toEqual([]);
  expect(await post("<n>6</n>")).toBe("200 fine <n>6</n>");
});
