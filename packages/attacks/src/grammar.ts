/**
 * Templates with slots: the one language that patterns, user patterns and the training data are written in.
 * `[[name]]` is a slot, `[[a|b|c]]` a choice on the spot; a filler may hold slots itself.
 */
import { AppError } from "@mlsec/contracts";
import type { Rng } from "./rng.ts";

/** Fillers by slot name. */
export type Slots = Readonly<Record<string, readonly string[]>>;

/** What the slots of one text were filled with, by slot name, in order of appearance. */
export type Bindings = Map<string, string[]>;

/** Slots may nest this deep. */
export const maxDepth = 6;

/** A template cut at its slots: a literal, a slot, a literal, … and a last literal. */
interface Compiled {
  readonly literals: readonly string[];
  readonly slots: readonly string[];
}

/** Compiled templates and fillers of one set of slots; texts are drawn by the ten thousand. */
interface Grammar {
  template(text: string): Compiled;
  fillers(name: string): readonly Compiled[];
}

const slotPattern = /\[\[([^[\]]+)\]\]/;
const grammars = new WeakMap<Slots, Grammar>();
/** By list, since most patterns share most lists. */
const compiledLists = new WeakMap<readonly string[], readonly Compiled[]>();

/**
 * Fills a template.
 * @param template text with slots
 * @param slots fillers by slot name; what was compiled is remembered for this object
 * @param rng source of choices
 * @param bindings what an earlier text of the same pair used: its nth use of a slot is repeated here, which is how a
 *   twin gets the words of its attack; new choices are added to it
 * @returns the text
 * @throws AppError INVALID_INPUT when a slot is unknown or slots nest deeper than 6
 * @example
 * fill("[[hi|hello]], [[name]]", { name: ["Ada"] }, createRng(1)); // "hello, Ada"
 */
export function fill(template: string, slots: Slots, rng: Rng, bindings: Bindings = new Map()): string {
  const grammar = grammarOf(slots);
  const used = new Map<string, number>();
  const write = ({ literals, slots: names }: Compiled, depth: number): string => {
    let text = literals[0] as string;
    for (let i = 0; i < names.length; i++) text += choose(names[i] as string, depth) + (literals[i + 1] as string);
    return text;
  };
  const choose = (name: string, depth: number): string => {
    if (depth > maxDepth) throw new AppError("INVALID_INPUT", `slot "${name}" nests deeper than ${maxDepth}`, { name });
    const position = used.get(name) ?? 0;
    used.set(name, position + 1);
    let bound = bindings.get(name);
    const known = bound?.[position];
    if (known !== undefined) return known;
    const text = write(rng.pick(grammar.fillers(name)), depth + 1);
    bound = bindings.get(name);
    if (!bound) bindings.set(name, (bound = []));
    bound[position] = text;
    return text;
  };
  return write(grammar.template(template), 0);
}

/**
 * The slots a template names, without choices on the spot.
 * @param template text with slots
 * @returns slot names in order of appearance, repeats included
 * @example
 * slotNames("[[a]] [[x|y]] [[b]]"); // ["a", "b"]
 */
export function slotNames(template: string): string[] {
  return compile(template).slots.filter((name) => !name.includes("|"));
}

/**
 * Whether a template can be filled so that it gives exactly this text.
 * @param template text with slots
 * @param slots fillers by slot name
 * @param text the text
 * @returns true when some choice of fillers gives the text
 * @example
 * canFill("[[hi|hello]] [[name]]", { name: ["Ada"] }, "hi Ada"); // true
 */
export function canFill(template: string, slots: Slots, text: string): boolean {
  const grammar = grammarOf(slots);
  const known = new Map<string, ReadonlySet<number>>();
  const after = ({ literals, slots: names }: Compiled, start: number, depth: number): Set<number> => {
    let ends = new Set<number>(
      text.startsWith(literals[0] as string, start) ? [start + (literals[0] as string).length] : [],
    );
    for (let i = 0; i < names.length && ends.size > 0; i++) {
      const literal = literals[i + 1] as string;
      const next = new Set<number>();
      for (const from of ends) {
        for (const end of afterSlot(names[i] as string, from, depth)) {
          if (text.startsWith(literal, end)) next.add(end + literal.length);
        }
      }
      ends = next;
    }
    return ends;
  };
  const afterSlot = (name: string, start: number, depth: number): ReadonlySet<number> => {
    const key = `${start} ${name}`;
    const found = known.get(key);
    if (found || depth > maxDepth) return found ?? new Set();
    const ends = new Set<number>();
    for (const filler of grammar.fillers(name)) for (const end of after(filler, start, depth + 1)) ends.add(end);
    known.set(key, ends);
    return ends;
  };
  return after(grammar.template(template), 0, 0).has(text.length);
}

/**
 * Length of the longest text a template can give.
 * @param template text with slots
 * @param slots fillers by slot name
 * @returns UTF-16 units
 * @throws AppError INVALID_INPUT when a slot is unknown or slots nest deeper than 6
 * @example
 * longest("[[a|bcd]]!", {}); // 4
 */
export function longest(template: string, slots: Slots): number {
  const grammar = grammarOf(slots);
  const known = new Map<string, { length: number; depth: number }>();
  const measure = ({ literals, slots: names }: Compiled, depth: number): { length: number; depth: number } => {
    let length = literals.reduce((sum, literal) => sum + literal.length, 0);
    let below = 0;
    for (const name of names) {
      const slot = measureSlot(name, depth);
      length += slot.length;
      below = Math.max(below, slot.depth + 1);
    }
    return { length, depth: below };
  };
  const measureSlot = (name: string, depth: number): { length: number; depth: number } => {
    const found = known.get(name);
    if (depth + (found?.depth ?? 0) > maxDepth) {
      throw new AppError("INVALID_INPUT", `slot "${name}" nests deeper than ${maxDepth}`, { name });
    }
    if (found) return found;
    const most = { length: 0, depth: 0 };
    for (const filler of grammar.fillers(name)) {
      const { length, depth: below } = measure(filler, depth + 1);
      most.length = Math.max(most.length, length);
      most.depth = Math.max(most.depth, below);
    }
    known.set(name, most);
    return most;
  };
  return measure(grammar.template(template), 0).length;
}

function grammarOf(slots: Slots): Grammar {
  const found = grammars.get(slots);
  if (found) return found;
  const templates = new Map<string, Compiled>();
  const choices = new Map<string, readonly Compiled[]>();
  const grammar: Grammar = {
    template: (text) => remember(templates, text, () => compile(text)),
    fillers: (name) =>
      name.includes("|") ? remember(choices, name, () => compileAll(name.split("|"))) : compiled(fillers(slots, name)),
  };
  grammars.set(slots, grammar);
  return grammar;
}

function remember<T>(map: Map<string, T>, key: string, make: () => T): T {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}

function compiled(list: readonly string[]): readonly Compiled[] {
  let found = compiledLists.get(list);
  if (!found) compiledLists.set(list, (found = compileAll(list)));
  return found;
}

const compileAll = (list: readonly string[]): Compiled[] => list.map(compile);

function compile(template: string): Compiled {
  const parts = template.split(slotPattern);
  return { literals: parts.filter((_, i) => i % 2 === 0), slots: parts.filter((_, i) => i % 2 === 1) };
}

function fillers(slots: Slots, name: string): readonly string[] {
  const list = Object.hasOwn(slots, name) ? slots[name] : undefined;
  if (!list || list.length === 0) {
    const known = Object.keys(slots).join(", ");
    throw new AppError("INVALID_INPUT", `template names the slot "${name}"; known slots: ${known}`, { name });
  }
  return list;
}
