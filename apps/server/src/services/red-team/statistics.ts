// Shares with their uncertainty.

interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Wilson's score interval of a share, 95 % unless `z` is given. Without trials nothing is known: 0 to 1. */
export function wilson(successes: number, trials: number, z = 1.959964): Interval {
  if (trials === 0) return { low: 0, high: 1 };
  const share = successes / trials;
  const spread = z * Math.sqrt((share * (1 - share)) / trials + (z * z) / (4 * trials * trials));
  const scale = 1 + (z * z) / trials;
  const middle = share + (z * z) / (2 * trials);
  return {
    low: successes === 0 ? 0 : Math.max(0, (middle - spread) / scale),
    high: successes === trials ? 1 : Math.min(1, (middle + spread) / scale),
  };
}

export const intervalOf = (successes: number, trials: number): Interval | null =>
  trials === 0 ? null : wilson(successes, trials);

interface Trials {
  readonly hits: number;
  readonly of: number;
}

/** Difference of two independent shares with Newcombe's interval (his method 10): `b − a`. Null where one has no trial. */
export function difference(a: Trials, b: Trials): (Interval & { readonly value: number }) | null {
  if (a.of === 0 || b.of === 0) return null;
  const [p, q] = [a.hits / a.of, b.hits / b.of];
  const [ofP, ofQ] = [wilson(a.hits, a.of), wilson(b.hits, b.of)];
  return {
    value: q - p,
    low: q - p - Math.hypot(q - ofQ.low, ofP.high - p),
    high: q - p + Math.hypot(ofQ.high - q, p - ofP.low),
  };
}
