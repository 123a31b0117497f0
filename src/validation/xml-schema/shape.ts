/** What XML must be before any schema is asked: well-formed, without document types, and for SOAP an envelope. */
import { XmlMistake, type XmlTag, readXmlInSteps } from "../../base/xml-events.ts";
import { MOST_XML_DEPTH } from "../../gateway/body-limits.ts";

export interface XmlShapeMistake {
  readonly error: string;
  readonly line: number;
  readonly position: number;
}

export const SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/";
export const SOAP_12 = "http://www.w3.org/2003/05/soap-envelope";

/**
 * In steps, for `runInSlices`.
 *
 * @param onTag called for each element; may throw to end it
 * @returns what is wrong, or null
 */
export function* xmlShapeMistake(
  text: string,
  isSoap: boolean,
  onTag: () => void = () => {},
): Generator<void, XmlShapeMistake | null> {
  let depth = 0;
  let root: XmlTag | null = null;
  let bodies = 0;
  try {
    yield* readXmlInSteps(text, MOST_XML_DEPTH, {
      open: (tag) => {
        onTag();
        if (depth === 0) root = tag;
        else if (depth === 1 && tag.local === "Body" && tag.uri === root?.uri) bodies++;
        depth++;
      },
      close: () => depth--,
      text: () => {},
    });
  } catch (error) {
    if (error instanceof XmlMistake)
      return { error: error.message, line: error.line, position: error.position };
    throw error;
  }
  return isSoap ? envelopeMistake(root, bodies) : null;
}

function envelopeMistake(root: XmlTag | null, bodies: number): XmlShapeMistake | null {
  if (root === null || root.local !== "Envelope" || (root.uri !== SOAP_11 && root.uri !== SOAP_12))
    return { error: "The root element is not a SOAP envelope.", line: 1, position: 1 };
  return bodies === 1 ? null : { error: "The SOAP envelope has no single Body.", line: 1, position: 1 };
}
