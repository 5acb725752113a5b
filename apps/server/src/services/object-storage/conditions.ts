// Ranges and conditional headers of GET and HEAD (RFC 9110 §13 and §14), as S3 applies them.
import type { ObjectInfo } from "../../platform/storage/object-store.ts";
import { s3Error } from "./s3-error.ts";

/** Both ends inclusive. Undefined: the whole object (no range, several ranges, or none that can be read). */
export function parseRange(header: string | null, size: number): { start: number; end: number } | undefined {
  const [, first, last] = /^\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(header ?? "") ?? [];
  if (first === undefined || last === undefined || (first === "" && last === "")) return undefined;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== "" && last !== "" && Number(last) < Number(first)) return undefined;
  if (start >= size || start > end || (first === "" && Number(last) === 0))
    throw s3Error("InvalidRange", `the object has ${size} bytes`);
  return { start, end };
}

const names = (header: string, etag: string): boolean =>
  header.split(",").some((part) => {
    const given = part
      .trim()
      .replace(/^W\//, "")
      .replace(/^"(.*)"$/, "$1");
    return given === "*" || given === etag;
  });
const seconds = (date: Date): number => Math.floor(date.getTime() / 1000);
const httpDate = (header: string): number | undefined => {
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.floor(at / 1000);
};

/** `modified: false` means 304. PreconditionFailed is thrown. A tag wins over a date. */
export function checkConditions(headers: Headers, info: Pick<ObjectInfo, "etag" | "modified">): { modified: boolean } {
  const match = headers.get("if-match");
  const unmodifiedSince = httpDate(headers.get("if-unmodified-since") ?? "");
  if (
    match !== null
      ? !names(match, info.etag)
      : unmodifiedSince !== undefined && seconds(info.modified) > unmodifiedSince
  )
    throw s3Error("PreconditionFailed", "the object is another one than the condition names");
  const noneMatch = headers.get("if-none-match");
  const since = httpDate(headers.get("if-modified-since") ?? "");
  if (noneMatch !== null) return { modified: !names(noneMatch, info.etag) };
  return { modified: since === undefined || seconds(info.modified) > since };
}

/** Conditions of a write: `If-None-Match: *` wants no object there, `If-Match` this one. */
export function checkWrite(headers: Headers, info: Pick<ObjectInfo, "etag"> | undefined): void {
  const match = headers.get("if-match");
  const noneMatch = headers.get("if-none-match");
  const isRefused =
    (match !== null && (!info || !names(match, info.etag))) ||
    (noneMatch !== null && info && names(noneMatch, info.etag));
  if (isRefused) throw s3Error("PreconditionFailed", "another object lies there than the condition asks for");
}
