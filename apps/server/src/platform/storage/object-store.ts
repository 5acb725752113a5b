// Objects by bucket and key. The folder store and S3 answer alike, so no service knows which one it has.
import { AppError } from "@mlsec/contracts";

export interface ObjectInfo {
  readonly key: string;
  readonly size: number;
  /** Hex SHA-256 of the content. Empty where an S3 server does not tell: in lists, and of what others stored there. */
  readonly sha256: string;
  /** As S3 gives it: hex MD5, or `<md5 of md5s>-<parts>` for a multipart object. Without quotes. */
  readonly etag: string;
  /** `application/octet-stream` in the lists of an S3 server, which do not tell. */
  readonly contentType: string;
  readonly modified: Date;
  /** The caller's own `x-amz-meta-*` values. Empty in the lists of an S3 server. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface StoredObject extends ObjectInfo {
  /** The bytes, or the asked-for range of them. */
  readonly stream: ReadableStream<Uint8Array>;
  readonly range?: { readonly start: number; readonly end: number };
}

export interface PutOptions {
  readonly contentType?: string;
  /** Refused with DIGEST_MISMATCH when the content's SHA-256 (hex) is another. */
  readonly sha256?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Instead of the MD5: what a multipart upload must answer. An S3 server makes its own. */
  readonly etag?: string;
  readonly signal?: AbortSignal;
}

export interface ListOptions {
  readonly prefix?: string;
  /** Keys after this one, in byte order. */
  readonly cursor?: string;
  /** At most this many keys and prefixes together; 1,000 unless told. */
  readonly limit?: number;
  readonly delimiter?: string;
}

export interface ObjectList {
  readonly objects: readonly ObjectInfo[];
  /** With a delimiter: the folded prefixes, each once. */
  readonly prefixes: readonly string[];
  readonly nextCursor?: string;
}

export type Content = Uint8Array | string | AsyncIterable<Uint8Array>;

/** Missing buckets and objects are AppErrors (NOT_FOUND, OBJECT_NOT_FOUND); a full disk is STORAGE_FULL. */
export interface ObjectStore {
  put(bucket: string, key: string, content: Content, options?: PutOptions): Promise<ObjectInfo>;
  /** `range` is inclusive at both ends, as in HTTP. */
  get(bucket: string, key: string, options?: { range?: { start: number; end?: number } }): Promise<StoredObject>;
  /** Undefined when there is no such object. */
  head(bucket: string, key: string): Promise<ObjectInfo | undefined>;
  list(bucket: string, options?: ListOptions): Promise<ObjectList>;
  /** True when there was one. */
  delete(bucket: string, key: string): Promise<boolean>;
  copy(
    from: { bucket: string; key: string },
    to: { bucket: string; key: string },
    options?: Pick<PutOptions, "contentType" | "metadata">,
  ): Promise<ObjectInfo>;
  createBucket(bucket: string): Promise<void>;
  /** Only an empty bucket can go: CONFLICT otherwise. */
  deleteBucket(bucket: string): Promise<void>;
  buckets(): Promise<{ name: string; created: Date }[]>;
  /** A path to read the object from, when it lies on this machine. */
  localPath?(bucket: string, key: string): Promise<string | undefined>;
}

/** `s3://bucket/key` taken apart; INVALID_INPUT when it is no such address. */
export function parseUri(uri: string): { bucket: string; key: string } {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/s.exec(uri) ?? [];
  if (bucket === undefined || key === undefined)
    throw new AppError(
      "INVALID_INPUT",
      `expected an address like s3://bucket/key, got ${JSON.stringify(uri.slice(0, 200))}`,
    );
  return { bucket, key };
}

/** The whole content of a stored object. */
export async function readAll(object: StoredObject): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of object.stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
