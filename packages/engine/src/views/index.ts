/** @module Readings of a text: normalised and decoded, with maps back to it. No dependencies, no Node API. */
export { type Decoder, decoders } from "./decoders.ts";
export { foreignHomoglyphs, latinHomoglyphs, normalise } from "./normalise.ts";
export { countCommonWords, plausibility } from "./plausible.ts";
export type { Decoded, MappedText, View } from "./view.ts";
export { type ViewOptions, viewsOf } from "./views.ts";
