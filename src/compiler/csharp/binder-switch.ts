/** The switch statement: labels become conditions over the subject, `goto case` a jump to a section. */
import type { Type } from "../runtime/type.ts";
import { convert } from "./binder-convert.ts";
import { converts } from "./binder-converts.ts";
import { bindExpression, bindTo, bindValue } from "./binder-expressions.ts";
import { toCondition } from "./binder-operators.ts";
import { testPattern } from "./binder-patterns.ts";
import { bindStatements } from "./binder-statements.ts";
import { admitsNull, isEnum, isNamed, isString, known, numericKind, unwrapped } from "./binder-types.ts";
import type { Binder, SwitchSurroundings } from "./binder.ts";
import type {
  BoundStatement,
  BoundSwitchLabel,
  BoundSwitchSection,
  LabelSymbol,
  LocalSymbol,
} from "./bound.ts";
import { statementsEndReachable } from "./flow.ts";
import type { Expression, SwitchLabel, SwitchSection, SwitchStatement } from "./tree.ts";

export function bindSwitch(b: Binder, node: SwitchStatement): BoundStatement {
  const subject = bindValue(b, node.subject);
  const temp = b.temp(subject.type, node.subject);
  const scope = b.nested();
  const labels: LabelSymbol[] = node.sections.map((_, i) => ({ name: `case ${i}` }));
  const defaultAt = node.sections.findIndex((section) =>
    section.labels.some((label) => label.pattern === null),
  );
  const outer = b.surroundings;
  const around: SwitchSurroundings = {
    cases: [],
    default: defaultAt < 0 ? null : labels[defaultAt]!,
    governing: subject.type,
    outer: outer.switch,
  };
  const taken = new Set<unknown>();
  return b.within(scope, () => {
    b.surroundings = { ...outer, switch: around };
    // All labels first: `goto case` may lead forward.
    const scopes = node.sections.map(() => b.nested());
    const bound = node.sections.map((section, i) =>
      b.within(scopes[i]!, () => bindLabels(b, section, temp, taken, around, labels[i]!)),
    );
    const sections = node.sections.map((section, i): BoundSwitchSection => {
      const statements = b.within(scopes[i]!, () => bindStatements(b, section.statements));
      scope.locals.push(...scopes[i]!.locals);
      scope.functions.push(...scopes[i]!.functions);
      const last = section.labels.at(-1);
      if (last !== undefined && statementsEndReachable(statements)) b.report("HG3140", last);
      return { labels: bound[i]!, statements, label: labels[i]! };
    });
    b.surroundings = outer;
    return {
      kind: "switch",
      subject,
      temp,
      locals: scope.locals,
      functions: scope.functions,
      sections,
      defaultSection: defaultAt < 0 ? null : defaultAt,
      start: node.start,
      end: node.end,
    };
  });
}

function bindLabels(
  b: Binder,
  section: SwitchSection,
  temp: LocalSymbol,
  taken: Set<unknown>,
  around: SwitchSurroundings,
  target: LabelSymbol,
): BoundSwitchLabel[] {
  return section.labels.flatMap((label) => {
    if (label.pattern === null) return [];
    const input = b.read(temp, label);
    const constant = constantOfLabel(b, label, temp.type);
    let test = testPattern(b, label.pattern, input);
    if (label.guard !== null) {
      const guard = toCondition(b, bindExpression(b, label.guard), label.guard);
      test = {
        kind: "logical",
        operator: "&&",
        left: test,
        right: guard,
        type: known.bool(),
        start: label.start,
        end: label.end,
      };
    }
    const isConstant =
      constant !== null && label.guard === null && (isTable(temp.type) || constant.value === null);
    if (constant !== null && label.guard === null) {
      if (taken.has(constant.value)) b.report("HG3141", label);
      taken.add(constant.value);
      around.cases.push({ constant: constant.value, label: target });
    }
    return [{ test, isConstant, constant: isConstant ? constant.value : undefined }];
  });
}

/** Types whose constants can be looked up in a table. */
function isTable(type: Type): boolean {
  const inner = unwrapped(type);
  if (isString(type) || isEnum(inner) || isNamed(inner, "System.Boolean")) return true;
  const kind = numericKind(inner);
  return kind !== null && kind !== "decimal" && kind !== "double" && kind !== "float";
}

/** The label's constant in the type of the subject; null for other patterns. */
function constantOfLabel(b: Binder, label: SwitchLabel, type: Type): { readonly value: unknown } | null {
  const { pattern } = label;
  if (pattern === null || (pattern.kind !== "constantPattern" && pattern.kind !== "typeOrConstantPattern"))
    return null;
  const { result } = b.aside(() => bindExpression(b, pattern.expression));
  if (result.kind !== "constant") return null;
  if (result.value === null) return admitsNull(type) ? { value: null } : null;
  const wanted = isTable(type) ? unwrapped(type) : result.type;
  const value = converts(b, result, wanted) ? convert(b, result, wanted) : result;
  return value.kind === "constant" ? { value: value.value } : null;
}

export function bindGotoCase(
  b: Binder,
  value: Expression | null,
  span: { start: number; end: number },
): BoundStatement[] {
  const around = b.surroundings.switch;
  if (around === null) {
    b.report("HG3142", span, { name: "case" });
    return [];
  }
  let label = around.default;
  if (value !== null) {
    const constant = bindTo(b, value, unwrapped(around.governing));
    label =
      constant.kind === "constant"
        ? (around.cases.find((c) => c.constant === constant.value)?.label ?? null)
        : null;
  }
  if (label === null) {
    b.report("HG3142", span, { name: value === null ? "default" : "case" });
    return [];
  }
  return [{ kind: "goto", label, ...span }];
}
