// From what was asked for to the ledger: given texts as they are, campaigns and the self-test from packages/attacks.
import {
  type CampaignText,
  findingSeverity,
  generateCampaign,
  loadMutators,
  loadPatterns,
  selfTest,
  severityWeights,
  taxonomies,
} from "@mlsec/attacks";
import { AttackLabel, type redTeam, type Severity } from "@mlsec/contracts";
import * as z from "zod";
import { severityOf } from "./figures.ts";
import { attackKey } from "./fingerprint.ts";
import type { PlannedAttempt } from "./store.ts";

type TestRequest = z.output<typeof redTeam.test.body>;

/** What a job needs to draw the same campaign again. */
const Campaign = z.object({
  categories: z.array(AttackLabel).exactOptional(),
  patterns: z.array(z.string()).exactOptional(),
  mutators: z.array(z.string()).exactOptional(),
  numAttacks: z.int(),
  seed: z.int(),
  twins: z.boolean(),
});
export type Campaign = z.infer<typeof Campaign>;

/** INVALID_INPUT when a pattern or mutator is unknown, so that a job is never sent for nothing. */
export async function campaignOf(body: TestRequest): Promise<Campaign> {
  const campaign: Campaign = {
    ...(body.attack_categories ? { categories: body.attack_categories } : {}),
    ...(body.patterns ? { patterns: body.patterns } : {}),
    ...(body.mutators ? { mutators: body.mutators } : {}),
    numAttacks: body.num_attacks,
    seed: body.seed,
    twins: body.benign_twins,
  };
  await generateCampaign({ ...campaign, numAttacks: 1 });
  return campaign;
}

/** The attempts of a stored campaign: the same ones whenever it is drawn. */
export async function planCampaign({ campaign }: { readonly campaign: unknown }): Promise<PlannedAttempt[]> {
  return (await generateCampaign(Campaign.parse(campaign))).map(planned);
}

export const selfTestAttempts = async (): Promise<PlannedAttempt[]> => (await selfTest()).map(planned);

const planned = ({ text, label, patternId, mutator, severity, benign }: CampaignText): PlannedAttempt =>
  ranked({ text, category: label, pattern: patternId, mutator, benign }, severity);

/** A string has no expected label; `expected` may be a label or just `attack`. */
export function givenAttempts(texts: NonNullable<TestRequest["test_texts"]>): PlannedAttempt[] {
  return texts.map((given) => {
    const text = typeof given === "string" ? given : given.text;
    const expected = typeof given === "string" ? undefined : given.expected;
    const attempt = { text, category: expected ?? null, pattern: null, mutator: null, benign: expected === "benign" };
    return ranked(attempt, expected === undefined ? null : severityOf(expected));
  });
}

type Unranked = Omit<PlannedAttempt, "severity" | "impact" | "attackKey">;

/** What a wrong answer would mean: docs/decisions/0008. A text without a label cannot be answered wrongly. */
function ranked(attempt: Unranked, severity: Severity | null): PlannedAttempt {
  // A false alarm is as bad whatever attack its text was modelled on.
  const declared = attempt.benign ? "medium" : severity;
  return {
    ...attempt,
    attackKey: attackKey(attempt),
    impact: declared === null ? null : severityWeights[declared],
    severity: declared === null ? null : findingSeverity(declared, attempt.mutator),
  };
}

export async function listPatterns() {
  return [...(await loadPatterns()).values()].map(({ id, technique, goal, severity, label, tags, source }) => ({
    ...{ id, technique, goal, severity, label, source },
    tags: [...tags],
  }));
}

export async function listMutators() {
  return [...(await loadMutators()).values()].map(({ id, group, summary, invert }) => ({
    ...{ id, group, summary },
    reversible: invert !== undefined,
  }));
}

export const listTaxonomies = () =>
  taxonomies.flatMap(({ name, prefix, source, entries }) =>
    Object.entries(entries).map(([id, title]) => ({ id: `${prefix}:${id}`, taxonomy: name, title, url: source })),
  );
