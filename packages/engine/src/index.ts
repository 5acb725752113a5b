/** @module Define, train, quantise and serve transformer text classifiers from TypeScript. */
export { EngineError, type EngineErrorCode, type EngineErrorDetails } from "./error.ts";

// weights
export {
  encodeSafetensors,
  parseSafetensors,
  readSafetensors,
  type SafetensorsFile,
  type TensorToWrite,
  type WeightTensor,
  type WeightType,
  writeSafetensors,
} from "./weights/safetensors.ts";

// tokenizers
export { codePointToUtf16, utf16ToCodePoint } from "./tokenizers/offsets.ts";
export { createTokenizer, type Encoding, loadTokenizer, type Tokenizer } from "./tokenizers/tokenizer.ts";

// metrics
export { brier, ece, fitTemperature, softmax } from "./metrics/calibration.ts";
export { accuracy, type ClassFigures, confusionMatrix, macroF1, perClass } from "./metrics/classes.ts";
export { nearDuplicateGroups } from "./metrics/groups.ts";
export { type BootstrapOptions, bootstrapInterval, type Interval, wilsonInterval } from "./metrics/intervals.ts";
export {
  type Flags,
  type RankingOptions,
  recallAtFpr,
  rocAuc,
  type ScoreOrder,
  scoreOrder,
  thresholdAtFpr,
} from "./metrics/ranking.ts";
export {
  type Scorecard,
  type ScorecardOptions,
  type ScoredRow,
  type SliceFigures,
  scorecard,
} from "./metrics/scorecard.ts";
export { seededRandom } from "./metrics/seeded.ts";

// views (also by themselves as "@mlsec/engine/views")
export type { View } from "./views/view.ts";
export { type ViewOptions, viewsOf } from "./views/views.ts";
