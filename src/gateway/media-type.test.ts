import { expect, test } from "vitest";
import { HeaderList } from "../base/headers.ts";
import { acceptsJson, acceptsXml, bareType, isJsonType, isXmlType } from "./media-type.ts";

test.each<[accept: string | null, json: boolean, xml: boolean]>([
  [null, true, true],
  ["", true, true],
  ["*/*", true, true],
  ["application/json", true, false],
  ["application/xml", false, true],
  ["TEXT/XML; charset=utf-8", false, true],
  ["application/atom+xml", false, true],
  ["application/vnd.x+json", true, false],
  ["application/*", true, true],
  ["text/*", true, true],
  ["image/*", false, false],
  ["text/html, application/xml;q=0.9, */*;q=0.8", true, true],
  ["application/json;q=0", false, false],
  ["application/json;q=0.000, */*", false, true],
  ["application/json;q=0.001", true, false],
  ["application/xml;q=0, application/soap+xml", false, true],
  ["*/*;q=0, application/json", true, false],
  ["garbage;;,", false, false],
])("Accept: %s", (accept, json, xml) => {
  const headers = new HeaderList(accept === null ? [] : ["accept", accept]);
  expect([acceptsJson(headers), acceptsXml(headers)]).toEqual([json, xml]);
});

test.each([
  ["application/json; charset=utf-8", true, false],
  ["Application/Problem+JSON", true, false],
  ["text/xml", false, true],
  ["application/soap+xml;action=x", false, true],
  ["text/plain", false, false],
  ["", false, false],
])("Content-Type: %s", (type, json, xml) => {
  expect([isJsonType(bareType(type)), isXmlType(bareType(type))]).toEqual([json, xml]);
});
