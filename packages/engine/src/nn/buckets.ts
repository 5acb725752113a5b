/** Distances between tokens in buckets: near ones each their own, far ones shared on a log scale. https://arxiv.org/abs/1910.10683 */

/** How distances fall into buckets. */
export interface BucketOptions {
  readonly buckets: number;
  /** From here on everything falls into the last bucket. */
  readonly maxDistance: number;
  /** Keys behind the query have half of the buckets; else they share bucket 0 with the query itself. */
  readonly isTwoSided: boolean;
}

/**
 * Bucket of a distance key - query, in the 32-bit arithmetic of the original: a boundary must not move.
 * @example
 * distanceBucket(-3, { buckets: 32, maxDistance: 128, isTwoSided: true }); // 3
 * distanceBucket(3, { buckets: 32, maxDistance: 128, isTwoSided: true }); // 19
 */
export function distanceBucket(distance: number, { buckets, maxDistance, isTwoSided }: BucketOptions): number {
  const own = isTwoSided ? Math.floor(buckets / 2) : buckets;
  const first = isTwoSided && distance > 0 ? own : 0;
  const reach = isTwoSided ? Math.abs(distance) : Math.max(0, -distance);
  const exact = Math.floor(own / 2);
  if (reach < exact) return first + reach;
  const { fround } = Math;
  const share = fround(fround(Math.log(fround(reach / exact))) / fround(Math.log(maxDistance / exact)));
  return first + Math.min(own - 1, exact + Math.floor(fround(share * (own - exact))));
}

/**
 * DeBERTa's bucket of a distance: itself up to half of `buckets`, then logarithmic up to `maxDistance`, odd in the
 * distance. https://arxiv.org/abs/2006.03654
 * @returns from -buckets to buckets; the distance itself when `buckets` is 0
 * @example
 * signedBucket(-300, { buckets: 256, maxDistance: 512 }); // -207
 */
export function signedBucket(
  distance: number,
  { buckets, maxDistance }: Pick<BucketOptions, "buckets" | "maxDistance">,
): number {
  const exact = Math.floor(buckets / 2);
  const reach = Math.abs(distance);
  if (buckets <= 0 || reach <= exact) return distance;
  const { fround } = Math;
  const share = fround(fround(Math.log(fround(reach / exact))) / fround(Math.log(fround((maxDistance - 1) / exact))));
  return Math.sign(distance) * (Math.ceil(fround(share * (exact - 1))) + exact);
}
