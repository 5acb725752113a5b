/** Draws a campaign: patterns × mutators × seed, every attack with its benign twin in the same disguise. */
import { AppError, type AttackLabel, type Label } from "@mlsec/contracts";
import { attackLabels } from "./labels.ts";
import type { Mutator } from "./mutator.ts";
import type { AttackPair, AttackPattern } from "./pattern.ts";
import { loadMutators, loadPatterns } from "./registry.ts";
import { createRng, type Rng } from "./rng.ts";
import type { Severity } from "./severity.ts";

/** What to draw. */
export interface CampaignOptions {
  /** Pattern ids; all of them when left out. */
  readonly patterns?: readonly string[];
  /** Labels to attack with; all four when left out. */
  readonly categories?: readonly AttackLabel[];
  /** Mutator ids, used in turn, `"none"` for attacks as they are; only plain attacks when left out. */
  readonly mutators?: readonly string[];
  /** How many attacks; the twins come on top. */
  readonly numAttacks: number;
  /** The same seed and options give the same campaign. */
  readonly seed: number;
  /** False leaves the benign twins out. Default true. */
  readonly twins?: boolean;
  /** Patterns that users added, compiled. */
  readonly userPatterns?: readonly AttackPattern[];
}

/** One text of a campaign: an attack, or the benign twin of one. */
export interface CampaignText {
  /** `a12` for the twelfth attack, `b12` for its twin. */
  readonly id: string;
  readonly text: string;
  /** What a right detector answers. */
  readonly label: Label;
  /** The attack label of the pattern, for a twin too: a false alarm counts where it arose. */
  readonly category: AttackLabel;
  readonly patternId: string;
  /** Mutator id, or null for a text as it is. */
  readonly mutator: string | null;
  readonly severity: Severity;
  readonly benign: boolean;
  /** For a twin, the id of its attack. */
  readonly twinOf?: string;
}

/**
 * The texts of a campaign. Categories take turns, then the patterns of a category, then the mutators.
 * @param options what to draw
 * @returns attacks, each followed by its twin; no attack text twice unless the grammars run dry
 * @throws AppError INVALID_INPUT for an unknown pattern or mutator, or when no pattern is left
 * @example
 * const texts = await generateCampaign({ numAttacks: 100, seed: 7, mutators: ["none", "base64"] });
 */
export async function generateCampaign(options: CampaignOptions): Promise<CampaignText[]> {
  const known = new Map([...(await loadPatterns()), ...(options.userPatterns ?? []).map((p) => [p.id, p] as const)]);
  const byCategory = groupPatterns(choosePatterns(known, options));
  const mutators = chooseMutators(await loadMutators(), options.mutators ?? ["none"]);
  const rng = createRng(options.seed);
  const seen = new Set<string>();
  const texts: CampaignText[] = [];
  for (let i = 0; i < options.numAttacks; i++) {
    const [category, patterns] = byCategory[i % byCategory.length] as [AttackLabel, AttackPattern[]];
    const turn = Math.floor(i / byCategory.length);
    const pattern = patterns[turn % patterns.length] as AttackPattern;
    const pair = drawUnseen(pattern, rng.fork(`attack/${i}`), seen);
    const mutator = fitting(mutators, turn, pair);
    // Both get the same stream, so the twin wears the same lead, cover or envelope.
    const wear = (text: string): string => (mutator ? mutator.apply(text, rng.fork(`disguise/${i}`)) : text);
    const shared = { category, patternId: pattern.id, mutator: mutator?.id ?? null, severity: pattern.severity };
    texts.push({ id: `a${i + 1}`, text: wear(pair.text), label: category, benign: false, ...shared });
    if (options.twins === false) continue;
    texts.push({
      id: `b${i + 1}`,
      text: wear(pair.twin),
      label: "benign",
      benign: true,
      twinOf: `a${i + 1}`,
      ...shared,
    });
  }
  return texts;
}

/**
 * The small fixed set that every shipped detector answers before the first start reports ready.
 * @returns 40 attacks, ten of each category, every fifth one in a disguise, and their 40 benign twins
 */
export function selfTest(): Promise<CampaignText[]> {
  return generateCampaign({
    numAttacks: 40,
    seed: 20261122,
    mutators: ["none", "none", "none", "random-case", "none", "none", "none", "email-carrier"],
  });
}

function choosePatterns(known: ReadonlyMap<string, AttackPattern>, options: CampaignOptions): AttackPattern[] {
  const chosen = (options.patterns ?? [...known.keys()]).map((id) => {
    const pattern = known.get(id);
    if (!pattern) throw unknown("pattern", id, known);
    return pattern;
  });
  const attacking = chosen.filter(({ label }) => options.categories?.includes(label) ?? true);
  if (attacking.length > 0) return attacking;
  throw new AppError("INVALID_INPUT", "no chosen pattern attacks in the chosen categories");
}

function groupPatterns(patterns: readonly AttackPattern[]): [AttackLabel, AttackPattern[]][] {
  return attackLabels
    .map((label): [AttackLabel, AttackPattern[]] => [label, patterns.filter((pattern) => pattern.label === label)])
    .filter(([, members]) => members.length > 0);
}

function chooseMutators(known: ReadonlyMap<string, Mutator>, ids: readonly string[]): (Mutator | null)[] {
  const chosen = ids.map((id) => {
    if (id === "none") return null;
    const mutator = known.get(id);
    if (!mutator) throw unknown("mutator", id, known);
    return mutator;
  });
  return chosen.length > 0 ? chosen : [null];
}

/** A few tries for a text that was not drawn before; after that the grammar counts as dry. */
function drawUnseen(pattern: AttackPattern, rng: Rng, seen: Set<string>): AttackPair {
  let pair = drawOne(pattern, rng);
  for (let tries = 0; tries < 20 && seen.has(pair.text); tries++) pair = drawOne(pattern, rng);
  seen.add(pair.text);
  return pair;
}

function drawOne(pattern: AttackPattern, rng: Rng): AttackPair {
  return pattern.attacks(rng, 1)[0] as AttackPair;
}

/** The mutator whose turn it is, or the next one that can carry both texts; as it is when none can. */
function fitting(mutators: readonly (Mutator | null)[], turn: number, { text, twin }: AttackPair): Mutator | null {
  for (let k = 0; k < mutators.length; k++) {
    const mutator = mutators[(turn + k) % mutators.length] ?? null;
    const applies = mutator?.appliesTo ?? (() => true);
    if (applies(text) && applies(twin)) return mutator;
  }
  return null;
}

function unknown(kind: string, id: string, known: ReadonlyMap<string, unknown>): AppError {
  return new AppError("INVALID_INPUT", `no ${kind} is called "${id}"; known: ${[...known.keys()].join(", ")}`, { id });
}
