/**
 * Linear layers with int8 products: of the input gradient alone, or of the forward pass too. The weight gradient stays in
 * float32. The idea is SwitchBack's: https://arxiv.org/abs/2304.13013
 */
import { defineOp, type Shape } from "../graph/op.ts";
import { sameDim, shapeAt } from "../graph/shape.ts";

/**
 * y = x Wᵀ + bias in float32, the gradient of x by integers; x (rows, in); W (out, in) as float32, then as int8 with a
 * scale per column (in) for the gradient; bias (out) last.
 */
export const LowGradGemm = defineOp({
  shape: (shapes) => linearShape("LowGradGemm", shapes),
  onnx: (g, [x = "", weight = "", , , bias]) =>
    g.node("Gemm", bias === undefined ? [x, weight] : [x, weight, bias], { attributes: { transB: 1 } }),
  grad: (g, dy, { inputs: [x, weight, columns, columnScales, bias], wants }) => {
    if (x === undefined || columns === undefined || columnScales === undefined) return [];
    return [
      wants[0] ? g.op("LowGemmGrad", [dy, columns, columnScales]) : undefined,
      weight && wants[1] ? g.op("Gemm", [dy, x], { transA: 1 }) : undefined,
      ...[undefined, undefined],
      bias && wants[4] ? g.sumTo(dy, bias.shape) : undefined,
    ];
  },
  cases: [
    {
      inputs: [
        { dims: [1, 2], data: [1, 2] },
        { dims: [2, 2], data: [127, 0, 0, 127] },
        { dims: [2, 2], data: [127, 0, 0, 127], type: "int8" },
        { dims: [2], data: [1, 1] },
        { dims: [2], data: [0.5, -0.5] },
      ],
      expected: [127.5, 253.5],
      differentiate: [4],
    },
  ],
});

/**
 * y = x Wᵀ + bias by integers: x (rows, in); W (out, in) is given three times, as float32 for its own gradient, as int8
 * with a scale per row (out) for the product, as int8 with a scale per column (in) for the gradient of x; bias (out)
 * last. x is quantised over the whole tensor, which for normalised rows loses little.
 */
export const LowGemm = defineOp({
  shape: (shapes) => linearShape("LowGemm", shapes),
  onnx: (g, [x = "", , rows = "", rowScales = "", , , bias]) => {
    const [turned = ""] = g.node("Transpose", [rows], { attributes: { perm: { ints: [1, 0] } } });
    const inputs = [x, turned, rowScales, ...(bias === undefined ? [] : ["", bias])];
    return g.node("DynamicQuantizeMatMul", inputs, { domain: "com.microsoft" });
  },
  grad: (g, dy, { inputs: [x, weight, , , columns, columnScales, bias], wants }) => {
    if (x === undefined || columns === undefined || columnScales === undefined) return [];
    return [
      wants[0] ? g.op("LowGemmGrad", [dy, columns, columnScales]) : undefined,
      weight && wants[1] ? g.op("Gemm", [dy, x], { transA: 1 }) : undefined,
      ...[undefined, undefined, undefined, undefined],
      bias && wants[6] ? g.sumTo(dy, bias.shape) : undefined,
    ];
  },
  cases: [
    {
      inputs: [
        { dims: [1, 2], data: [1, 2] },
        { dims: [2, 2], data: [127, 0, 0, 127] },
        { dims: [2, 2], data: [127, 0, 0, 127], type: "int8" },
        { dims: [2], data: [1, 1] },
        { dims: [2, 2], data: [127, 0, 0, 127], type: "int8" },
        { dims: [2], data: [1, 1] },
        { dims: [2], data: [0.5, -0.5] },
      ],
      expected: [127.5, 253.5],
      tolerance: 0.6,
      differentiate: [6],
    },
  ],
});

function linearShape(op: "LowGemm" | "LowGradGemm", shapes: readonly Shape[]): readonly Shape[] {
  const [out = 1, width] = shapeAt(op, shapes, 1);
  sameDim(op, shapeAt(op, shapes, 0)[1], width);
  return [[shapeAt(op, shapes, 0)[0] ?? 1, out]];
}
