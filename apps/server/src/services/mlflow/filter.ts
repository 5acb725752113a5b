// The filter and order strings of MLflow's searches, as a small strict grammar: comparisons joined by AND.
// What it cannot do is an error that says so, never an ignored condition.
import { AppError } from "@mlsec/contracts";

export type Entity = "attribute" | "metric" | "param" | "tag";
export type Operator =
  | "="
  | "!="
  | "<"
  | "<="
  | ">"
  | ">="
  | "like"
  | "ilike"
  | "in"
  | "not in"
  | "is null"
  | "is not null";
export interface Comparison {
  readonly entity: Entity;
  readonly key: string;
  readonly operator: Operator;
  /** One value, several for `in`, none for the null tests. */
  readonly values: readonly (string | number)[];
}
export interface Order {
  readonly entity: Entity;
  readonly key: string;
  readonly descending: boolean;
}

const entities: Readonly<Record<string, Entity>> = {
  attribute: "attribute",
  attributes: "attribute",
  attr: "attribute",
  run: "attribute",
  metric: "metric",
  metrics: "metric",
  param: "param",
  params: "param",
  parameter: "param",
  parameters: "param",
  tag: "tag",
  tags: "tag",
};

type Token = { readonly kind: "word" | "string" | "quoted" | "number" | "sign"; readonly text: string };
const lexer =
  /\s*(?:(?<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?<quoted>`[^`]*`)|(?<number>-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.]))|(?<sign>!=|<=|>=|[=<>(),.])|(?<word>[\w/-]+))/iy;

function tokens(text: string): Token[] {
  const found: Token[] = [];
  lexer.lastIndex = 0;
  while (text.slice(lexer.lastIndex).trim() !== "") {
    const at = lexer.lastIndex;
    const groups = lexer.exec(text)?.groups;
    const entry = groups && Object.entries(groups).find(([, value]) => value !== undefined);
    if (!entry) throw unreadable(text, `unexpected character at ${at}`);
    found.push({ kind: entry[0] as Token["kind"], text: entry[1] ?? "" });
  }
  return found;
}

const unreadable = (text: string, why: string): AppError =>
  new AppError("INVALID_INPUT", `cannot read ${JSON.stringify(text.slice(0, 200))}: ${why}`);
const unquote = (text: string): string => text.slice(1, -1).replace(/\\(.)/gs, "$1");

/** The comparisons of a filter string; none for an empty one. INVALID_INPUT says what could not be read. */
export function parseFilter(filter: string | undefined): Comparison[] {
  if (filter === undefined || filter.trim() === "") return [];
  const reader = createReader(filter);
  const comparisons = [comparison(reader)];
  while (!reader.done()) {
    if (!reader.word("and")) throw unreadable(filter, "comparisons are joined by AND");
    comparisons.push(comparison(reader));
  }
  return comparisons;
}

/** `metrics.f1 DESC` taken apart. */
export function parseOrder(text: string): Order {
  const reader = createReader(text);
  const place = keyOf(reader);
  const descending = reader.word("desc");
  if (!descending) reader.word("asc");
  if (!reader.done()) throw unreadable(text, "expected a key, then ASC or DESC");
  return { ...place, descending };
}

interface Reader {
  readonly text: string;
  done(): boolean;
  next(what: string): Token;
  /** Takes the word when it is next. */
  word(word: string): boolean;
  sign(sign: string): boolean;
}

function createReader(text: string): Reader {
  const all = tokens(text);
  let at = 0;
  const take = (kind: Token["kind"], wanted: string): boolean => {
    const token = all[at];
    if (token?.kind !== kind || token.text.toLowerCase() !== wanted) return false;
    at++;
    return true;
  };
  return {
    text,
    done: () => at >= all.length,
    next(what) {
      const token = all[at++];
      if (!token) throw unreadable(text, `expected ${what} at its end`);
      return token;
    },
    word: (word) => take("word", word),
    sign: (sign) => take("sign", sign),
  };
}

function keyOf(reader: Reader): { entity: Entity; key: string } {
  const parts = [part(reader)];
  while (reader.sign(".")) parts.push(part(reader));
  const [prefix = "", ...rest] = parts;
  if (rest.length === 0) return { entity: "attribute", key: prefix };
  const entity = Object.hasOwn(entities, prefix.toLowerCase()) ? entities[prefix.toLowerCase()] : undefined;
  if (!entity) throw unreadable(reader.text, `${prefix} is none of attributes, metrics, params and tags`);
  // Keys such as mlflow.runName have dots of their own.
  return { entity, key: rest.join(".") };
}

function part(reader: Reader): string {
  const { kind, text } = reader.next("a key");
  if (kind === "sign") throw unreadable(reader.text, `expected a key, got ${text}`);
  return kind === "string" || kind === "quoted" ? unquote(text) : text;
}

function comparison(reader: Reader): Comparison {
  const { entity, key } = keyOf(reader);
  if (reader.word("is")) {
    const isNot = reader.word("not");
    if (!reader.word("null")) throw unreadable(reader.text, "expected NULL after IS");
    return { entity, key, operator: isNot ? "is not null" : "is null", values: [] };
  }
  if (reader.word("not")) {
    if (!reader.word("in")) throw unreadable(reader.text, "expected IN after NOT");
    return { entity, key, operator: "not in", values: listOf(reader) };
  }
  if (reader.word("in")) return { entity, key, operator: "in", values: listOf(reader) };
  for (const operator of ["like", "ilike"] as const)
    if (reader.word(operator)) return { entity, key, operator, values: [valueOf(reader)] };
  const sign = reader.next("an operator");
  if (sign.kind !== "sign" || !/^(=|!=|<=?|>=?)$/.test(sign.text))
    throw unreadable(reader.text, `${sign.text} is no operator here`);
  return { entity, key, operator: sign.text as Operator, values: [valueOf(reader)] };
}

function valueOf(reader: Reader): string | number {
  const token = reader.next("a value");
  if (token.kind === "number") return Number(token.text);
  if (token.kind === "string") return unquote(token.text);
  throw unreadable(reader.text, `expected a quoted text or a number, got ${token.text}`);
}

function listOf(reader: Reader): (string | number)[] {
  if (!reader.sign("(")) throw unreadable(reader.text, "expected ( after IN");
  const values = [valueOf(reader)];
  while (reader.sign(",")) values.push(valueOf(reader));
  if (!reader.sign(")")) throw unreadable(reader.text, "expected ) after the list");
  return values;
}
