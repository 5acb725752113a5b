/** @module Attacks on a guard, generated and seeded: patterns, mutators, twins, campaigns, taxonomies. */
export { type CampaignOptions, type CampaignText, generateCampaign, selfTest } from "./campaign.ts";
export { fill, type Bindings, type Slots, slotNames } from "./grammar.ts";
export { attackLabels } from "./labels.ts";
export { defineMutator, keepsPayload, type Mutator, type MutatorGroup, mutatorGroups } from "./mutator.ts";
export {
  type AttackPair,
  type AttackPattern,
  canProduce,
  compilePattern,
  definePattern,
  type PatternDefinition,
  type Technique,
  techniques,
} from "./pattern.ts";
export { loadMutators, loadPatterns } from "./registry.ts";
export { createRng, type Rng } from "./rng.ts";
export {
  findingSeverity,
  type Outcome,
  riskScore,
  type Severity,
  severities,
  severityWeights,
} from "./severity.ts";
export { type Taxonomy, tagTitle, taxonomies } from "./taxonomy.ts";
