/** What an attack pattern is: metadata and pairs of templates, one for the attack and one for its benign twin. */
import { type Bindings, canFill, fill, type Slots } from "./grammar.ts";
import type { AttackLabel } from "./labels.ts";
import { languageSlots } from "./languages.ts";
import type { Rng } from "./rng.ts";
import type { Severity } from "./severity.ts";
import phrases from "./phrases.json" with { type: "json" };
import vocabulary from "./vocabulary.json" with { type: "json" };

/** How an attack works, whatever it is after. */
export const techniques = [
  "override",
  "carrier",
  "persona",
  "framing",
  "extraction",
  "payload",
  "language",
  "disguise",
  "conversation",
  "exhaustion",
] as const;

/** One of the techniques. */
export type Technique = (typeof techniques)[number];

/** The label a detector should give, or `llm_only` for a text that is no attack to read and only shows in the answer. */
export type PatternLabel = AttackLabel | "llm_only";

/** One message, or the user's messages of one conversation in order. */
export type Template = string | readonly string[];

/** An attack and the harmless text of the same shape and, where the grammar allows it, the same words. */
export interface AttackPair {
  /** The attack; a conversation as its transcript. */
  readonly text: string;
  readonly twin: string;
  /** The user's messages one by one, where the pattern is a conversation. */
  readonly turns?: readonly string[];
  readonly twinTurns?: readonly string[];
}

/** A pattern as a file or a user declares it: the same JSON, checked by `parsePattern`. */
export interface PatternDefinition {
  /** File name without ending; it names the technique, never the goal. */
  readonly id: string;
  /** How the attack works, in a sentence. */
  readonly about: string;
  readonly technique: Technique;
  /** What the attack is after, as an imperative. */
  readonly goal: string;
  readonly label: PatternLabel;
  readonly severity: Severity;
  /** Entries of the taxonomies, such as `owasp:llm01`. */
  readonly tags: readonly string[];
  /** Where the technique is described. */
  readonly source: string;
  /** Languages of languages/, one drawn for each text: their phrases fill the slots of the same names. */
  readonly languages?: readonly string[];
  /** A slot whose fillers hold `[[text]]`: what stands around attack and twin alike. */
  readonly frame?: string;
  /** Pairs of templates in the language of grammar.ts: attack, benign twin. Both get the same fillers. */
  readonly templates: readonly (readonly [attack: Template, twin: Template])[];
  /** Fillers besides those of vocabulary.json and phrases.json. */
  readonly slots: Slots;
  /** Attacks that the templates can produce; a test holds them to it. */
  readonly examples: readonly string[];
}

/** How to draw. */
export interface DrawOptions {
  /** True leaves away what stands around the attack. Default false. */
  readonly bare?: boolean;
}

/** A pattern that can be drawn from. */
export interface AttackPattern extends PatternDefinition {
  /** `n` attacks with their twins; repeats are possible when n nears the size of the grammar. */
  attacks(rng: Rng, n: number, options?: DrawOptions): AttackPair[];
}

/** The slot of a frame that the attack or the twin stands in. */
export const framed = "[[text]]";

/** Fillers that every pattern can use. */
export const commonSlots: Slots = { ...vocabulary, ...phrases };

/**
 * Gives a definition its generator. The definition is taken as it is; what comes from outside goes through `parsePattern`.
 * @param definition metadata, templates and slots
 * @returns the pattern
 * @example
 * definePattern(definition).attacks(createRng(1), 3);
 */
export function definePattern(definition: PatternDefinition): AttackPattern {
  let dialects: readonly Slots[] | undefined;
  return {
    ...definition,
    attacks(rng, n, options = {}) {
      const known = (dialects ??= slotsOf(definition));
      return Array.from({ length: n }, () => drawPair(definition, { slots: rng.pick(known), rng, ...options }));
    },
  };
}

/**
 * A conversation as one text, for a detector that reads one text.
 * @param turns the user's messages in order
 * @returns one line per message, each after `User: `
 * @example
 * transcript(["Hi.", "Bye."]); // "User: Hi.\nUser: Bye."
 */
export function transcript(turns: readonly string[]): string {
  return turns.map((turn) => `User: ${turn}`).join("\n");
}

/**
 * The fillers a pattern can use: one set, or one for each of its languages.
 * @param definition the pattern
 * @returns sets of slots, the pattern's own slots last, so that they win
 * @throws AppError INVALID_INPUT for an unknown language
 */
export function slotsOf({ languages, slots }: Pick<PatternDefinition, "languages" | "slots">): Slots[] {
  if (!languages) return [{ ...commonSlots, ...slots }];
  return languages.map((language) => ({ ...commonSlots, ...languageSlots(language), ...slots }));
}

/**
 * Whether a pattern's grammar can produce a text as an attack, with or without its frame.
 * @param definition the pattern
 * @param text the text, a conversation as its transcript
 * @returns true when some template and some fillers give exactly this text
 */
export function canProduce(definition: PatternDefinition, text: string): boolean {
  return slotsOf(definition).some((slots) => {
    const frames = [framed, ...(definition.frame === undefined ? [] : (slots[definition.frame] ?? []))];
    return definition.templates.some(([attack]) => {
      const template = typeof attack === "string" ? attack : transcript(attack);
      return frames.some((frame) =>
        canFill(
          frame.replace(framed, () => template),
          slots,
          text,
        ),
      );
    });
  });
}

interface Draw extends DrawOptions {
  readonly slots: Slots;
  readonly rng: Rng;
}

function drawPair({ templates, frame, slots: own }: PatternDefinition, { slots, rng, bare }: Draw): AttackPair {
  const [attack, twin] = rng.pick(templates);
  const bindings = new Map<string, string[]>();
  if (typeof attack !== "string" || typeof twin !== "string") {
    return drawConversation([attack].flat(), [twin].flat(), { own, slots, rng });
  }
  const text = fill(attack, slots, rng, bindings);
  const benign = fill(twin, slots, rng, bindings);
  const surroundings = frame === undefined || bare ? undefined : slots[frame];
  if (!surroundings) return { text, twin: benign };
  const [before = "", after = ""] = rng.pick(surroundings).split(framed);
  const start = fill(before, slots, rng);
  const end = fill(after, slots, rng);
  return { text: start + text + end, twin: start + benign + end };
}

interface Conversation extends Draw {
  readonly own: Slots;
}

/** Names and things stay the same throughout a conversation; what the pattern itself can say is drawn anew each turn. */
function drawConversation(
  attack: readonly string[],
  twin: readonly string[],
  { own, slots, rng }: Conversation,
): AttackPair {
  const lasting: Bindings = new Map();
  const ofTurn: Bindings[] = [];
  const say = (turn: string, i: number): string => {
    const bindings: Bindings = new Map([...lasting, ...(ofTurn[i] ?? [])]);
    const text = fill(turn, slots, rng, bindings);
    ofTurn[i] = new Map([...bindings].filter(([name]) => Object.hasOwn(own, name)));
    for (const [name, used] of bindings) if (!Object.hasOwn(own, name)) lasting.set(name, used);
    return text;
  };
  const turns = attack.map(say);
  const twinTurns = twin.map(say);
  return { text: transcript(turns), twin: transcript(twinTurns), turns, twinTurns };
}
