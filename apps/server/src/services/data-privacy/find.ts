// Findings of all kinds in one text: overlaps resolved, offsets in code points as Python counts.
import { AppError } from "@mlsec/contracts";
import { type Hit, type Kind, kinds } from "./kinds.ts";

export interface Finding {
  readonly kind: string;
  /** Code points of the text as sent; `end` is exclusive. */
  readonly start: number;
  readonly end: number;
}
interface KindHit extends Hit {
  readonly kind: string;
}

/** Personal data in a text, in reading order. INVALID_INPUT when a wanted kind is unknown. */
export function findPii(text: string, wanted?: readonly string[]): Finding[] {
  return toCodePoints(text, search(text, choose(wanted)));
}

/** The text with each finding replaced by its kind, such as `[EMAIL]`; offsets are those of the text as sent. */
export function redactPii(text: string, wanted?: readonly string[]): { text: string; findings: Finding[] } {
  const hits = search(text, choose(wanted));
  const parts: string[] = [];
  let last = 0;
  for (const { kind, start, end } of hits) {
    parts.push(text.slice(last, start), `[${kind.toUpperCase()}]`);
    last = end;
  }
  return { text: parts.join("") + text.slice(last), findings: toCodePoints(text, hits) };
}

function choose(wanted: readonly string[] | undefined): readonly Kind[] {
  if (!wanted) return kinds;
  const unknown = wanted.find((id) => kinds.every((kind) => kind.id !== id));
  if (unknown !== undefined) {
    const message = `expected one of ${kinds.map((kind) => kind.id).join(", ")}, got ${JSON.stringify(unknown)}`;
    throw new AppError("INVALID_INPUT", `kinds: ${message}`, { errors: [{ field: "kinds", message }] });
  }
  return kinds.filter((kind) => wanted.includes(kind.id));
}

/** Earlier kinds claim their characters first; a later hit that touches a claimed one is dropped. */
function search(text: string, chosen: readonly Kind[]): KindHit[] {
  const claimed = new Uint8Array(text.length);
  const found: KindHit[] = [];
  for (const kind of chosen)
    for (const { start, end } of kind.find(text)) {
      if (claimed.subarray(start, end).includes(1)) continue;
      claimed.fill(1, start, end);
      found.push({ kind: kind.id, start, end });
    }
  return found.toSorted((a, b) => a.start - b.start);
}

/** UTF-16 offsets to code points in one pass; the hits are in order and do not overlap. */
function toCodePoints(text: string, hits: readonly KindHit[]): Finding[] {
  let unit = 0;
  let point = 0;
  const advance = (to: number): number => {
    for (; unit < to; point++) unit += (text.codePointAt(unit) ?? 0) > 0xffff ? 2 : 1;
    return point;
  };
  return hits.map(({ kind, start, end }) => ({ kind, start: advance(start), end: advance(end) }));
}
