import { describe, expect, it } from "vitest";
import * as policies from "../policies/index.ts";
import { PolicyCompiler } from "./compile.ts";
import { compileExpression } from "./csharp/compile-expression.ts";

describe("a document checked alone may still hold what a tool will fill in", () => {
  const compiler = new PolicyCompiler(Object.values(policies), compileExpression);
  it.each([
    ['<set-backend-service base-url="${url}/v1" />'],
    ['<set-backend-service base-url="@("${url}/v1")" />'],
    ['<retry condition="@(true)" count="${count}" interval="{interval}" />'],
    ['<choose><when condition="@(${enabled})"><set-method>GET</set-method></when></choose>'],
    ['<set-header name="x-{Name}"><value>@($"/groups/{group-id}")</value></set-header>'],
    ["%{ if cors ~}\n<set-method>GET</set-method>"],
  ])("%s", (inner) => {
    const text = `<policies><inbound><base />${inner}</inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>`;
    expect(compiler.compileLoose(text).diagnostics.filter(({ severity }) => severity === "error")).toEqual(
      [],
    );
  });
});
