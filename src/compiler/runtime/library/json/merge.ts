/** `JContainer.Merge`: objects merge by name, arrays are concatenated, null does not replace. */
import { spend } from "../../budget.ts";
import { argumentError } from "../../errors.ts";
import { textOf } from "../../values.ts";
import * as kinds from "./kinds.ts";
import { JArray, JContainer, JObject, JProperty, type JToken, isMultiContent } from "./token.ts";
import { checkNesting } from "./writer.ts";

export function merge(target: JContainer, content: unknown, depth = 0): void {
  checkNesting(depth);
  if (content === null) return;
  if (target instanceof JObject) mergeObject(target, content, depth);
  else if (target instanceof JArray) {
    if (content instanceof JArray) {
      for (const item of content.children().slice()) {
        spend(2);
        target.add(item);
      }
    } else if (isMultiContent(content)) target.addContent(content);
  } else if (target instanceof JProperty) {
    const value = content instanceof JProperty ? content.value : null;
    if (value !== null && value.kind !== kinds.NULL) target.value = value;
  } else throw argumentError(`Cannot merge ${textOf(content)}.`);
}

function mergeObject(target: JObject, content: unknown, depth: number): void {
  if (!(content instanceof JObject)) return;
  for (const property of content.children().slice()) {
    spend();
    const existing = target.property(property.name);
    if (existing === null) target.addItem(property.name, property.value);
    else mergeValue(existing, property.value, depth);
  }
}

function mergeValue(existing: JProperty, value: JToken, depth: number): void {
  const old = existing.value;
  if (old instanceof JContainer && old.kind === value.kind) merge(old, value, depth + 1);
  else if (value.kind !== kinds.NULL) existing.value = value;
}
