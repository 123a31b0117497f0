import { expect, test } from "vitest";
import { exchangeOf, policyStep, servicesOf, snapshotOf } from "../../gateway/testing.ts";
import { Measures } from "../../telemetry/metrics/measures.ts";
import { prometheusText } from "../../telemetry/metrics/prometheus.ts";
import { Metrics } from "../../telemetry/metrics/registry.ts";
import { emitMetric } from "./policy.ts";

type Dimension = readonly [name: string, value?: string];

/** What a scrape says after the policy has run once per value. */
function scrape(
  attributes: Record<string, unknown>,
  dimensions: readonly Dimension[],
  values: readonly (number | undefined)[] = [undefined],
): string[] {
  const metrics = new Metrics(0);
  const services = servicesOf({ measures: new Measures(metrics) });
  for (const value of values) {
    const step = policyStep(emitMetric, {
      attributes: { name: "Requests", ...attributes, ...(value === undefined ? {} : { value }) },
      children: { dimension: dimensions.map(([name, v]) => ({ attributes: { name, value: v } })) },
    });
    step.run(exchangeOf({}, snapshotOf(), services), null);
  }
  return prometheusText(metrics)
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
}

test.each<[string, string[], string[]]>([
  [
    "a count of one under the default namespace",
    scrape({}, [["Tier", "gold"]]),
    ['api_management_requests_sum{tier="gold"} 1', 'api_management_requests_count{tier="gold"} 1'],
  ],
  [
    "values add up, samples are counted",
    scrape({ namespace: "my-app" }, [["Tier", "gold"]], [2.5, 4, -1]),
    ['my_app_requests_sum{tier="gold"} 5.5', 'my_app_requests_count{tier="gold"} 3'],
  ],
  [
    "what is no number is not counted",
    scrape({}, [["Tier", "gold"]], [Number.NaN, Infinity]),
    ['api_management_requests_sum{tier="gold"} 0', 'api_management_requests_count{tier="gold"} 0'],
  ],
  [
    "dimensions that know their value",
    scrape({}, [["Location"], ["Gateway ID"], ["Product ID"]]),
    [
      'api_management_requests_sum{location="here",gateway_id="gateway",product_id=""} 1',
      'api_management_requests_count{location="here",gateway_id="gateway",product_id=""} 1',
    ],
  ],
  [
    "names that become the same label, values with quotes",
    scrape({}, [
      ["User ID", 'a"b\\c\nd'],
      ["user-id", "x"],
    ]),
    [
      'api_management_requests_sum{user_id="a\\"b\\\\c\\nd",user_id_2="x"} 1',
      'api_management_requests_count{user_id="a\\"b\\\\c\\nd",user_id_2="x"} 1',
    ],
  ],
])("%s", (_name, said, expected) => expect(said).toEqual(expected));

test("series are bounded: what comes beyond is counted as other, and no sample is lost", () => {
  const metrics = new Metrics(0);
  const measures = new Measures(metrics);
  for (let i = 0; i < 6000; i++) measures.emit("n", "m", ["who"], [`caller ${i}`], 1);
  const [family] = metrics.families();
  const series = [...family!.series];
  expect(series).toHaveLength(5001);
  expect(series.reduce((sum, { count }) => sum + count, 0)).toBe(6000);
  expect(series.at(-1)).toMatchObject({ values: ["other"], count: 1000 });
});
