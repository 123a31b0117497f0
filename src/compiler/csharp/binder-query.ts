/**
 * Query syntax: `from x in xs where … select …` is a chain of method calls (C# §12.20). Several range variables at
 * once travel in an anonymous object that the source never sees.
 */
import { anonymousDefinition } from "../runtime/tuple.ts";
import { type NamedType, type Type, displayName, instantiate } from "../runtime/type.ts";
import { bindArgumentsAs } from "./binder-arguments.ts";
import { callMethods } from "./binder-calls.ts";
import { asValue } from "./binder-convert.ts";
import { bindExpression, bindValue } from "./binder-expressions.ts";
import { instanceMember } from "./binder-members.ts";
import { memberCall } from "./binder-nodes.ts";
import { bindTypeNode } from "./binder-type-names.ts";
import { elementTypeOf, isError } from "./binder-types.ts";
import type { Bound, PendingLambda } from "./binder-untyped.ts";
import { type Binder, errorNode } from "./binder.ts";
import type { BoundExpression, LocalSymbol } from "./bound.ts";
import type { Expression, QueryBody, QueryClause, QueryExpression, Span } from "./tree.ts";

/** How to read each range variable from the one thing that flows through the calls. */
type Environment = ReadonlyMap<string, (current: BoundExpression) => BoundExpression>;

interface Flowing {
  readonly source: BoundExpression;
  readonly environment: Environment;
}

export function bindQuery(b: Binder, node: QueryExpression): BoundExpression {
  const { from } = node;
  let source = bindValue(b, from.source);
  if (from.type !== null && from.type.kind !== "varType")
    source = castElements(b, source, bindTypeNode(b, from.type), from);
  return bindBody(b, { source, environment: single(from.name) }, node.body);
}

const single = (name: string): Environment => new Map([[name, (current) => current]]);

function castElements(b: Binder, source: BoundExpression, type: Type, span: Span): BoundExpression {
  return call(b, source, "Cast", [], span, [type]);
}

function bindBody(b: Binder, flowing: Flowing, body: QueryBody): BoundExpression {
  let now = flowing;
  for (const clause of body.clauses) now = bindClause(b, now, clause);
  const { final } = body;
  const result =
    final.kind === "select"
      ? call(b, now.source, "Select", [lambda(b, now, final.expression)], final)
      : call(b, now.source, "GroupBy", [lambda(b, now, final.key), lambda(b, now, final.element)], final);
  const { continuation } = body;
  if (continuation === null) return { ...result, start: body.start, end: body.end };
  return bindBody(b, { source: result, environment: single(continuation.name) }, continuation.body);
}

function bindClause(b: Binder, now: Flowing, clause: QueryClause): Flowing {
  const { source } = now;
  switch (clause.kind) {
    case "where":
      return { ...now, source: call(b, source, "Where", [lambda(b, now, clause.condition)], clause) };
    case "orderBy": {
      let ordered = source;
      clause.orderings.forEach((ordering, i) => {
        const name = `${i === 0 ? "OrderBy" : "ThenBy"}${ordering.descending ? "Descending" : ""}`;
        ordered = call(b, ordered, name, [lambda(b, now, ordering.expression)], ordering);
      });
      return { ...now, source: ordered };
    }
    case "let": {
      const paired = pending(b, clause, ["<q>"], (binder, [current]) => {
        const value = withNames(binder, now, current!, clause, () =>
          asValue(binder, bindExpression(binder, clause.value)),
        );
        return pair(current!, clause.name, value, clause);
      });
      return {
        source: call(b, source, "Select", [paired], clause),
        environment: extended(now.environment, clause.name),
      };
    }
    case "from": {
      const inner = pending(b, clause, ["<q>"], (binder, [current]) =>
        withNames(binder, now, current!, clause, () => {
          const value = bindValue(binder, clause.source);
          return clause.type === null || clause.type.kind === "varType"
            ? value
            : castElements(binder, value, bindTypeNode(binder, clause.type), clause);
        }),
      );
      const paired = pending(b, clause, ["<q>", "<r>"], (_, [current, value]) =>
        pair(current!, clause.name, value!, clause),
      );
      return {
        source: call(b, source, "SelectMany", [inner, paired], clause),
        environment: extended(now.environment, clause.name),
      };
    }
    case "join": {
      let other = bindValue(b, clause.source);
      if (clause.type !== null && clause.type.kind !== "varType")
        other = castElements(b, other, bindTypeNode(b, clause.type), clause);
      const innerKey = lambda(b, { source: other, environment: single(clause.name) }, clause.innerKey);
      const name = clause.into ?? clause.name;
      const paired = pending(b, clause, ["<q>", "<r>"], (_, [current, value]) =>
        pair(current!, name, value!, clause),
      );
      const method = clause.into === null ? "Join" : "GroupJoin";
      const joined = call(
        b,
        source,
        method,
        [other, lambda(b, now, clause.outerKey), innerKey, paired],
        clause,
      );
      return { source: joined, environment: extended(now.environment, name) };
    }
  }
}

/** `new { <0> = current, name = value }` */
function pair(current: BoundExpression, name: string, value: BoundExpression, span: Span): BoundExpression {
  if (isError(value.type) || isError(current.type)) return errorNode(span);
  const type = instantiate(anonymousDefinition(["<0>", name]), [current.type, value.type]);
  return { kind: "anonymous", values: [current, value], type, start: span.start, end: span.end };
}

function part(current: BoundExpression, index: number): BoundExpression {
  const type = current.type as NamedType;
  const member = [...type.definition.members.values()][index]![0]!;
  return memberCall(member, type.args, current, [], type.args[index]!, current);
}

function extended(environment: Environment, name: string): Environment {
  const next = new Map<string, (current: BoundExpression) => BoundExpression>();
  for (const [known, read] of environment) next.set(known, (current) => read(part(current, 0)));
  next.set(name, (current) => part(current, 1));
  return next;
}

/** A lambda over the flowing value whose body is an expression of the query. */
function lambda(b: Binder, now: Flowing, body: Expression): PendingLambda {
  return pending(b, body, ["<q>"], (binder, [current]) =>
    withNames(binder, now, current!, body, () => bindExpression(binder, body)),
  );
}

/** Binds with the range variables in scope. */
function withNames<T>(b: Binder, now: Flowing, current: BoundExpression, span: Span, action: () => T): T {
  const scope = b.nested();
  const symbol = current.kind === "local" ? current.symbol : null;
  for (const [name, read] of now.environment) {
    const fresh = (): BoundExpression => read(symbol === null ? current : b.read(symbol, span));
    if (!scope.declare(name, { kind: "range", read: fresh })) b.report("HG3123", span, { name });
  }
  return b.within(scope, action);
}

function pending(
  b: Binder,
  span: Span,
  names: readonly string[],
  body: (b: Binder, parameters: readonly BoundExpression[]) => Bound,
): PendingLambda {
  return {
    kind: "pendingLambda",
    type: null,
    start: span.start,
    end: span.end,
    parameters: names.map((name) => ({ name, start: span.start, end: span.end })),
    bindBody: (binder: Binder, symbols: readonly LocalSymbol[]) =>
      body(
        binder,
        symbols.map((symbol) => binder.read(symbol, span)),
      ),
    scope: b.scope,
    function: b.function,
    checked: b.checked,
    receivers: [...b.receivers],
    parameterTypes: null,
    bodies: [],
  };
}

function call(
  b: Binder,
  source: BoundExpression,
  name: string,
  args: readonly Bound[],
  span: Span,
  typeArguments: readonly Type[] | null = null,
): BoundExpression {
  if (isError(source.type)) return errorNode(span);
  if (elementTypeOf(source.type) === null)
    return b.fail("HG3130", source, { type: displayName(source.type) });
  const group = instanceMember(b, source, name, span, span, typeArguments);
  return group.kind === "pendingMethods"
    ? callMethods(b, group, bindArgumentsAs(args), span)
    : errorNode(span);
}
