/** Puts mutators together: several in a row (a stack), or one on a part of the text (a slice). */
import { AppError } from "@mlsec/contracts";
import type { Mutator } from "./mutator.ts";
import type { Rng } from "./rng.ts";

/** Which part of a text a slice covers. Words are runs without white space. */
export type Selection =
  | { readonly kind: "words"; readonly share: number }
  | { readonly kind: "every"; readonly step: number }
  | { readonly kind: "range"; readonly from: number; readonly to: number }
  | { readonly kind: "keywords"; readonly words: readonly string[] }
  | { readonly kind: "glob"; readonly pattern: string }
  | { readonly kind: "half"; readonly which: "first" | "second" }
  | { readonly kind: "sentence"; readonly index: number };

/** A part of a text: UTF-16 units from `start` to before `end`. */
export interface Part {
  readonly start: number;
  readonly end: number;
}

const most = { steps: 6, length: 200 };

/**
 * A mutator from an expression: ids joined by `+` are applied from left to right, and `@part` after an id limits it.
 * Parts: `words(0.5)` (that share of the words, at random), `every(3)` (each third word), `range(2,5)` (words 2 to 4),
 * `keywords(ignore,rules)`, `glob(pass*)` (words by `*` and `?`), `half(first)`, `half(second)`, `sentence(0)`.
 * @param expression such as `leetspeak@words(0.3)+code-block`
 * @param known finds a mutator by its id
 * @returns the mutator; its id is the expression
 * @throws AppError INVALID_INPUT for an unknown id or part, more than 6 steps, or a step that would destroy the one
 *   before: after an encoding only what can be undone exactly may follow
 * @example
 * parseMutator("base64@half(second)", (id) => mutators.get(id)).apply("one two", createRng(1));
 */
export function parseMutator(expression: string, known: (id: string) => Mutator | undefined): Mutator {
  const refuse = (why: string): never => {
    throw new AppError("INVALID_INPUT", `mutator "${expression.slice(0, most.length)}": ${why}`, {
      mutator: expression,
    });
  };
  if (expression.length > most.length) return refuse(`longer than ${most.length} characters`);
  const steps = expression.split(/\+(?![^(]*\))/);
  if (steps.length > most.steps) return refuse(`more than ${most.steps} steps`);
  const parsed = steps.map((step) => {
    const [id = "", part, ...more] = step.split("@");
    if (more.length > 0) return refuse(`more than one @ in "${step}"`);
    const mutator = known(id) ?? refuse(`no mutator is called "${id}"`);
    return part === undefined ? mutator : slice(mutator, parseSelection(part, refuse), step);
  });
  return parsed.length === 1 ? (parsed[0] as Mutator) : stack(parsed, expression);
}

/**
 * The ids that an expression names.
 * @param expression as for `parseMutator`
 * @returns ids, repeats included
 * @example
 * idsOf("leetspeak@words(0.3)+code-block"); // ["leetspeak", "code-block"]
 */
export function idsOf(expression: string): string[] {
  return expression.split(/\+(?![^(]*\))/).map((step) => step.split("@")[0] as string);
}

/**
 * Several mutators in a row.
 * @param steps applied from first to last
 * @param id of the result
 * @returns the stack; it can be undone when every step can
 * @throws AppError INVALID_INPUT when a step would destroy an encoding before it
 * @example
 * stack([rot13, base64]).apply("hello", rng);
 */
export function stack(steps: readonly Mutator[], id: string = steps.map((step) => step.id).join("+")): Mutator {
  const encoding = steps.findIndex((step) => step.group === "encoding");
  const broken = steps.find((step, i) => encoding >= 0 && i > encoding && isLossy(step));
  if (broken) {
    const before = steps[encoding]?.id;
    throw new AppError(
      "INVALID_INPUT",
      `"${broken.id}" after "${before}" would destroy it: it cannot be undone exactly`,
      {
        id,
      },
    );
  }
  const invertible = steps.every((step) => step.invert);
  const folds = steps.flatMap(({ fold }) => (fold ? [fold] : []));
  return {
    id,
    group: (steps[0] as Mutator).group,
    summary: steps
      .map((step) => step.summary)
      .join("; then ")
      .slice(0, 300),
    apply: (text, rng) => steps.reduce((worn, step, i) => step.apply(worn, rng.fork(`step/${i}`)), text),
    ...(invertible
      ? {
          invert: (text: string) =>
            steps.reduceRight((worn, step) => (step.invert as (t: string) => string)(worn), text),
        }
      : {}),
    ...(folds.length > 0 ? { fold: (text: string) => folds.reduce((folded, fold) => fold(folded), text) } : {}),
    appliesTo: (text) => steps[0]?.appliesTo?.(text) ?? true,
    examples: [],
  };
}

/**
 * A mutator on a part of the text; the rest stays as it is.
 * @param mutator the disguise
 * @param selection which part
 * @param id of the result
 * @returns the slice; it has no inverse of its own, `sliceParts` says where its parts lie
 * @example
 * slice(base64, { kind: "keywords", words: ["password"] }).apply("the password please", rng);
 */
export function slice(mutator: Mutator, selection: Selection, id = `${mutator.id}@${selection.kind}`): Mutator {
  const carries = (text: string): boolean => mutator.appliesTo?.(text) ?? true;
  return {
    id,
    group: mutator.group,
    summary: `${mutator.summary}, on a part of the text`,
    apply: (text, rng) => applySlice(mutator, selection, { text, rng }).text,
    appliesTo: (text) => mayMatch(selection, text) && (selection.kind !== "half" || carries(text)),
    examples: [],
  };
}

/** A disguised part and what it was. */
export interface Worn {
  readonly source: string;
  readonly disguised: string;
}

/**
 * What `slice` does, with the parts that were disguised.
 * @param mutator the disguise
 * @param selection which part
 * @param input the text and the random stream
 * @returns the text, the disguised parts in order, and the untouched stretches around them, one more than parts
 * @example
 * applySlice(rot13, { kind: "every", step: 2 }, { text: "one two", rng }).rest; // ["", " two"]
 */
export function applySlice(
  mutator: Mutator,
  selection: Selection,
  input: { readonly text: string; readonly rng: Rng },
) {
  const { text, rng } = input;
  const parts: Worn[] = [];
  const rest: string[] = [];
  let done = 0;
  for (const { start, end } of selectParts(selection, text, rng)) {
    const source = text.slice(start, end);
    if (mutator.appliesTo?.(source) === false) continue;
    rest.push(text.slice(done, start));
    parts.push({ source, disguised: mutator.apply(source, rng.fork(`part/${start}`)) });
    done = end;
  }
  rest.push(text.slice(done));
  const worn = rest.map((stretch, i) => stretch + (parts[i]?.disguised ?? "")).join("");
  return { text: worn, parts, rest };
}

/** Noise, and disguises that lose something, cannot follow an encoding; what only adds around the text can. */
function isLossy({ fold, maxEdits }: Mutator): boolean {
  return fold !== undefined || maxEdits !== undefined;
}

function selectParts(selection: Selection, text: string, rng: Rng): Part[] {
  if (selection.kind === "half") return [halfOf(text, selection.which)];
  if (selection.kind === "sentence") return sentencesOf(text).slice(selection.index).slice(0, 1);
  const words = wordsOf(text);
  switch (selection.kind) {
    case "words": {
      const count = Math.max(1, Math.round(selection.share * words.length));
      return rng
        .shuffle(words)
        .slice(0, count)
        .sort((a, b) => a.start - b.start);
    }
    case "every":
      return words.filter((_, i) => i % selection.step === 0);
    case "range":
      return words.slice(selection.from, selection.to);
    case "keywords":
      return words.flatMap((word) => keywordIn(text, word, selection.words));
    case "glob":
      return words.filter(({ start, end }) => globMatches(selection.pattern, text.slice(start, end).toLowerCase()));
  }
}

function mayMatch(selection: Selection, text: string): boolean {
  const lower = text.toLowerCase();
  if (selection.kind === "keywords") return selection.words.some((word) => lower.includes(word));
  if (selection.kind === "glob") return lower.split(/\s+/).some((word) => globMatches(selection.pattern, word));
  return /\S/.test(text);
}

function wordsOf(text: string): Part[] {
  return [...text.matchAll(/\S+/g)].map((match) => ({ start: match.index, end: match.index + match[0].length }));
}

function sentencesOf(text: string): Part[] {
  return [...text.matchAll(/[^.!?。！？\n]+[.!?。！？]*/g)].map((match) => ({
    start: match.index,
    end: match.index + match[0].length,
  }));
}

/** Cut between words, and never inside a surrogate pair, near the middle. */
function halfOf(text: string, which: "first" | "second"): Part {
  const middle = Math.floor(text.length / 2);
  const space = text.indexOf(" ", middle);
  const pair = /[\udc00-\udfff]/.test(text[middle] ?? "") ? 1 : 0;
  const cut = space >= 0 ? space + 1 : middle + pair;
  return which === "first" ? { start: 0, end: cut } : { start: cut, end: text.length };
}

function keywordIn(text: string, { start, end }: Part, keywords: readonly string[]): Part[] {
  const word = text.slice(start, end).toLowerCase();
  const bare = word.replaceAll(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, "");
  if (bare === "" || !keywords.includes(bare)) return [];
  const at = start + word.indexOf(bare);
  return [{ start: at, end: at + bare.length }];
}

/** `*` stands for any run, `?` for one unit; linear in both lengths but for the backtracking of one star. */
function globMatches(pattern: string, word: string): boolean {
  let [p, w, star, mark] = [0, 0, -1, 0];
  while (w < word.length) {
    if (p < pattern.length && (pattern[p] === "?" || pattern[p] === word[w])) {
      p++;
      w++;
    } else if (pattern[p] === "*") {
      star = p++;
      mark = w;
    } else if (star >= 0) {
      p = star + 1;
      w = ++mark;
    } else return false;
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}

function parseSelection(part: string, refuse: (why: string) => never): Selection {
  const [, kind = "", inside = ""] = /^([a-z]+)\(([^()]*)\)$/.exec(part) ?? [];
  const list = inside.split(",").map((item) => item.trim().toLowerCase());
  const number = (i: number, least: number): number => {
    const value = Number(list[i]);
    return list[i] !== "" && Number.isFinite(value) && value >= least ? value : refuse(`"${part}" lacks a number`);
  };
  const whole = (i: number, least: number): number => Math.floor(number(i, least));
  switch (kind) {
    case "words":
      return { kind, share: Math.min(1, number(0, 0)) };
    case "every":
      return { kind, step: whole(0, 1) };
    case "range":
      return { kind, from: whole(0, 0), to: whole(1, 1) };
    case "keywords":
      return list.some((word) => word !== "") ? { kind, words: list } : refuse(`"${part}" names no word`);
    case "glob":
      return inside.trim() !== "" ? { kind, pattern: inside.trim().toLowerCase() } : refuse(`"${part}" has no pattern`);
    case "half":
      return list[0] === "first" || list[0] === "second"
        ? { kind, which: list[0] }
        : refuse(`"${part}" is neither half(first) nor half(second)`);
    case "sentence":
      return { kind, index: whole(0, 0) };
    default:
      return refuse(`no part is called "${part}"; known: words, every, range, keywords, glob, half, sentence`);
  }
}
