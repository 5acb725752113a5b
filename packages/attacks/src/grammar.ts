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

const slotPattern = /\[\[([^[\]]+)\]\]/g;
const maxDepth = 6;

/**
 * Fills a template.
 * @param template text with slots
 * @param slots fillers by slot name
 * @param rng source of choices
 * @param bindings what an earlier text of the same pair used: its nth use of a slot is repeated here, which is how a
 *   twin gets the words of its attack; new choices are added to it
 * @returns the text
 * @throws AppError INVALID_INPUT when a slot is unknown or slots nest deeper than 6
 * @example
 * fill("[[hi|hello]], [[name]]", { name: ["Ada"] }, createRng(1)); // "hello, Ada"
 */
export function fill(template: string, slots: Slots, rng: Rng, bindings: Bindings = new Map()): string {
  const used = new Map<string, number>();
  const choose = (name: string, depth: number): string => {
    if (depth > maxDepth) throw new AppError("INVALID_INPUT", `slot "${name}" nests deeper than ${maxDepth}`, { name });
    const position = used.get(name) ?? 0;
    used.set(name, position + 1);
    const bound = bindings.get(name) ?? [];
    const known = bound[position];
    if (known !== undefined) return known;
    const filler = name.includes("|") ? rng.pick(name.split("|")) : rng.pick(fillers(slots, name));
    const text = filler.replaceAll(slotPattern, (_, inner: string) => choose(inner, depth + 1));
    bound[position] = text;
    bindings.set(name, bound);
    return text;
  };
  return template.replaceAll(slotPattern, (_, name: string) => choose(name, 0));
}

/**
 * The slots a template names, without choices on the spot.
 * @param template text with slots
 * @returns slot names in order of appearance, repeats included
 */
export function slotNames(template: string): string[] {
  return [...template.matchAll(slotPattern)].map((match) => match[1] as string).filter((name) => !name.includes("|"));
}

function fillers(slots: Slots, name: string): readonly string[] {
  const list = Object.hasOwn(slots, name) ? slots[name] : undefined;
  if (!list || list.length === 0) {
    const known = Object.keys(slots).join(", ");
    throw new AppError("INVALID_INPUT", `template names the slot "${name}"; known slots: ${known}`, { name });
  }
  return list;
}
