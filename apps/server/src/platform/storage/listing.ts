// One page of a bucket, as S3 lists: by prefix, in byte order, folded at a delimiter.
import type { ListOptions, ObjectInfo, ObjectList } from "./object-store.ts";
import { infoOf, type Sidecar } from "./sidecar.ts";

/** Sorts after every key that a prefix has. */
const last = "\u{10ffff}";

/** S3 sorts by UTF-8 bytes; JavaScript compares UTF-16 units, which differs beyond the basic plane. */
export const byteOrder = (a: string, b: string): number => {
  if (a === b) return 0;
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    if (a[i] !== b[i]) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  }
  return a.length - b.length;
};

export function listKeys(
  keys: readonly string[],
  find: (key: string) => Sidecar | undefined,
  options: ListOptions,
): ObjectList {
  const { prefix = "", cursor, limit = 1000, delimiter } = options;
  const objects: ObjectInfo[] = [];
  const prefixes: string[] = [];
  let end: string | undefined;
  for (let i = start(keys, prefix, cursor); i < keys.length; ) {
    const key = keys[i] ?? "";
    if (!key.startsWith(prefix)) break;
    if (objects.length + prefixes.length >= limit)
      return { objects, prefixes, ...(end === undefined ? {} : { nextCursor: end }) };
    const cut = delimiter ? key.indexOf(delimiter, prefix.length) : -1;
    if (cut >= 0) {
      const folded = key.slice(0, cut + (delimiter?.length ?? 0));
      prefixes.push(folded);
      end = folded + last;
      i = firstAfter(keys, end);
    } else {
      const sidecar = find(key);
      if (sidecar) objects.push(infoOf(sidecar));
      end = key;
      i++;
    }
  }
  return { objects, prefixes };
}

function start(keys: readonly string[], prefix: string, cursor: string | undefined): number {
  const first = prefix === "" ? 0 : firstAfter(keys, prefix, true);
  return cursor === undefined ? first : Math.max(first, firstAfter(keys, cursor));
}

/** Place of the first key after this one, or at it. */
function firstAfter(keys: readonly string[], key: string, orAt = false): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const order = byteOrder(keys[middle] ?? "", key);
    if (order < 0 || (order === 0 && !orAt)) low = middle + 1;
    else high = middle;
  }
  return low;
}
