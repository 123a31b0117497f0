/**
 * Calls from one part of the library to a member of another by its .NET name, found on first use. So files that need
 * each other (JSON wants dates, dates know nothing of JSON) do not import each other, and a conversion means here
 * exactly what it means in a policy.
 */
import { lookupType } from "../define.ts";

/**
 * @param parameters full names of the parameter types
 * @returns the member's code: receiver first for instance members
 * @throws Error at the first call when there is no such member: our own mistake
 */
export function late(
  typeName: string,
  member: string,
  parameters: readonly string[],
): (...args: any[]) => any {
  let code: ((...args: any[]) => unknown) | null = null;
  return (...args) => (code ??= find(typeName, member, parameters))(...args);
}

function find(typeName: string, name: string, parameters: readonly string[]): (...args: any[]) => unknown {
  const found = lookupType(typeName)
    .members.get(name)
    ?.find(
      (m) =>
        m.parameters.length === parameters.length &&
        m.parameters.every((p, i) => p.type.name === parameters[i]),
    );
  if (found === undefined) throw new Error(`no member ${typeName}.${name}(${parameters.join(", ")})`);
  const { implementation } = found;
  switch (implementation.kind) {
    case "function":
      return implementation.call;
    case "accessor":
      return implementation.get;
    case "constant":
      return () => implementation.value;
    default:
      return implementation.specialise([]);
  }
}
