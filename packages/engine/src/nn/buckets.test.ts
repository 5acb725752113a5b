import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { distanceBucket, signedBucket } from "./buckets.ts";

const distance = fc.integer({ min: -4096, max: 4096 });

describe("distanceBucket", () => {
  test("tells the sides apart, is exact nearby, and ends in the last row of each side", () => {
    const row = (d: number): number => distanceBucket(d, { buckets: 32, maxDistance: 128, isTwoSided: true });
    expect([0, -1, -7, -8, -127, -128, -4096].map(row)).toEqual([0, 1, 7, 8, 15, 15, 15]);
    expect([1, 7, 8, 127, 4096].map(row)).toEqual([17, 23, 24, 31, 31]);
  });

  test("one-sided: what comes after the query shares row 0", () => {
    const row = (d: number): number => distanceBucket(d, { buckets: 32, maxDistance: 128, isTwoSided: false });
    expect([5, 0, -1, -15, -16, -4096].map(row)).toEqual([0, 0, 1, 15, 16, 31]);
  });

  test("farther never reads an earlier row", () => {
    fc.assert(
      fc.property(distance, fc.boolean(), (d, isTwoSided) => {
        const away = -Math.abs(d);
        const options = { buckets: 32, maxDistance: 128, isTwoSided };
        expect(distanceBucket(away - 1, options)).toBeGreaterThanOrEqual(distanceBucket(away, options));
      }),
    );
  });
});

describe("signedBucket", () => {
  const options = { buckets: 256, maxDistance: 512 };

  test("is the distance up to half of the buckets and the last bucket at the largest distance", () => {
    expect([0, 1, -128, 128].map((d) => signedBucket(d, options))).toEqual([0, 1, -128, 128]);
    expect([129, -511, 511].map((d) => signedBucket(d, options))).toEqual([129, -255, 255]);
    expect(signedBucket(300, { buckets: 0, maxDistance: 512 })).toBe(300);
  });

  test("is odd and never falls", () => {
    fc.assert(
      fc.property(distance, (d) => {
        expect(signedBucket(-d, options) + signedBucket(d, options)).toBe(0);
        expect(signedBucket(d + 1, options)).toBeGreaterThanOrEqual(signedBucket(d, options));
      }),
    );
  });
});
