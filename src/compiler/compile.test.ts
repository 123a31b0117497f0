import { describe, expect, test } from "vitest";
import { PolicyCompiler } from "./compile.ts";
import type { CompiledDocument, DocumentSource, Surroundings } from "./compile.ts";
import { restMessage } from "./diagnostics.ts";
import { computedValue, constantValue } from "./expression.ts";
import type { CompileExpression } from "./expression.ts";
import type { NamedValue } from "./named-values.ts";
import type { Scope, Step, Value } from "./policy.ts";
import { testPolicies } from "./test-policies.ts";

/** Constants are constant, `bad` is a mistake, everything else is computed. Expressions have their own tests. */
let compiled = 0;
const compileExpression: CompileExpression = (code) => {
  compiled++;
  const at = code.indexOf("bad");
  if (at !== -1) {
    const message = `the name \`${/bad\w*/.exec(code)![0]}\` does not exist here`;
    return {
      diagnostics: [{ code: "HG3100", severity: "error", message, start: at, end: at + 3 }],
      value: null,
    };
  }
  if (/^\s*(?:true|false)\s*$/.test(code))
    return { diagnostics: [], value: constantValue(code.trim() === "true") };
  const needs = code.includes("Response.Body") ? 2 : 0;
  return { diagnostics: [], value: computedValue(() => code, needs) };
};

let prepared = 0;
const policies = testPolicies.map((policy) => ({
  ...policy,
  prepare: (...given: Parameters<typeof policy.prepare>) => {
    prepared++;
    return policy.prepare(...given);
  },
}));

const around: Surroundings = {
  namedValues: new Map<string, NamedValue>([
    ["limit", { value: "5", secret: false }],
    ["key", { value: "badSecret", secret: true }],
    ["quote", { value: 'a"b', secret: true }],
    ["condition", { value: "@(x.y)", secret: false }],
    ["always", { value: "true", secret: false }],
    ["never", { value: "@(false)", secret: false }],
  ]),
  fragments: new Map(
    Object.entries({
      headers:
        '<fragment><set-header name="x"><value>1</value></set-header><set-variable name="v" value="1" /></fragment>',
      outer: '<fragment><include-fragment fragment-id="headers" /></fragment>',
      a: '<fragment><include-fragment fragment-id="b" /></fragment>',
      b: '<fragment><choose><when condition="true"><include-fragment fragment-id="A" /></when></choose></fragment>',
      wrong: '<fragment><set-header nam="x" /></fragment>',
      inboundOnly: '<fragment>\n  <rewrite-uri template="/x" />\n</fragment>',
    }).map(([id, text]) => [id, { id, text, file: `fragments/${id}.xml` }]),
  ),
  exists: (kind, name) => kind !== "backend" || name === "pool-1",
  namesOf: () => ["pool-1"],
};

function compiler(): PolicyCompiler {
  return new PolicyCompiler(policies, compileExpression);
}

function source(text: string, scope: Scope = "api"): DocumentSource {
  return { text, scope, scopeId: `/${scope}`, file: `${scope}.xml` };
}

/** A document with the given inside of inbound. */
function inbound(inside: string): string {
  return `<policies><inbound>${inside}</inbound><backend><base/></backend><outbound/><on-error/></policies>`;
}

function said(text: string, scope: Scope = "api", surroundings: Surroundings = around): string[] {
  const { diagnostics } = compiler().compile(source(text, scope), surroundings);
  return diagnostics.map((d) => {
    const hint = d.hint?.startsWith("did you mean") === true ? ` ${d.hint.slice(13)}` : "";
    return `${d.code}@${d.range.start.column - "<policies><inbound>".length}${hint}`;
  });
}

describe("inside inbound; columns count from there", () => {
  test.each<[text: string, ...said: string[]]>([
    ["<base/>"],
    ['<set-header name="x" id="me"><value>1</value><value>@(y)</value></set-header>'],
    ['<set-header name="x" exists-action="Override"/>'],
    ['<set-haeder name="x"/>', "HG2101@1 `set-header`?"],
    ['<Set-Header name="x"/>', "HG2101@1 `set-header`?"],
    ["<rate-limit-by-key/>", "HG2102@1"],
    ["<value>1</value>", "HG2104@1"],
    ["<when condition='true'/>", "HG2104@1"],
    ["<choose/>", "HG2105@1"],
    ["<choose><when condition='@(a)'/><otherwise/><otherwise/></choose>", "HG2106@45"],
    ["<choose><otherwise/><when condition='@(a)'/></choose>", "HG2121@9"],
    ["<choose><when condition='@(a)'/><els/></choose>", "HG2103@33"],
    ["<choose><wen condition='@(a)'/></choose>", "HG2103@9 `when`?"],
    ['<set-header name="x" exist-action="skip"/>', "HG2107@22 `exists-action`?"],
    ['<set-header nam="x"/>', "HG2107@13 `name`?"],
    ["<set-header/>", "HG2108@1"],
    ['<retry condition="maybe" count="3"/>', "HG2109@19"],
    ['<retry condition="@(a)" count="3.5"/>', "HG2109@32"],
    ['<retry condition="@(a)" count="0"/>', "HG2111@32"],
    ['<retry condition="@(a)" count="{{limit}}1"/>', "HG2111@32"],
    ['<retry condition="{{condition}}" count="{{limit}}"/>'],
    ['<set-header name="x" exists-action="overide"/>', "HG2110@37 `override`?"],
    ['<retry condition="" count="1"/>', "HG2112@19"],
    ['<set-variable name="@(a)" value="1"/>', "HG2113@21"],
    ["<cors>text</cors>", "HG2114@7"],
    ["<forward-request/>", "HG2115@1"],
    ['<quota calls="1"/>', "HG2116@1"],
    ["<cors/><cors/>", "HG2117@8"],
    ["<choose><when condition='@(a)'><cors/></when><otherwise><cors/></otherwise></choose>"],
    ["<choose><when condition='@(a)'><cors/></when></choose><cors/>", "HG2117@55"],
    ['<set-header name="x">text</set-header>', "HG2118@22"],
    ["text", "HG2118@1"],
    ["<set-method/>", "HG2119@1"],
    ["<set-method><b/></set-method>", "HG2120@13"],
    ["<choose><when condition='@(a)'><base/></when></choose>", "HG2122@32"],
    ["<base/><base/>", "HG2123@8"],
    ["<base x='1'/>", "HG2107@7"],
    ["<base><cors/></base>", "HG2114@7"],
    ["<return-response><set-method>GET</set-method></return-response>", "HG2130@18"],
    ['<set-backend-service base-url="http://x" backend-id="pool-1"/>', "HG2131@42"],
    ['<set-backend-service backend-id="pol-1"/>', "HG4006@34 `pool-1`?"],
    ["<set-method>@(bad)</set-method>", "HG3100@15"],
    ["<set-method>@( )</set-method>", "HG3901@13"],
    ["<set-method>{{limt}}</set-method>", "HG4001@13 `{{limit}}`?"],
    ['<set-body template="liquid">{{body.x}} {{limit}}</set-body>'],
    ["<set-body>{{body.x}}</set-body>", "HG4001@11"],
    ['<set-body><value>@(b == "c)</value></set-body>', "HG1018@25"],
    [
      "<choose><when condition='true'><rate-limit-by-key remaining-calls-variable-name='left'/></when></choose>",
      "HG2102@32",
    ],
    ['<set-body template="liquid"><s:Envelope xmlns:s="u"><a>{{body.x}}</a></s:Envelope></set-body>'],
    ['<include-fragment fragment-id="headers"/>'],
    ['<include-fragment fragment-id="HEADERS"/>'],
    ['<include-fragment fragment-id="header"/>', "HG4002@32 `headers`?"],
    ["<include-fragment/>", "HG2108@1"],
    ['<include-fragment fragment-id="@(a)"/>', "HG2113@32"],
    ['<include-fragment fragment-id="a"/>', "HG4003@1"],
    ['<include-fragment fragment-id="wrong"/>', "HG4007@1"],
    ['<include-fragment fragment-id="outer"/>'],
    ["<set-method>Bearer @(x)</set-method>", "HG6003@20"],
    [
      "<choose><when condition='true'/><when condition='@(a)'/><otherwise/></choose>",
      "HG6004@33",
      "HG6004@57",
    ],
    ["<choose><when condition='@(false)'/></choose>", "HG6010@26"],
    // A named value decides: a setting, no mistake.
    ["<choose><when condition='{{never}}'/><when condition='{{always}}'/><otherwise/></choose>"],
    ['<retry condition="true" count="3"/>', "HG6010@19"],
    ["<return-response/><cors/>", "HG6007@19"],
    ['<set-status code="200"/>', "HG6011@1"],
    [
      '<set-variable name="model" value="1"/><set-method>@(context.Variables["modle"])</set-method>',
      "HG6005@71 `model`?",
    ],
    [
      '<set-variable name="model" value="1"/><set-method>@{ /* context.Variables["modle"] */ return a; }</set-method>',
    ],
    // All of them, not the first.
    [
      '<set-haeder/><retry count="x" y="1"/><set-method>@(bad)</set-method>',
      "HG2101@1 `set-header`?",
      "HG2108@14",
      "HG2109@28",
      "HG2107@31",
      "HG3100@52",
    ],
    // One cause, one message: nothing is said about what stands in an element that was never closed.
    ["<choose><when condition='@(a)'><cors/></choose><base/>", "HG1004@9"],
  ])("%s", (text, ...expected) => {
    expect(said(inbound(text))).toEqual(expected);
  });
});

describe("the frame of a document", () => {
  const codes = (text: string, scope: Scope = "api"): string[] =>
    compiler()
      .compile(source(text, scope), around)
      .diagnostics.map(({ code }) => code);
  test.each<[text: string, ...codes: string[]]>([
    ["<policies><inbound/><backend/><outbound/><on-error/></policies>"],
    ["<policies><on-error/><outbound/><backend/><inbound/></policies>"],
    ["<policies/>", "HG6001", "HG6001", "HG6001", "HG6001"],
    ["<fragment/>", "HG2125"],
    ["<policy><inbound/></policy>", "HG2125"],
    ["<inbound/><backend/>", "HG2125"],
    ["<cors/><set-method/>", "HG2125", "HG2119"],
    ["<policies><inbound/><inbound/><backend/><outbound/><on-error/></policies>", "HG2127"],
    ["<policies><inbuond/><backend/><outbound/><on-error/></policies>", "HG2128"],
    ["<policies><cors/><inbound/><backend/><outbound/><on-error/></policies>", "HG2126"],
    ["<policies>x<inbound/><backend/><outbound/><on-error/></policies>", "HG2118"],
    ["<policies a='1'><inbound b='2'/><backend/><outbound/><on-error/></policies>", "HG2107", "HG2107"],
    ["<policies><inbound/><backend/><outbound/><on-error/></policies><policies/>", "HG1026"],
    [
      "<policies><inbound/><backend><base/><forward-request/></backend><outbound/><on-error/></policies>",
      "HG6002",
    ],
    ["", "HG1002"],
    ["<policies><inbound><outbound/></policies>", "HG6001", "HG6001", "HG1004"],
  ])("%s", (text, ...expected) => {
    expect(codes(text)).toEqual(expected);
  });
});

describe("what REST says", () => {
  test.each([
    [
      inbound("<forward-request/>"),
      "Error in element 'forward-request' on line 1, column 20: Policy section is not allowed in the specified scope",
    ],
    [
      inbound('<set-header name="x">t</set-header>'),
      "Error in element 'set-header' on line 1, column 41: The element 'set-header' cannot contain text. " +
        "List of possible elements expected: 'value'.",
    ],
    [
      inbound('<include-fragment fragment-id="X"/>'),
      "Error in element 'include-fragment' on line 1, column 51: Policy fragment with id 'X' could not be found.",
    ],
  ])("%s", (text, expected) => {
    const { diagnostics } = compiler().compile(source(text), around);
    expect(restMessage(diagnostics[0]!)).toBe(expected);
  });
});

describe("secrets are never shown", () => {
  test.each<[inside: string, code: string]>([
    ["<set-method>@({{key}})</set-method>", "HG3902"],
    ['<set-method>@("{{quote}} + 1)</set-method>', "HG1018"],
    ['<set-method>@(f("{{quote}}"))</set-method>', "HG3902"],
    ['<retry condition="{{key}}" count="1"/>', "HG2109"],
    ['<retry condition="@(a)" count="{{key}}"/>', "HG2109"],
    ['<set-header name="x" exists-action="{{key}}"/>', "HG2110"],
    ['<set-backend-service backend-id="{{key}}"/>', "HG4006"],
    ['<include-fragment fragment-id="{{key}}"/>', "HG4002"],
  ])("%s", (inside, code) => {
    const { diagnostics } = compiler().compile(source(inbound(inside)), around);
    expect(diagnostics.map((d) => d.code)).toEqual([code]);
    expect(JSON.stringify(diagnostics)).not.toMatch(/badSecret|a\\?"b/);
  });
});

describe("fragments", () => {
  const fragment = (id: string): string[] =>
    compiler()
      .compileFragment(around.fragments.get(id)!, around)
      .diagnostics.map((d) => `${d.code} ${d.message}`);
  test("circles are named", () => {
    expect(fragment("a")).toEqual(["HG4003 policy fragments include each other in a circle: a → b → a"]);
    expect(fragment("b")[1] ?? fragment("b")[0]).toContain("HG");
  });
  test("one inside another works and warns", () => {
    expect(fragment("outer").map((text) => text.slice(0, 6))).toEqual(["HG6008"]);
  });
  test.each([
    ["<fragment><base/></fragment>", "HG2124"],
    ["<fragment><inbound><cors/></inbound></fragment>", "HG2129"],
    ["<policies/>", "HG2125"],
    ["<fragment>x</fragment>", "HG2118"],
  ])("%s", (text, code) => {
    const { diagnostics } = compiler().compileFragment({ id: "t", text }, around);
    expect(diagnostics.map((d) => d.code)).toEqual([code]);
  });
  test("what is wrong only here is said at the inclusion, with the place in the fragment", () => {
    const text =
      '<policies><inbound/><backend/><outbound><include-fragment fragment-id="inboundOnly"/></outbound><on-error/></policies>';
    const [found] = compiler().compile(source(text), around).diagnostics;
    expect(found).toMatchObject({
      code: "HG2115",
      file: "api.xml",
      range: { start: { line: 1, column: 41 } },
    });
    expect(found?.notes).toEqual(["in policy fragment `inboundOnly`, fragments/inboundOnly.xml:2:3"]);
  });
  test("doubling fragments are refused without being expanded", () => {
    const fragments = new Map(
      Array.from({ length: 40 }, (_, i) => {
        const id = `f${i}`;
        const next = `<include-fragment fragment-id="f${i + 1}"/>`;
        return [id, { id, text: `<fragment>${i < 39 ? next + next : "<cors/>"}</fragment>` }];
      }),
    );
    const { diagnostics } = compiler().compile(source(inbound('<include-fragment fragment-id="f0"/>')), {
      ...around,
      fragments,
    });
    expect(diagnostics.map((d) => d.code)).toEqual(["HG4005"]);
  });
  test("sixty levels are too deep", () => {
    const fragments = new Map(
      Array.from({ length: 60 }, (_, i) => [
        `f${i}`,
        { id: `f${i}`, text: `<fragment><include-fragment fragment-id="f${i + 1}"/></fragment>` },
      ]),
    );
    const { diagnostics } = compiler().compile(source(inbound('<include-fragment fragment-id="f0"/>')), {
      ...around,
      fragments,
    });
    expect(diagnostics.map((d) => d.code)).toEqual(["HG4004"]);
  });
});

describe("a document on its own", () => {
  const loose = (text: string): string[] =>
    compiler()
      .compileLoose(text, "p.xml")
      .diagnostics.map((d) => `${d.severity} ${d.code}`);
  test.each<[text: string, ...said: string[]]>([
    [inbound('<set-backend-service backend-id="{backend-id}"/>')],
    [inbound('<retry condition="@(a)" count="{retry-count}"/>')],
    [inbound("<choose>{limits}</choose>")],
    [inbound('<retry condition="@(a)" count="{{limit}}"/>'), "warning HG4001"],
    [inbound("<set-method>@({{key}} + bad)</set-method>"), "warning HG4001"],
    [inbound('<include-fragment fragment-id="x"/>'), "warning HG4002"],
    [inbound('<quota calls="1"/>')],
    ["<fragment><cors/></fragment>"],
    [inbound('<retry condition="@(a)" count="x"/>'), "error HG2109"],
  ])("%s", (text, ...expected) => {
    expect(loose(text)).toEqual(expected);
  });
});

// ── Plans ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function document(door: PolicyCompiler, text: string, scope: Scope): CompiledDocument {
  const result = door.compile(source(text, scope), around);
  expect(result.diagnostics.filter((d) => d.severity === "error")).toEqual([]);
  return result;
}

/** `scope:path` of each step. */
function steps(list: readonly Step[] | null): string[] | null {
  return list === null ? null : list.map(({ site }) => `${site.scope}:${site.path}`);
}

const variable = (name: string): string => `<set-variable name="${name}" value="1"/>`;
const withSections = (i: string, b = "<base/>", o = "<base/>", x = "<base/>"): string =>
  `<policies><inbound>${i}</inbound><backend>${b}</backend><outbound>${o}</outbound><on-error>${x}</on-error></policies>`;

describe("scopes", () => {
  test("no document at all forwards", () => {
    const plan = compiler().plan([null]);
    expect(steps(plan.backend)).toEqual(["global:forward-request[1]"]);
    expect([plan.inbound, plan.outbound, plan.onError]).toEqual([null, null, null]);
  });
  test("base says where the broader scopes go", () => {
    const door = compiler();
    const global = document(
      door,
      withSections(`${variable("g")}<base/>`, "<forward-request/>", ""),
      "global",
    );
    const product = document(door, withSections(`<base/>${variable("p")}`), "product");
    const api = document(
      door,
      withSections(`${variable("a")}<base/>${variable("b")}`, "<base/>", variable("o")),
      "api",
    );
    const operation = document(door, withSections(variable("x"), ""), "operation");
    const plan = door.plan([global, product, null, api]);
    expect(steps(plan.inbound)).toEqual([
      "api:set-variable[1]",
      "global:set-variable[1]",
      "product:set-variable[1]",
      "api:set-variable[2]",
    ]);
    expect(steps(plan.backend)).toEqual(["global:forward-request[1]"]);
    expect(steps(plan.outbound)).toEqual(["api:set-variable[1]"]);
    const last = door.plan([global, product, api, operation]);
    expect(steps(last.inbound)).toEqual(["operation:set-variable[1]"]);
    expect(last.backend).toBeNull();
    expect(steps(last.outbound)).toEqual(["api:set-variable[1]"]);
  });
  test("a missing section inherits; at global scope it is the default one", () => {
    const door = compiler();
    const global = document(door, `<policies><inbound>${variable("g")}</inbound></policies>`, "global");
    const api = document(door, "<policies><outbound/></policies>", "api");
    const plan = door.plan([global, api]);
    expect(steps(plan.inbound)).toEqual(["global:set-variable[1]"]);
    expect(steps(plan.backend)).toEqual(["global:forward-request[1]"]);
  });
  test("paths count siblings of the same name, also through fragments", () => {
    const door = compiler();
    const text = withSections(
      `${variable("a")}<choose><when condition="@(a)"/></choose><choose><when condition="@(a)"/>` +
        `<when condition="@(b)">${variable("b")}<set-method>x</set-method>${variable("c")}</when></choose>` +
        `<include-fragment fragment-id="headers"/><include-fragment fragment-id="outer"/>`,
    );
    const plan = door.plan([null, document(door, text, "api")]);
    expect(steps(plan.inbound)).toEqual([
      "api:set-variable[1]",
      "api:choose[1]",
      "api:choose[2]",
      "api:include-fragment[1]/set-header[1]",
      "api:include-fragment[1]/set-variable[1]",
      "api:include-fragment[2]/include-fragment[1]/set-header[1]",
      "api:include-fragment[2]/include-fragment[1]/set-variable[1]",
    ]);
    const args = plan.inbound![2]!.run(null, null) as { children: { when: { steps: Step[] }[] } };
    expect(steps(args.children.when[1]!.steps)).toEqual([
      "api:choose[2]/when[2]/set-variable[1]",
      "api:choose[2]/when[2]/set-method[1]",
      "api:choose[2]/when[2]/set-variable[2]",
    ]);
    expect(plan.inbound![3]!.site).toMatchObject({
      file: "fragments/headers.xml",
      line: 1,
      section: "inbound",
    });
  });
  test("operations without a document share their API's plan", () => {
    const door = compiler();
    const api = document(door, withSections("<base/>"), "api");
    expect(door.plan([null, api])).toBe(door.plan([null, api, null]));
  });
});

describe("values as policies get them", () => {
  function args(inside: string): any {
    const door = compiler();
    return door.plan([null, document(door, inbound(inside), "api")]).inbound![0]!.run(null, null);
  }
  const ask = (value: unknown): unknown => (value as Value<unknown>)(null as never);
  test("literals are converted, defaults filled in, enums as the shape writes them", () => {
    const { attributes, children } = args(
      '<set-header name=" x " exists-action="APPEND"><value> a </value></set-header>',
    );
    expect(ask(attributes.name)).toBe("x");
    expect(attributes["exists-action"]).toBe("append");
    expect(ask(children.value[0].text)).toBe("a");
    const retry = args('<retry condition="TRUE" count="{{limit}}"/>').attributes;
    expect([
      ask(retry.condition),
      retry.condition.isConstant,
      ask(retry.count),
      ask(retry["first-fast-retry"]),
    ]).toEqual([true, true, 5, false]);
  });
  test("bodies keep their white space and markup", () => {
    expect(ask(args("<set-body>\n a &lt; \n</set-body>").text)).toBe("\n a < \n");
    expect(ask(args("<set-body><a x='1'>b</a> c</set-body>").text)).toBe("<a x='1'>b</a> c");
    expect(ask(args("<set-body><![CDATA[<a>&]]></set-body>").text)).toBe("<a>&");
  });
  test("expressions come without their brackets, with named values and entities in", () => {
    expect(ask(args('<set-method>@(a &lt; {{limit}} &amp;&amp; "&amp;")</set-method>').text)).toBe(
      'a < 5 && "&amp;"',
    );
    expect(ask(args("<retry condition='{{condition}}' count='1'/>").attributes.condition)).toBe("x.y");
  });
  test("a step needs what its own values need, not those inside", () => {
    const door = compiler();
    const text = inbound(
      "<set-method>@(context.Response.Body)</set-method>" +
        "<retry condition='@(a)' count='1'><set-method>@(context.Response.Body)</set-method></retry>" +
        "<choose><when condition='@(context.Response.Body)'/></choose>",
    );
    const plan = door.plan([null, document(door, text, "api")]);
    expect(plan.inbound!.map((step) => step.needs)).toEqual([2, 0, 0]);
  });
});

describe("memory", () => {
  test("the same document is compiled once, until something it looked up changes", () => {
    const door = compiler();
    const text = inbound(
      '<set-method>@({{limit}} + 77)</set-method><include-fragment fragment-id="headers"/>',
    );
    const first = door.compile(source(text), around);
    const [expressions, steps_] = [compiled, prepared];
    expect(door.compile(source(text), { ...around })).toBe(first);
    expect(
      door.compile(source(text), {
        ...around,
        namedValues: new Map([...around.namedValues, ["other", { value: "", secret: false }]]),
      }),
    ).toBe(first);
    expect([compiled, prepared]).toEqual([expressions, steps_]);
    const limit = new Map([...around.namedValues, ["limit", { value: "6", secret: false }]]);
    expect(door.compile(source(text), { ...around, namedValues: limit })).not.toBe(first);
    const fragments = new Map([...around.fragments, ["headers", { id: "headers", text: "<fragment/>" }]]);
    expect(door.compile(source(text), { ...around, fragments })).not.toBe(first);
  });
  test("a missing fragment that appears mends the document", () => {
    const door = compiler();
    const text = inbound('<include-fragment fragment-id="late"/>');
    expect(door.compile(source(text), around).ok).toBe(false);
    const fragments = new Map([
      ...around.fragments,
      ["late", { id: "late", text: "<fragment><cors/></fragment>" }],
    ]);
    expect(door.compile(source(text), { ...around, fragments }).ok).toBe(true);
  });
  test("a broken circle mends the document", () => {
    const door = compiler();
    const text = inbound('<include-fragment fragment-id="a"/>');
    expect(door.compile(source(text), around).ok).toBe(false);
    const fragments = new Map([
      ...around.fragments,
      ["b", { id: "b", text: "<fragment><cors/></fragment>" }],
    ]);
    expect(door.compile(source(text), { ...around, fragments }).ok).toBe(true);
  });
  test("expressions are compiled once per text and type", () => {
    const door = compiler();
    const before = compiled;
    for (let i = 0; i < 5; i++)
      door.compile({ ...source(inbound("<set-method>@(same)</set-method>")), scopeId: `/${i}` }, around);
    expect(compiled - before).toBe(1);
  });
});

describe("the effective policy as text", () => {
  test("base and fragments in place, named values as references, origins told", () => {
    const door = compiler();
    const api = document(door, withSections(`<base />\n<set-method>{{limit}}</set-method>`), "api");
    const operation = document(
      door,
      withSections(
        '<choose><when condition="@(a)"><include-fragment fragment-id="outer"/></when></choose><base />',
      ),
      "operation",
    );
    const { text, origins } = door.view([null, api, operation], around);
    expect(text).toBe(`<policies>
  <inbound>
    <choose><when condition="@(a)"><set-header name="x"><value>1</value></set-header>
<set-variable name="v" value="1" /></when></choose>
    <set-method>{{limit}}</set-method>
  </inbound>
  <backend>
    <forward-request />
  </backend>
  <outbound>
  </outbound>
  <on-error>
  </on-error>
</policies>
`);
    expect(origins).toMatchObject([
      { fromLine: 3, toLine: 4, section: "inbound", scope: "operation", line: 1 },
      { fromLine: 5, toLine: 5, section: "inbound", scope: "api", line: 2 },
      { fromLine: 8, toLine: 8, section: "backend", scope: "global" },
    ]);
  });
});
