/** What must hold of every expression, however broken: it compiles or is refused, and it runs or throws as .NET does. */
import { compileDetailed } from "../src/compiler/csharp/compile-expression.ts";
import type { ValueType } from "../src/compiler/policy.ts";
import { beginEvaluation, configureBudget } from "../src/compiler/runtime/budget.ts";
import { configureEnvironment } from "../src/compiler/runtime/environment.ts";
import { BudgetError, NetException } from "../src/compiler/runtime/errors.ts";
import type { HostContext } from "../src/compiler/runtime/host.ts";
import { typeOf } from "../src/compiler/runtime/values.ts";
import type { FuzzInput } from "./expression-fuzz.ts";
import { hostContext, readCases } from "./expression-runner.ts";

const WANTED: readonly ValueType[] = ["any", "string", "bool", "int", "number", "body", "nullable-string"];

export type Outcome = "refused" | "value" | "exception" | "budget";

export interface Checked {
  readonly outcome: Outcome;
  readonly compileMs: number;
  readonly runMs: number;
}

/** This thread's own time: what else the machine does is not ours. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

export class ExpressionChecker {
  readonly cases: readonly string[];
  readonly #context: () => HostContext;
  readonly #prototype = Object.getOwnPropertyNames(Object.prototype).length;

  constructor(file: string) {
    configureBudget(() => performance.now());
    configureEnvironment({ now: () => Date.now() });
    const { baseContext, cases } = readCases(file);
    this.cases = cases.map(({ expression }) => expression);
    const variables = {
      ...baseContext.variables,
      json: { type: "JObject", value: '{"a":[1,2,{"b":null}],"c":"x"}' },
    };
    this.#context = () => hostContext({ ...baseContext, variables });
  }

  /** @throws Error that says which rule is broken */
  check({ code, form }: FuzzInput, seed: number): Checked {
    const wanted = WANTED[seed % WANTED.length]!;
    const start = cpuMs();
    const { value, diagnostics } = compileDetailed(code, form, wanted);
    const compileMs = cpuMs() - start;
    for (const { start: from, end, message, code: id } of diagnostics) {
      if (!(from >= 0 && end >= from && end <= code.length) || message === "")
        throw new Error(`${id} has a wrong place: ${from}..${end} "${message}"`);
    }
    const hasError = diagnostics.some(({ severity }) => severity === "error");
    if (hasError !== (value === null)) throw new Error("errors and value disagree");
    if (value === null) return { outcome: "refused", compileMs, runMs: 0 };
    beginEvaluation();
    const context = this.#context();
    const began = cpuMs();
    const outcome = this.#run(value, context, wanted);
    const runMs = cpuMs() - began;
    if (Object.getOwnPropertyNames(Object.prototype).length !== this.#prototype)
      throw new Error("Object.prototype has grown");
    return { outcome, compileMs, runMs };
  }

  #run(value: (context: HostContext) => unknown, context: HostContext, wanted: ValueType): Outcome {
    let result: unknown;
    try {
      result = value(context);
    } catch (error) {
      if (error instanceof NetException) return "exception";
      if (error instanceof BudgetError) return "budget";
      throw error;
    }
    if (wanted === "any") {
      // Everything that comes out has a .NET type; a host object or function would be a way out.
      if (result !== null && typeOf(result).name === "") throw new Error("a result without a type");
    } else if (
      wanted === "bool"
        ? typeof result !== "boolean"
        : wanted === "int" || wanted === "number"
          ? typeof result !== "number"
          : typeof result === "function"
    ) {
      throw new Error(`a ${typeof result} where ${wanted} was promised`);
    }
    return "value";
  }
}
