// The little XML that S3 speaks: written by hand, read without entities of its own making.
import { XMLParser } from "fast-xml-parser";

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  "\r": "&#13;",
};

/** Text for XML. Characters that XML 1.0 cannot hold become U+FFFD; clients that have such keys ask for `encoding-type=url`. */
export const escapeXml = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[\p{Cc}\ufffe\uffff]/gu, (unit) => (/[\t\n\r\x7f-\x9f]/.test(unit) ? unit : "\ufffd"))
    .replace(/[&<>"'\r]/g, (character) => entities[character] ?? "");

export const element = (name: string, content: string | number | boolean): string =>
  `<${name}>${escapeXml(String(content))}</${name}>`;
/** An element around elements. */
export const group = (name: string, inner: string): string => `<${name}>${inner}</${name}>`;

export const xmlDocument = (name: string, inner: string, options: { namespace?: boolean } = {}): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<${name}${options.namespace === false ? "" : ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'}>${inner}</${name}>`;

type Tree = { readonly [name: string]: unknown };
const parser = new XMLParser({
  ignoreAttributes: true,
  removeNSPrefix: true,
  parseTagValue: false,
  trimValues: false,
  processEntities: true,
  htmlEntities: false,
  isArray: (name) => name === "Object" || name === "Part",
});

/** The children of the root element, or undefined when the text is no such document. A document type is refused. */
export function parseXml(text: string, root: string): Tree | undefined {
  if (/<!(DOCTYPE|ENTITY)/i.test(text)) return undefined;
  try {
    const found: unknown = (parser.parse(text, true) as Tree)[root];
    if (found === "") return {};
    return typeof found === "object" && found !== null ? (found as Tree) : undefined;
  } catch {
    return undefined;
  }
}

/** The elements of this name, as trees. */
export const children = (tree: Tree, name: string): Tree[] =>
  (Array.isArray(tree[name]) ? (tree[name] as unknown[]) : []).filter(
    (child): child is Tree => typeof child === "object" && child !== null,
  );
/** The text of the only element of this name. */
export const textOf = (tree: Tree, name: string): string | undefined =>
  typeof tree[name] === "string" ? tree[name] : undefined;
