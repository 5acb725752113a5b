/** AdamW with decoupled weight decay, in place on typed arrays. https://arxiv.org/abs/1711.05101 */

/** Settings of one update. */
export interface AdamStep {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Number of this update, from 1: corrects the bias of the moments. */
  readonly count: number;
  /** Factor on the gradient: clipping. */
  readonly scale: number;
}

/** First and second moments of one parameter. */
export interface Moments {
  readonly m: Float32Array;
  readonly v: Float32Array;
}

/** Updates `data[dataFrom …]` by `gradient[gradFrom …]`, `length` elements; moments lie where the data lies. */
export function adamUpdate(
  parameter: { readonly data: Float32Array; readonly moments: Moments; readonly from: number },
  gradient: { readonly data: Float32Array; readonly from: number; readonly length: number },
  step: AdamStep,
): void {
  const { data, from } = parameter;
  const { m, v } = parameter.moments;
  const g = gradient.data;
  const shift = gradient.from - from;
  const { beta1, beta2, epsilon, scale } = step;
  const rest1 = (1 - beta1) * scale;
  const rest2 = (1 - beta2) * scale * scale;
  const keep = 1 - step.learningRate * step.weightDecay;
  const rate = step.learningRate / (1 - beta1 ** step.count);
  const root = 1 / Math.sqrt(1 - beta2 ** step.count);
  const end = from + gradient.length;
  for (let i = from; i < end; i++) {
    const slope = g[i + shift] as number;
    const mi = beta1 * (m[i] as number) + rest1 * slope;
    const vi = beta2 * (v[i] as number) + rest2 * slope * slope;
    m[i] = mi;
    v[i] = vi;
    data[i] = keep * (data[i] as number) - (rate * mi) / (Math.sqrt(vi) * root + epsilon);
  }
}

/** Sum of squares. */
export function squaredNorm(values: Float32Array): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = values.length - (values.length % 4);
  for (let i = 0; i < whole; i += 4) {
    a += (values[i] as number) ** 2;
    b += (values[i + 1] as number) ** 2;
    c += (values[i + 2] as number) ** 2;
    d += (values[i + 3] as number) ** 2;
  }
  for (let i = whole; i < values.length; i++) a += (values[i] as number) ** 2;
  return a + b + c + d;
}
