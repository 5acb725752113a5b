/** @module Define, train, quantise and serve transformer text classifiers from TypeScript. */
export { EngineError, type EngineErrorCode, type EngineErrorDetails } from "./error.ts";

// weights
export { type FolderWeights, readWeights, weightNames, type WeightPlace } from "./weights/folder.ts";
export {
  encodeSafetensors,
  parseSafetensors,
  type SafetensorsFile,
  type TensorToWrite,
  type WeightTensor,
  type WeightType,
} from "./weights/safetensors.ts";
export { readSafetensors, writeSafetensors } from "./weights/safetensors-file.ts";
export { weightFiles } from "./weights/names.ts";
export { readTorch } from "./weights/torch.ts";
export type { TorchFile } from "./weights/torch-state.ts";

// hub
export { cachedModel, type CachedModel, listCached } from "./hub/cache.ts";
export { type DownloadedModel, downloadModel, type DownloadOptions, type HubProgress } from "./hub/hub.ts";
export type { HubAccess } from "./hub/request.ts";

// tokenizers
export { codePointToUtf16, utf16ToCodePoint } from "./tokenizers/offsets.ts";
export { createTokenizer, type Encoding, type Tokenizer } from "./tokenizers/tokenizer.ts";
export { loadTokenizer } from "./tokenizers/folder.ts";

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

// linear
export { defaultFeatures, type FeatureConfig } from "./linear/features.ts";
export { type Contribution, createLinear, type LinearModel, type LinearWeights, linearFile } from "./linear/model.ts";
export { loadLinear, saveLinear } from "./linear/model-file.ts";
export {
  defaultLinearConfig,
  type LinearConfig,
  type LinearHooks,
  type LinearProgress,
  type LinearResult,
  type LinearRow,
  trainLinear,
} from "./linear/train.ts";
export { type CharacterWindow, type CharacterWindows, characterWindows, defaultWindows } from "./linear/windows.ts";

// models
export type { Architecture, EncoderConfig, ModelDescription, ParameterSpec, Preset } from "./models/architecture.ts";
export { architectures, describeModel, MODEL_CONFIGS, readModelConfig } from "./models/registry.ts";

// train
export { defaultTrainConfig, resolveTrainConfig, type TrainConfig } from "./train/config.ts";
export { compareWithReference, referenceLimits, type ReferenceReport } from "./train/parity.ts";
export {
  type Attributor,
  type AttributorOptions,
  openAttributor,
  type TokenAttribution,
} from "./train/attribution.ts";
export type { AdversaryConfig } from "./train/adversary.ts";
export type { LoraConfig } from "./train/lora.ts";
export { measurePrecision, type Precision, type PrecisionBenefit } from "./train/precision.ts";
export { type Split, splitByGroup, type TrainRow } from "./train/rows.ts";
export { type TrainOptions, type TrainProgress, type TrainResult, trainTransformer } from "./train/train.ts";

// infer
export { type Batcher, type BatcherOptions, type BatchReport, createBatcher } from "./infer/batcher.ts";
export { buildInferenceGraph, type InferenceGraph } from "./infer/graph.ts";
export { packRuns } from "./infer/pack.ts";
export { compareLogits, type ParityBudget, type ParityReport, parityGate } from "./infer/parity.ts";
export { quantise } from "./infer/quantise.ts";
export { teach, type TeachOptions } from "./infer/teacher.ts";
export { createSession, type SessionOptions } from "./infer/session.ts";
export { checkProvider, type ExecutionProvider } from "./infer/open.ts";
export type { Session } from "./infer/runner.ts";

// verdict
export { type CardFacts, renderCard } from "./verdict/card.ts";
export {
  type Band,
  type Cascade,
  cascadeFile,
  type CascadeFigures,
  type CascadeMember,
  type CascadeSpec,
  createCascade,
  isSure,
  memberOf,
  openCascade,
  readCascade,
} from "./verdict/cascade.ts";
export { cascadeFigures, type CascadeRow, fitBand, type FitBandOptions } from "./verdict/cascade-fit.ts";
export {
  combineVerdicts,
  type EnsembleMember,
  type EnsembleMethod,
  type EnsembleOptions,
} from "./verdict/combine.ts";
export { type Detector, type DetectorVerdict, servedFiles, type VerdictOptions } from "./verdict/detector.ts";
export { type DetectorOptions, openDetector } from "./verdict/open.ts";
export { type EvaluateOptions, evaluateDetector, type LabelledText } from "./verdict/evaluate.ts";
export {
  type DetectorScorecard,
  type FinishOptions,
  type FinishPhase,
  finishDetector,
  readScorecard,
} from "./verdict/finish.ts";
export { benignLabel, isLabel, type Label, labels } from "./verdict/labels.ts";
export { type DetectorManifest, type FileEntry, manifestFile } from "./verdict/manifest.ts";
export { checksums, readManifest, verifyFiles, writeManifest } from "./verdict/manifest-file.ts";
export type { Span } from "./verdict/spans.ts";
export { toyBorderWord, toyWords, writeToyModel } from "./verdict/toy.ts";
