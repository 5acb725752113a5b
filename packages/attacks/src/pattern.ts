/** What an attack pattern is: metadata and pairs of templates, one for the attack and one for its benign twin. */
import { AppError } from "@mlsec/contracts";
import { fill, type Slots, slotNames } from "./grammar.ts";
import type { AttackLabel } from "./labels.ts";
import { createRng, type Rng } from "./rng.ts";
import type { Severity } from "./severity.ts";
import vocabulary from "./vocabulary.json" with { type: "json" };

/** How an attack works, whatever it is after. */
export const techniques = ["override", "carrier", "persona", "framing", "extraction", "payload", "language"] as const;

/** One of the techniques. */
export type Technique = (typeof techniques)[number];

/** An attack and the harmless text of the same shape and, where the grammar allows it, the same words. */
export interface AttackPair {
  readonly text: string;
  readonly twin: string;
}

/** A pattern as a file or a user declares it. It is data: a user pattern is the same object as JSON. */
export interface PatternDefinition {
  /** File name without ending. */
  readonly id: string;
  readonly technique: Technique;
  /** What the attack is after, as an imperative. */
  readonly goal: string;
  readonly label: AttackLabel;
  readonly severity: Severity;
  /** Entries of the taxonomies, such as `owasp:llm01`. */
  readonly tags: readonly string[];
  /** Where the technique is described. */
  readonly source: string;
  /** Pairs of templates in the language of grammar.ts: attack, benign twin. Both get the same fillers. */
  readonly templates: readonly (readonly [attack: string, twin: string])[];
  /** Fillers besides those of vocabulary.json. */
  readonly slots: Slots;
  /** Attacks that the templates can produce; a test holds them to it. */
  readonly examples: readonly string[];
}

/** A pattern that can be drawn from. */
export interface AttackPattern extends PatternDefinition {
  /** `n` attacks with their twins; repeats are possible when n nears the size of the grammar. */
  attacks(rng: Rng, n: number): AttackPair[];
}

/**
 * Gives a definition its generator.
 * @param definition metadata, templates and slots
 * @returns the pattern
 * @example
 * export default definePattern({ id: "direct-override", technique: "override", …, templates: [["…", "…"]], slots: {} });
 */
export function definePattern(definition: PatternDefinition): AttackPattern {
  const slots: Slots = { ...vocabulary, ...definition.slots };
  return { ...definition, attacks: (rng, n) => Array.from({ length: n }, () => drawPair(definition, slots, rng)) };
}

function drawPair({ templates }: PatternDefinition, slots: Slots, rng: Rng): AttackPair {
  const [attack, twin] = rng.pick(templates);
  const bindings = new Map<string, string[]>();
  return { text: fill(attack, slots, rng, bindings), twin: fill(twin, slots, rng, bindings) };
}

/**
 * A pattern from JSON that a user sent.
 * @param definition object of the right types (checked at the door against the contract)
 * @returns the pattern
 * @throws AppError INVALID_INPUT naming what is wrong: no templates, an unknown slot, a twin equal to its attack
 */
export function compilePattern(definition: PatternDefinition): AttackPattern {
  const refuse = (message: string): never => {
    throw new AppError("INVALID_INPUT", `pattern "${definition.id}": ${message}`, { id: definition.id });
  };
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(definition.id)) refuse("the id is not kebab-case");
  if (definition.templates.length === 0) refuse("it has no templates");
  const slots: Slots = { ...vocabulary, ...definition.slots };
  for (const [attack, twin] of definition.templates) {
    if (attack === twin) refuse(`the twin equals its attack: "${attack.slice(0, 60)}"`);
    for (const name of [...slotNames(attack), ...slotNames(twin)]) {
      if (!slots[name]?.length) refuse(`no fillers for the slot "${name}"`);
    }
  }
  const pattern = definePattern(definition);
  pattern.attacks(createRng(definition.id), 50);
  return pattern;
}

/**
 * Whether a pattern's grammar can produce a text as an attack.
 * @param definition the pattern
 * @param text the text
 * @returns true when some template and some fillers give exactly this text
 */
export function canProduce(definition: PatternDefinition, text: string): boolean {
  const slots: Slots = { ...vocabulary, ...definition.slots };
  return definition.templates.some(([attack]) => new RegExp(`^${expression(attack, slots)}$`, "su").test(text));
}

function expression(template: string, slots: Slots): string {
  const parts = template.split(/\[\[([^[\]]+)\]\]/);
  return parts
    .map((part, i) => {
      if (i % 2 === 0) return RegExp.escape(part);
      const list = part.includes("|") ? part.split("|") : (slots[part] ?? []);
      return `(?:${list.map((filler) => expression(filler, slots)).join("|")})`;
    })
    .join("");
}
