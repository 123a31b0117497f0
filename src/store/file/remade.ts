/**
 * Properties that are made of others, remembered with what they were made of: the same object comes out as long as the
 * same goes in, so that everybody after the loader tells by identity what a change left alone.
 */
import type { OpenProperties } from "../../contract/resource.ts";

interface Remade {
  readonly from: unknown;
  readonly properties: OpenProperties;
}

const remembered = new WeakMap<object, Remade>();

/**
 * @param given what the properties are made of; each object is given at one step of loading only
 * @param from  what else goes in, compared by identity
 */
export function remade(given: object, from: unknown, make: () => OpenProperties): OpenProperties {
  const known = remembered.get(given);
  if (known !== undefined && known.from === from) return known.properties;
  const properties = make();
  remembered.set(given, { from, properties });
  return properties;
}
