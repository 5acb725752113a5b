// Turns parsed comparisons into conditions with numbered parameters; every name that reaches SQL comes from a table here.
import { AppError } from "@mlsec/contracts";
import { type Comparison, type Entity, type Order, parseFilter, parseOrder } from "./filter.ts";

/** What can be asked of one kind of thing. Fragments are SQL; `$key` stands for the key's parameter. */
export interface Searchable {
  readonly texts: Readonly<Record<string, string>>;
  readonly numbers: Readonly<Record<string, string>>;
  readonly keyed: Partial<Readonly<Record<Exclude<Entity, "attribute">, string>>>;
  /** Ends every order, so that pages never overlap. */
  readonly tieBreak: string;
  readonly standardOrder: string;
}

/** Parameters of one statement, in the order they were added. */
export interface Parameters {
  readonly values: unknown[];
  add(value: unknown): string;
}
export function createParameters(): Parameters {
  const values: unknown[] = [];
  return { values, add: (value) => `$${values.push(value)}` };
}

/** The filter as a condition. INVALID_INPUT names the key that cannot be asked. */
export function conditionOf(filter: string | undefined, searchable: Searchable, parameters: Parameters): string {
  const conditions = parseFilter(filter).map((comparison) => conditionFor(comparison, searchable, parameters));
  return conditions.length === 0 ? "true" : conditions.join(" and ");
}

/** The order strings as an ORDER BY list. */
export function orderOf(orders: readonly string[] | undefined, searchable: Searchable, parameters: Parameters): string {
  if (!orders || orders.length === 0) return `${searchable.standardOrder}, ${searchable.tieBreak}`;
  const parts = orders.map((text) => {
    const order = parseOrder(text);
    return `(${expression(order, searchable, parameters).sql}) ${order.descending ? "desc" : "asc"} nulls last`;
  });
  return [...parts, searchable.tieBreak].join(", ");
}

function expression(
  { entity, key }: Pick<Order, "entity" | "key">,
  searchable: Searchable,
  parameters: Parameters,
): { sql: string; isNumber: boolean } {
  if (entity !== "attribute") {
    const fragment = searchable.keyed[entity];
    if (!fragment) throw new AppError("INVALID_INPUT", `${entity}s cannot be asked here`);
    return { sql: fragment.replace("$key", `${parameters.add(key)}::text`), isNumber: entity === "metric" };
  }
  const name = key.toLowerCase();
  if (Object.hasOwn(searchable.numbers, name)) return { sql: searchable.numbers[name] ?? "", isNumber: true };
  if (Object.hasOwn(searchable.texts, name)) return { sql: searchable.texts[name] ?? "", isNumber: false };
  const known = [...Object.keys(searchable.texts), ...Object.keys(searchable.numbers)].join(", ");
  throw new AppError("INVALID_INPUT", `unknown attribute ${JSON.stringify(key.slice(0, 80))}; known are ${known}`);
}

function conditionFor(comparison: Comparison, searchable: Searchable, parameters: Parameters): string {
  const { sql, isNumber } = expression(comparison, searchable, parameters);
  const { operator, key } = comparison;
  const values = comparison.values.map((value) => typed(value, isNumber, key));
  const cast = isNumber ? "double precision" : "text";
  if (operator === "is null" || operator === "is not null") return `(${sql}) ${operator}`;
  if (operator === "in") return `(${sql}) = any(${parameters.add(values)}::${cast}[])`;
  if (operator === "not in") return `(${sql}) <> all(${parameters.add(values)}::${cast}[])`;
  if ((operator === "like" || operator === "ilike") && isNumber)
    throw new AppError("INVALID_INPUT", `${key} is a number; ${operator.toUpperCase()} compares texts`);
  // MLflow's client asks for everything that is no prompt in this way, and means things without the tag too.
  const isPromptTest = operator === "!=" && key === "mlflow.prompt.is_prompt";
  return `(${sql}) ${isPromptTest ? "is distinct from" : operator} ${parameters.add(values[0])}::${cast}`;
}

function typed(value: string | number, isNumber: boolean, key: string): string | number {
  if (!isNumber) return String(value);
  const number = Number(value);
  if (Number.isFinite(number) && value !== "") return number;
  throw new AppError(
    "INVALID_INPUT",
    `${key} is compared with a number, not with ${JSON.stringify(String(value).slice(0, 80))}`,
  );
}

/** `page_token` is the count of rows before the page. */
export function pageOf(maxResults: number | undefined, token: string | undefined): { limit: number; offset: number } {
  const offset = token === undefined || token === "" ? 0 : Number(token);
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw new AppError("INVALID_INPUT", "page_token: not one that this server gave");
  return { limit: Math.min(maxResults ?? 1000, 50_000), offset };
}
