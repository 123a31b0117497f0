/** Delegate types that expressions may name. A delegate value is a JavaScript function over raw values. */
import { defineType } from "../define.ts";

type Delegate = (...args: unknown[]) => unknown;
const invoke = (target: Delegate, ...args: unknown[]): unknown => target(...args);

/** .NET goes up to 16 parameters. */
const MOST_PARAMETERS = 16;

for (let count = 0; count <= MOST_PARAMETERS; count++) {
  const names = Array.from({ length: count }, (_, i) => (count === 1 ? "T" : `T${i + 1}`));
  const parameters = names.map((name, i) => `${name} ${count === 1 ? "arg" : `arg${i + 1}`}`).join(", ");
  defineType(`delegate System.Func<${[...names, "TResult"].join(", ")}>`, {
    [`TResult Invoke(${parameters})`]: invoke,
  });
  defineType(count === 0 ? "delegate System.Action" : `delegate System.Action<${names.join(", ")}>`, {
    [`void Invoke(${parameters})`]: invoke,
  });
}

defineType("delegate System.Predicate<T>", { "bool Invoke(T obj)": invoke });
defineType("delegate System.Comparison<T>", { "int Invoke(T x, T y)": invoke });
defineType("delegate System.Converter<TInput, TOutput>", { "TOutput Invoke(TInput input)": invoke });
