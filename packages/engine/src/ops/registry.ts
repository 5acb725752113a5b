/** Every operator, under the name graphs call it by. */
import type { OpDefinition, OpName } from "../graph/op.ts";
import { Add } from "./add.ts";
import { BinaryCrossEntropy } from "./binary-cross-entropy.ts";
import { CrossEntropy } from "./cross-entropy.ts";
import { FastGelu } from "./fast-gelu.ts";
import { FastGeluGrad } from "./fast-gelu-grad.ts";
import { Gelu } from "./gelu.ts";
import { GeluGrad } from "./gelu-grad.ts";
import { Gemm } from "./gemm.ts";
import { LayerNorm } from "./layer-norm.ts";
import { LayerNormGrad } from "./layer-norm-grad.ts";
import { LowGemm, LowGradGemm } from "./low-gemm.ts";
import { LowGemmGrad } from "./low-gemm-grad.ts";
import { MatMul } from "./matmul.ts";
import { Mul } from "./mul.ts";
import { Pad } from "./pad.ts";
import { PutFirst } from "./put-first.ts";
import { ReduceSum } from "./reduce-sum.ts";
import { RelativeShift } from "./relative-shift.ts";
import { RelativeShiftGrad } from "./relative-shift-grad.ts";
import { Relu } from "./relu.ts";
import { Reshape } from "./reshape.ts";
import { RmsNorm } from "./rms-norm.ts";
import { RmsNormGrad } from "./rms-norm-grad.ts";
import { Rotate } from "./rotate.ts";
import { Scale } from "./scale.ts";
import { ShiftTokens } from "./shift-tokens.ts";
import { Sigmoid } from "./sigmoid.ts";
import { Sign } from "./sign.ts";
import { Slice } from "./slice.ts";
import { Softmax } from "./softmax.ts";
import { SoftmaxGrad } from "./softmax-grad.ts";
import { Sub } from "./sub.ts";
import { SumRows } from "./sum-rows.ts";
import { TakeFirst } from "./take-first.ts";
import { Tanh } from "./tanh.ts";
import { Transpose } from "./transpose.ts";

/** The registry that `createGraph` takes. Its type makes a missing operator, or a missing gradient, a compile error. */
export const ops: Readonly<Record<OpName, OpDefinition>> = {
  Add,
  BinaryCrossEntropy,
  CrossEntropy,
  FastGelu,
  FastGeluGrad,
  Gelu,
  GeluGrad,
  Gemm,
  LayerNorm,
  LayerNormGrad,
  LowGemm,
  LowGemmGrad,
  LowGradGemm,
  MatMul,
  Mul,
  Pad,
  PutFirst,
  ReduceSum,
  RelativeShift,
  RelativeShiftGrad,
  Relu,
  Reshape,
  RmsNorm,
  RmsNormGrad,
  Rotate,
  Scale,
  ShiftTokens,
  Sigmoid,
  Sign,
  Slice,
  Softmax,
  SoftmaxGrad,
  Sub,
  SumRows,
  TakeFirst,
  Tanh,
  Transpose,
};
