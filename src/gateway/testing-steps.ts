/** For tests: policies as the compiler would build them, from plain values. */
import type {
  ElementArgs,
  ElementShape,
  PolicyDefinition,
  Section,
  Site,
  Step,
  Value,
} from "../compiler/policy.ts";
import type { Exchange } from "./exchange.ts";

export function siteOf(element: string, changed: Partial<Site> = {}): Site {
  return {
    element,
    section: "inbound",
    scope: "api",
    scopeId: "/apis/a",
    path: `${element}[1]`,
    policyId: null,
    file: null,
    line: 1,
    column: 1,
    inMessage: false,
    operationTemplate: null,
    ...changed,
  };
}

/** A step of the test's own. */
export function stepOf(run: (exchange: Exchange) => unknown, site: Partial<Site> = {}, needs = 0): Step {
  return { site: siteOf("test", site), needs, run };
}

/** What an author writes, as plain values; functions stand for expressions. */
export interface Written {
  readonly attributes?: Readonly<Record<string, unknown>>;
  readonly children?: Readonly<Record<string, readonly Written[]>>;
  readonly text?: unknown;
  readonly steps?: readonly Step[];
}

/** What the compiler would hand to `prepare`. */
export function argsOf(shape: ElementShape, written: Written = {}): ElementArgs {
  const attributes: Record<string, unknown> = {};
  for (const [name, attribute] of Object.entries(shape.attributes ?? {})) {
    const given = written.attributes?.[name] ?? attribute.default;
    attributes[name] =
      given === undefined ? undefined : attribute.expression === true ? asValue(given) : given;
  }
  const children: Record<string, ElementArgs[]> = {};
  for (const [name, child] of Object.entries(shape.children ?? {})) {
    children[name] = (written.children?.[name] ?? []).map((one) => argsOf(child, one));
  }
  const { text } = written;
  const bound =
    text === undefined || shape.text === undefined
      ? undefined
      : shape.text.expression === true
        ? asValue(text)
        : text;
  return { attributes, children, text: bound, steps: written.steps ?? [], line: 1 };
}

function asValue(given: unknown): Value<unknown> {
  if (typeof given !== "function")
    return Object.assign(() => given, { constant: given, isConstant: true, needs: 0 });
  if ("needs" in given) return given as Value<unknown>;
  return Object.assign(given as () => unknown, { constant: undefined, isConstant: false, needs: 0 });
}

/** A policy ready to run. */
export function policyStep(policy: PolicyDefinition, written: Written = {}, site: Partial<Site> = {}): Step {
  const section: Section = site.section ?? policy.sections[0]!;
  const at = siteOf(policy.element, { ...site, section });
  return { site: at, needs: 0, run: policy.prepare(argsOf(policy.shape, written), at) };
}

/** What the policy's own check says about it. */
export function mistakesOf(
  policy: PolicyDefinition,
  written: Written = {},
  site: Partial<Site> = {},
): string[] {
  const said: string[] = [];
  policy.check?.(
    argsOf(policy.shape, written),
    (message) => void said.push(message),
    siteOf(policy.element, site),
  );
  return said;
}
