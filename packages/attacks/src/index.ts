/** @module Attacks on a guard, generated and seeded: patterns, mutators, twins, campaigns, taxonomies. */
export { type CampaignOptions, type CampaignText, drawCampaign, generateCampaign, selfTest } from "./campaign.ts";
export { applySlice, parseMutator, type Selection, slice, stack, type Worn } from "./compose.ts";
export { fill, type Bindings, type Slots, slotNames } from "./grammar.ts";
export { attackLabels } from "./labels.ts";
export { type Language, languages, languageSlots } from "./languages.ts";
export {
  defineMutator,
  editDistance,
  keepsPayload,
  type Mutator,
  type MutatorGroup,
  mutatorGroups,
} from "./mutator.ts";
export { parsePattern, patternLimits } from "./parse.ts";
export {
  type AttackPair,
  type AttackPattern,
  canProduce,
  definePattern,
  type DrawOptions,
  type PatternDefinition,
  type PatternLabel,
  type Technique,
  techniques,
  type Template,
  transcript,
} from "./pattern.ts";
export { loadMutators, loadPatterns, resolveMutators } from "./registry.ts";
export { createRng, type Rng } from "./rng.ts";
export {
  exposureOf,
  findingSeverity,
  type Outcome,
  riskScore,
  type Severity,
  severities,
  severityWeights,
} from "./severity.ts";
export { type Taxonomy, tagTitle, taxonomies } from "./taxonomy.ts";
