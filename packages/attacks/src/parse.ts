/** Checks a pattern that comes as JSON, from a file or a user: every error names its field, every size is bounded. */
import { AppError } from "@mlsec/contracts";
import { longest, type Slots, slotNames } from "./grammar.ts";
import { attackLabels } from "./labels.ts";
import {
  type AttackPattern,
  canProduce,
  definePattern,
  framed,
  type PatternDefinition,
  slotsOf,
  type Template,
  techniques,
} from "./pattern.ts";
import { severities } from "./severity.ts";
import { tagTitle } from "./taxonomy.ts";

/** Largest sizes of a pattern. Lengths are UTF-16 units. */
export const patternLimits = {
  templates: 64,
  turns: 16,
  slots: 64,
  fillers: 256,
  examples: 16,
  templateLength: 8_000,
  fillerLength: 2_000,
  textLength: 40_000,
} as const;

type Refuse = (field: string, expected: string) => never;
type Fields = Readonly<Record<string, unknown>>;

const required = ["id", "technique", "goal", "label", "severity", "tags", "source", "templates", "slots", "examples"];
const optional = ["about", "languages", "frame"];

/**
 * A pattern from JSON. It is data: templates and fillers, no code and no regular expression.
 * @param json a parsed JSON value, from anywhere
 * @returns the pattern
 * @throws AppError INVALID_INPUT that names the field: a missing, unknown or wrong one, an unknown slot, tag or
 *   language, slots that nest without end, a twin equal to its attack, an example the templates cannot give, a size
 *   above `patternLimits`
 * @example
 * parsePattern(JSON.parse(body)).attacks(createRng(1), 10);
 */
export function parsePattern(json: unknown): AttackPattern {
  const id = isObject(json) && typeof json["id"] === "string" ? json["id"].slice(0, 60) : "";
  const refuse: Refuse = (field, expected) => {
    const name = id === "" ? "the pattern" : `pattern "${id}"`;
    throw new AppError("INVALID_INPUT", `${name}: ${field}: ${expected}`, { field });
  };
  if (!isObject(json)) return refuse("(whole)", "expected a JSON object");
  for (const field of required) if (!Object.hasOwn(json, field)) refuse(field, "is missing");
  for (const field of Object.keys(json)) {
    if (![...required, ...optional].includes(field)) refuse(field, "is not a field of a pattern");
  }
  const definition = readDefinition(json, refuse);
  for (const slots of readSlots(definition, refuse)) checkTemplates(definition, slots, refuse);
  for (const [i, example] of definition.examples.entries()) {
    if (!canProduce(definition, example)) refuse(`examples[${i}]`, "the templates cannot give this text");
  }
  return definePattern(definition);
}

function readDefinition(json: Fields, refuse: Refuse): PatternDefinition {
  const text = (field: string, most: number, value: unknown = json[field]): string =>
    typeof value === "string" && value.length > 0 && value.length <= most
      ? value
      : refuse(field, `expected a string of 1 to ${most} characters`);
  const list = (field: string, most: number, value: unknown = json[field]): readonly unknown[] =>
    Array.isArray(value) && value.length <= most ? value : refuse(field, `expected an array of at most ${most}`);
  const texts = (field: string, most: number, length: number, value?: unknown): string[] =>
    list(field, most, value).map((item, i) => text(`${field}[${i}]`, length, item ?? null));
  const oneOf = <T extends string>(field: string, known: readonly T[]): T =>
    known.find((member) => member === json[field]) ?? refuse(field, `expected one of ${known.join(", ")}`);

  const id = text("id", 60);
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(id)) refuse("id", "expected lower-case words joined by hyphens");
  const tags = texts("tags", 16, 40);
  for (const [i, tag] of tags.entries()) if (tagTitle(tag) === undefined) refuse(`tags[${i}]`, `unknown tag "${tag}"`);
  const source = text("source", 500);
  if (!URL.canParse(source) || !source.startsWith("https://")) refuse("source", "expected an https:// address");
  const slots = json["slots"];
  if (!isObject(slots)) return refuse("slots", "expected an object");
  if (Object.keys(slots).length > patternLimits.slots) refuse("slots", `at most ${patternLimits.slots} names`);
  const fillers = Object.entries(slots).map(([name, value]): [string, string[]] => {
    const field = `slots.${name.slice(0, 60)}`;
    if (!/^[a-z][\w-]{0,59}$/i.test(name)) refuse(field, "expected a name of letters, digits, - and _");
    const found = list(field, patternLimits.fillers, value).map((item, i) =>
      item === "" ? "" : text(`${field}[${i}]`, patternLimits.fillerLength, item ?? null),
    );
    return found.length > 0 ? [name, found] : refuse(field, "has no fillers");
  });
  return {
    id,
    about: json["about"] === undefined || json["about"] === "" ? "" : text("about", 300),
    technique: oneOf("technique", techniques),
    goal: text("goal", 200),
    label: oneOf("label", [...attackLabels, "llm_only"]),
    severity: oneOf("severity", severities),
    tags,
    source,
    ...(json["languages"] === undefined ? {} : { languages: texts("languages", 64, 20) }),
    ...(json["frame"] === undefined ? {} : { frame: text("frame", 60) }),
    templates: list("templates", patternLimits.templates).map((pair, i) =>
      readPair(pair, `templates[${i}]`, { texts, text, refuse }),
    ),
    slots: Object.fromEntries(fillers),
    examples: texts("examples", patternLimits.examples, patternLimits.textLength),
  };
}

interface Readers {
  readonly text: (field: string, most: number, value: unknown) => string;
  readonly texts: (field: string, most: number, length: number, value: unknown) => string[];
  readonly refuse: Refuse;
}

function readPair(pair: unknown, field: string, { text, texts, refuse }: Readers): [Template, Template] {
  if (!Array.isArray(pair) || pair.length !== 2) return refuse(field, "expected a pair: attack, benign twin");
  const { turns, templateLength } = patternLimits;
  const [attack, twin] = pair.map((side: unknown, i): Template => {
    const name = `${field}[${i}]`;
    if (!Array.isArray(side)) return text(name, templateLength, side ?? null);
    const read = texts(name, turns, templateLength, side);
    return read.length >= 2 ? read : refuse(name, "expected two turns or more");
  }) as [Template, Template];
  if ((typeof attack === "string") !== (typeof twin === "string")) refuse(field, "one is a conversation, one is not");
  if (JSON.stringify(attack) === JSON.stringify(twin)) refuse(field, "the twin equals its attack");
  return [attack, twin];
}

/** The sets of slots, or an error that names the field when a language is unknown or there is nothing to draw. */
function readSlots(definition: PatternDefinition, refuse: Refuse): Slots[] {
  if (definition.templates.length === 0) refuse("templates", "expected one pair or more");
  if (definition.languages?.length === 0) refuse("languages", "expected one language or more");
  try {
    return slotsOf(definition);
  } catch (error) {
    return refuse("languages", messageOf(error));
  }
}

function checkTemplates(definition: PatternDefinition, slots: Slots, refuse: Refuse): void {
  const check = (field: string, template: string, own: Slots = slots): void => {
    for (const name of slotNames(template)) if (!own[name]?.length) refuse(field, `no fillers for the slot "${name}"`);
    let length = 0;
    try {
      length = longest(template, own);
    } catch (error) {
      refuse(field, messageOf(error));
    }
    if (length > patternLimits.textLength) refuse(field, `can give more than ${patternLimits.textLength} characters`);
  };
  for (const [i, pair] of definition.templates.entries()) {
    for (const [j, side] of pair.entries()) {
      for (const template of [side].flat()) check(`templates[${i}][${j}]`, template);
    }
  }
  if (definition.frame === undefined) return;
  if (definition.templates.some(([attack]) => typeof attack !== "string")) {
    refuse("frame", "a conversation has no frame");
  }
  const frames = Object.hasOwn(slots, definition.frame) ? slots[definition.frame] : undefined;
  if (!frames) return refuse("frame", `no slot is called "${definition.frame}"`);
  for (const frame of frames) {
    if (frame.split(framed).length !== 2) refuse("frame", `a filler does not hold ${framed} once`);
    check("frame", frame.replace(framed, ""));
  }
}

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
