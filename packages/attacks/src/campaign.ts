/** Draws a campaign: patterns × mutators × seed, every attack with its benign twin in the same disguise. */
import { AppError } from "@mlsec/contracts";
import { attackLabels } from "./labels.ts";
import type { Mutator } from "./mutator.ts";
import { type AttackPair, type AttackPattern, type PatternLabel, transcript } from "./pattern.ts";
import { loadPatterns, resolveMutators } from "./registry.ts";
import { createRng, type Rng } from "./rng.ts";
import type { Severity } from "./severity.ts";

/** What to draw. */
export interface CampaignOptions {
  /** Pattern ids; all that fit the target when left out. */
  readonly patterns?: readonly string[];
  /** Labels to attack with; all of them when left out. */
  readonly categories?: readonly PatternLabel[];
  /** Mutators in the language of `parseMutator`, used in turn, `"none"` for attacks as they are; only those by default. */
  readonly mutators?: readonly string[];
  /** How many attacks; the twins come on top. */
  readonly numAttacks: number;
  /** The same seed and options give the same campaign. */
  readonly seed: number;
  /** False leaves the benign twins out. Default true. */
  readonly twins?: boolean;
  /** Patterns that users added, parsed. */
  readonly userPatterns?: readonly AttackPattern[];
  /** True for an LLM as target: `llm_only` patterns take part. A classifier never gets them. Default false. */
  readonly llm?: boolean;
  /** True leaves away the small talk that frames put around attacks. Default false. */
  readonly bare?: boolean;
}

/** One text of a campaign: an attack, or the benign twin of one. */
export interface CampaignText {
  /** `a12` for the twelfth attack, `b12` for its twin. */
  readonly id: string;
  readonly text: string;
  /** The user's messages one by one, where the pattern is a conversation; `text` is their transcript. */
  readonly turns?: readonly string[];
  /** What a right detector answers; `llm_only` has no right answer of a detector. */
  readonly label: PatternLabel | "benign";
  /** The label of the pattern, for a twin too: a false alarm counts where it arose. */
  readonly category: PatternLabel;
  readonly patternId: string;
  /** The mutator as it was asked for, or null for a text as it is. */
  readonly mutator: string | null;
  readonly severity: Severity;
  readonly benign: boolean;
  /** For a twin, the id of its attack. */
  readonly twinOf?: string;
}

/**
 * Draws a campaign.
 * @param options what to draw
 * @returns attacks, each followed by its twin; no attack text twice unless the grammars run dry
 * @throws AppError INVALID_INPUT for an unknown pattern or mutator, for an `llm_only` pattern against a classifier, or
 *   when no pattern is left
 * @example
 * const texts = await generateCampaign({ numAttacks: 100, seed: 7, mutators: ["none", "base64"] });
 */
export async function generateCampaign(options: CampaignOptions): Promise<CampaignText[]> {
  return [...(await drawCampaign(options))];
}

/**
 * Draws a campaign text by text, so that a long one needs no memory for texts; only hashes of seen ones are kept.
 * @param options what to draw
 * @returns the texts that `generateCampaign` gives, in the same order
 * @throws AppError as `generateCampaign`, before the first text
 * @example
 * for (const { text } of await drawCampaign({ numAttacks: 1_000_000, seed: 7 })) console.log(text.length);
 */
export async function drawCampaign(options: CampaignOptions): Promise<Iterable<CampaignText>> {
  const known = new Map([...(await loadPatterns()), ...(options.userPatterns ?? []).map((p) => [p.id, p] as const)]);
  const rng = createRng(options.seed);
  const byCategory = groupPatterns(choosePatterns(known, options), rng);
  const ids = options.mutators ?? ["none"];
  const resolved = await resolveMutators(ids.filter((id) => id !== "none"));
  const mutators = ids.length === 0 ? [null] : ids.map((id) => resolved.get(id) ?? null);
  return drawTexts(options, { byCategory, mutators, rng });
}

/**
 * The small fixed set that every shipped detector answers before the first start reports ready: the shorter half of a
 * campaign twice its size, since a start waits for it.
 * @returns 40 attacks, ten of each category, about one in four in a disguise, and their 40 benign twins
 * @example
 * (await selfTest()).length; // 80
 */
export async function selfTest(): Promise<CampaignText[]> {
  const drawn = await generateCampaign({
    numAttacks: 80,
    seed: 20261122,
    mutators: ["none", "none", "none", "random-case"],
    bare: true,
  });
  const pairs = drawn.filter(({ benign }) => !benign).map((attack, i) => [attack, drawn[2 * i + 1] as CampaignText]);
  const length = (pair: readonly CampaignText[]): number => pair.reduce((sum, { text }) => sum + text.length, 0);
  return attackLabels.flatMap((label) => {
    const ofLabel = pairs.filter(([attack]) => attack?.category === label);
    return ofLabel
      .sort((a, b) => length(a) - length(b))
      .slice(0, 10)
      .flat();
  });
}

interface Plan {
  readonly byCategory: readonly [PatternLabel, AttackPattern[]][];
  readonly mutators: readonly (Mutator | null)[];
  readonly rng: Rng;
}

function* drawTexts(options: CampaignOptions, { byCategory, mutators, rng }: Plan): Generator<CampaignText> {
  const seen = new Set<number>();
  const draw = { seen, bare: options.bare ?? false };
  for (let i = 0; i < options.numAttacks; i++) {
    const [category, patterns] = byCategory[i % byCategory.length] as [PatternLabel, AttackPattern[]];
    const turn = Math.floor(i / byCategory.length);
    const pattern = patterns[turn % patterns.length] as AttackPattern;
    const pair = drawUnseen(pattern, rng.fork(`attack/${i}`), draw);
    const mutator = fitting(mutators, turn, pair);
    // Both get the same stream, so the twin wears the same lead, cover or envelope.
    const wear = (text: string, turns?: readonly string[]) =>
      worn(text, turns, { mutator, rng: rng.fork(`disguise/${i}`) });
    const shared = { category, patternId: pattern.id, mutator: mutator?.id ?? null, severity: pattern.severity };
    yield { id: `a${i + 1}`, ...wear(pair.text, pair.turns), label: category, benign: false, ...shared };
    if (options.twins === false) continue;
    const twin = wear(pair.twin, pair.twinTurns);
    yield { id: `b${i + 1}`, ...twin, label: "benign", benign: true, twinOf: `a${i + 1}`, ...shared };
  }
}

interface Disguise {
  readonly mutator: Mutator | null;
  readonly rng: Rng;
}

/** In a conversation the last message wears the disguise. */
function worn(text: string, turns: readonly string[] | undefined, { mutator, rng }: Disguise) {
  if (!turns) return { text: mutator ? mutator.apply(text, rng) : text };
  const said = mutator ? [...turns.slice(0, -1), mutator.apply(turns.at(-1) as string, rng)] : turns;
  return { text: transcript(said), turns: said };
}

function choosePatterns(known: ReadonlyMap<string, AttackPattern>, options: CampaignOptions): AttackPattern[] {
  const fits = ({ label }: AttackPattern): boolean => options.llm === true || label !== "llm_only";
  const chosen = (options.patterns ?? [...known].filter(([, pattern]) => fits(pattern)).map(([id]) => id)).map((id) => {
    const pattern = known.get(id);
    if (!pattern) throw unknown(id, known);
    if (fits(pattern)) return pattern;
    throw new AppError(
      "INVALID_INPUT",
      `the pattern "${id}" shows only in an LLM's answer; the target is a classifier`,
      {
        id,
      },
    );
  });
  const attacking = chosen.filter(({ label }) => options.categories?.includes(label) ?? true);
  if (attacking.length > 0) return attacking;
  throw new AppError("INVALID_INPUT", "no chosen pattern attacks in the chosen categories");
}

/** Every category's patterns in an order that depends on the seed: a short campaign meets all kinds, not the first. */
function groupPatterns(patterns: readonly AttackPattern[], rng: Rng): [PatternLabel, AttackPattern[]][] {
  return [...attackLabels, "llm_only" as const]
    .map((label): [PatternLabel, AttackPattern[]] => [label, patterns.filter((pattern) => pattern.label === label)])
    .filter(([, members]) => members.length > 0)
    .map(([label, members]) => [label, rng.fork(`order/${label}`).shuffle(members)]);
}

interface Drawing {
  readonly seen: Set<number>;
  readonly bare: boolean;
}

/** A few tries for a text that was not drawn before; after that the grammar counts as dry. */
function drawUnseen(pattern: AttackPattern, rng: Rng, { seen, bare }: Drawing): AttackPair {
  for (let tries = 0; ; tries++) {
    const pair = pattern.attacks(rng, 1, { bare })[0] as AttackPair;
    const hash = hashOf(pair.text);
    if (tries < 20 && seen.has(hash)) continue;
    seen.add(hash);
    return pair;
  }
}

/** 52 bits: two FNV-1a hashes with different starts. Among a million texts a false match has a chance of 1 in 10,000. */
function hashOf(text: string): number {
  let a = 0x811c9dc5;
  let b = 0x01234567;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit, 0x85ebca6b) + 0x2c1b3c6d;
  }
  return (a >>> 0) * 2 ** 20 + ((b ^ (b >>> 13)) & 0xfffff);
}

/** The mutator whose turn it is, or the next one that can carry both texts; as it is when none can. */
function fitting(mutators: readonly (Mutator | null)[], turn: number, pair: AttackPair): Mutator | null {
  const attack = pair.turns?.at(-1) ?? pair.text;
  const twin = pair.twinTurns?.at(-1) ?? pair.twin;
  for (let k = 0; k < mutators.length; k++) {
    const mutator = mutators[(turn + k) % mutators.length] ?? null;
    const applies = mutator?.appliesTo ?? (() => true);
    if (applies(attack) && applies(twin)) return mutator;
  }
  return null;
}

function unknown(id: string, known: ReadonlyMap<string, unknown>): AppError {
  return new AppError("INVALID_INPUT", `no pattern is called "${id}"; known: ${[...known.keys()].join(", ")}`, { id });
}
