// The small JSON beside an object's bytes.
import { AppError } from "@mlsec/contracts";
import type { ObjectInfo } from "./object-store.ts";

export interface Sidecar {
  readonly key: string;
  /** Path of the bytes inside the bucket's folder. */
  readonly file: string;
  readonly size: number;
  readonly sha256: string;
  readonly etag: string;
  readonly contentType: string;
  readonly modified: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export const infoOf = ({ file: _, modified, ...rest }: Sidecar): ObjectInfo => ({
  ...rest,
  modified: new Date(modified),
});

/** A full disk is the caller's business to know; anything else stays what it was. */
export function storageError(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== "ENOSPC" && code !== "EDQUOT") return error;
  return new AppError("STORAGE_FULL", "the disk is full; nothing was stored", {}, { cause: error });
}
