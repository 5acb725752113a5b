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
