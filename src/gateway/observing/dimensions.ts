/** `<dimension>` of emit-metric and llm-emit-token-metric (`ai-policies.md` §3.1). */
import type { ChildShape, ReportMistake, Value } from "../../compiler/policy.ts";
import { suggest } from "../../base/suggest.ts";
import type { Exchange } from "../exchange.ts";

/** Azure Monitor takes no more. */
const MOST = 10;

export const DIMENSION = {
  min: 1,
  doc: "What the metric is told apart by.",
  attributes: {
    name: { type: "string", expression: true, required: true, doc: "Name of the dimension." },
    value: {
      type: "string",
      expression: true,
      doc: "Its value; may be left out for API ID, Operation ID, Product ID, User ID, Subscription ID, Location, Gateway ID and Backend ID.",
    },
  },
} as const satisfies ChildShape;

/** Dimensions that know their value, by name in lower case. */
const KNOWN: Readonly<Record<string, (exchange: Exchange) => string | null | undefined>> = {
  "api id": ({ api }) => api?.id,
  "operation id": ({ operation }) => operation?.id,
  "product id": ({ product }) => product?.id,
  "user id": ({ user }) => user?.id,
  "subscription id": ({ subscription }) => subscription?.id,
  location: ({ services }) => services.deployment.region,
  "gateway id": ({ services }) => services.deployment.gatewayId,
  "backend id": ({ attempts, backend }) => attempts.at(-1)?.backendId ?? backend?.id,
};
const KNOWN_NAMES = [
  "API ID",
  "Operation ID",
  "Product ID",
  "User ID",
  "Subscription ID",
  "Location",
  "Gateway ID",
  "Backend ID",
];

export interface DimensionArgs {
  readonly attributes: { readonly name: Value<string>; readonly value: Value<string> | undefined };
}

/** @param custom how many with values of their own pass without a warning */
export function checkDimensions(
  dimensions: readonly DimensionArgs[],
  report: ReportMistake,
  custom: number,
): void {
  if (dimensions.length > MOST) {
    const at = { child: "dimension", index: MOST };
    report(`a metric has at most ${MOST} dimensions`, at, "leave out those that nobody asks for");
  }
  const names = new Set<string>();
  let own = 0;
  dimensions.forEach(({ attributes: { name, value } }, index) => {
    if (value !== undefined) own++;
    if (name.constant === undefined) return;
    const known = name.constant.toLowerCase();
    if (value === undefined && KNOWN[known] === undefined) {
      const meant = suggest(name.constant, KNOWN_NAMES);
      report(
        `the dimension \`${name.constant}\` needs a value`,
        { child: "dimension", index, attribute: "name", value: true },
        meant === null
          ? `give it a value; only ${KNOWN_NAMES.join(", ")} have one of their own`
          : `give it a value, or did you mean \`${meant}\`?`,
      );
    }
    if (names.has(known)) {
      const at = { child: "dimension", index, attribute: "name", value: true };
      report(`the dimension \`${name.constant}\` stands twice`, at, "keep one of them");
    }
    names.add(known);
  });
  if (own > custom && dimensions.length <= MOST) {
    report(
      `more than ${custom} custom dimensions: Azure's own gateway takes no more`,
      { child: "dimension" },
      "each one multiplies the series that are kept",
      "warning",
    );
  }
}

/** Names and values of one request, ready to be emitted. */
export interface Dimensions {
  readonly names: readonly string[];
  readonly values: string[];
  /** Indexes of values that are known only once a backend was chosen. */
  readonly late: readonly number[];
}

/**
 * Prepares dimensions once; the result is asked per request, and never throws: a metric fails no request (`policies.md` 35).
 * A value that cannot be worked out is empty, and the trace says why.
 *
 * @param source the policy, for the trace
 */
export function prepareDimensions(
  dimensions: readonly DimensionArgs[],
  source: string,
): (exchange: Exchange) => Dimensions {
  const names = dimensions.map(({ attributes: { name } }) => name);
  const allConstant = names.every(({ isConstant }) => isConstant);
  const constants = allConstant ? names.map(({ constant }) => constant!) : null;
  const isLate = ({ attributes: { name, value } }: DimensionArgs): boolean =>
    value === undefined && name.constant?.toLowerCase() === "backend id";
  const late = dimensions.flatMap((dimension, i) => (isLate(dimension) ? [i] : []));
  const readers = names.map((name) => (name.isConstant ? KNOWN[name.constant!.toLowerCase()] : undefined));
  return (exchange) => {
    const said = constants ?? names.map((name) => attempt(name, exchange, source) ?? "");
    const values = dimensions.map(({ attributes: { value } }, i) =>
      value === undefined
        ? (readers[i]?.(exchange) ?? knownValue(said[i]!, exchange))
        : (attempt(value, exchange, source) ?? ""),
    );
    return { names: said, values, late };
  };
}

/** @returns null when the expression fails, which is remarked */
export function attempt<T>(value: Value<T>, exchange: Exchange, source: string): T | null {
  try {
    return value(exchange.context);
  } catch (error) {
    exchange.remark(source, `Not measured: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}

/** Fills in what was not known when the dimensions were worked out. */
export function complete(dimensions: Dimensions, exchange: Exchange): readonly string[] {
  for (const i of dimensions.late) dimensions.values[i] = knownValue(dimensions.names[i]!, exchange);
  return dimensions.values;
}

function knownValue(name: string, exchange: Exchange): string {
  return KNOWN[name.toLowerCase()]?.(exchange) ?? "";
}
