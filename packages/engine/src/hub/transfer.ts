/** One file from a hub to disk: resumed where an earlier attempt stopped, checked, and put in place at once. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { EngineError } from "../error.ts";
import { type Checksum, checksumOf, type HubFile } from "./files.ts";
import { cancelled, get, type HubAccess, type HubAnswer, retrying, Trouble } from "./request.ts";

/** What to fetch, and where to. */
export interface Transfer {
  readonly url: string;
  readonly file: HubFile;
  /** The hub must answer for this commit. */
  readonly commit: string;
  readonly target: string;
  /** Where the unfinished file lies; a second file of this name with `.json` describes it. */
  readonly part: string;
  readonly maxBytes: number;
  readonly onBytes: (done: number, total: number) => void;
}

/** What an unfinished file belongs to. */
interface PartFacts {
  /** ETag of the server that sends the bytes: it vouches that the rest belongs to the beginning. */
  readonly etag: string | null;
  readonly checksum: Checksum;
  readonly bytes: number;
}

/** A file whose bytes were wrong; fetched once more from the beginning. */
class Corrupted extends Trouble {}

/**
 * Fetches a file. What an earlier call left is used if the server still offers the same content.
 * @returns its SHA-256, its size, and how many bytes came over the network
 * @throws EngineError UNREACHABLE, INTEGRITY when the content does not match its checksum twice, WEIGHTS when it is
 * larger than allowed, CANCELLED.
 * @example
 * await fetchFile({ url, file: { name: "config.json" }, commit, target, part, maxBytes: 1e10, onBytes: () => {} }, access);
 */
export async function fetchFile(
  transfer: Transfer,
  access: HubAccess,
): Promise<{ sha256: string; bytes: number; received: number }> {
  let received = 0;
  let furthest = 0;
  let before = 0;
  let corrupted = 0;
  const attempt = async (): Promise<{ sha256: string; bytes: number }> => {
    const facts = await fill(transfer, access, (bytes, at) => {
      received += bytes;
      furthest = Math.max(furthest, at);
    });
    return await place(transfer, facts);
  };
  const checked = async (): Promise<{ sha256: string; bytes: number }> => {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof Corrupted && ++corrupted > 1) {
        throw new EngineError("INTEGRITY", "file differs from the hub's checksum", error.details);
      }
      throw error;
    }
  };
  await mkdir(dirname(transfer.part), { recursive: true });
  const done = await retrying(checked, access, () => {
    const progressed = furthest > before;
    before = furthest;
    return progressed;
  });
  return { ...done, received };
}

/** Told of every chunk: its length, and the length of the part file with it. */
type OnReceived = (bytes: number, at: number) => void;

/** Brings the part file to its full length. */
async function fill(transfer: Transfer, access: HubAccess, onReceived: OnReceived): Promise<PartFacts> {
  const before = await readPart(transfer);
  if (before && before.have === before.facts.bytes) return before.facts;
  const have = before?.have ?? 0;
  const headers: Record<string, string> = have > 0 ? { range: `bytes=${have}-` } : {};
  const etag = before?.facts.etag ?? "W/";
  if (have > 0 && !etag.startsWith("W/")) headers["if-range"] = etag;
  const answer = await get(transfer.url, headers, access);
  try {
    const facts = factsOf(transfer, answer);
    const isRest = answer.status === 206 && have > 0 && before !== undefined && continues(answer, have, facts.bytes);
    const isSame = before?.facts.checksum.hex === facts.checksum.hex;
    if (answer.status === 416 || (answer.status === 206 && !(isRest && isSame))) {
      await dropPart(transfer);
      throw new Trouble("the server cannot continue the file", transfer.url, { got: answer.status });
    }
    await writePart(transfer, facts, answer, { from: isRest ? have : 0, onReceived, signal: access.signal });
    return facts;
  } finally {
    answer.close();
  }
}

/** What the answer says the file is; the listing's word comes first and must not be contradicted. */
function factsOf({ url, file, commit, maxBytes }: Transfer, { hub, headers, status }: HubAnswer): PartFacts {
  const answered = hub.get("x-repo-commit");
  if (answered !== null && answered !== commit) {
    throw new EngineError("INTEGRITY", "the hub answers for another commit", {
      where: url,
      expected: commit,
      got: answered,
    });
  }
  const stated = checksumOf(hub.get("x-linked-etag") ?? hub.get("etag"));
  const checksum = file.checksum ?? stated;
  if (!checksum) throw new EngineError("INTEGRITY", "the hub names no checksum for the file", { where: url });
  if (stated && stated.kind === checksum.kind && stated.hex !== checksum.hex) {
    throw new EngineError("INTEGRITY", "the hub contradicts itself about the file", {
      where: url,
      expected: checksum.hex,
      got: stated.hex,
    });
  }
  const bytes = file.bytes ?? sizeOf(hub, headers, status);
  if (bytes === undefined)
    throw new EngineError("UNREACHABLE", "the hub does not say how large the file is", { where: url });
  if (bytes > maxBytes) {
    throw new EngineError("WEIGHTS", "file is larger than allowed", {
      where: file.name,
      expected: maxBytes,
      got: bytes,
    });
  }
  return { etag: headers.get("etag"), checksum, bytes };
}

function sizeOf(hub: Headers, headers: Headers, status: number): number | undefined {
  const total = status === 206 ? headers.get("content-range")?.split("/")[1] : headers.get("content-length");
  const text = hub.get("x-linked-size") ?? total ?? "";
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Whether a partial answer begins where the part file ends and belongs to a file of the same length. */
function continues({ headers }: HubAnswer, have: number, bytes: number): boolean {
  const [, from, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get("content-range") ?? "") ?? [];
  return Number(from) === have && (total === "*" || Number(total) === bytes);
}

interface Writing {
  readonly from: number;
  readonly onReceived: OnReceived;
  readonly signal: AbortSignal | undefined;
}

async function writePart(
  { part, url, onBytes }: Transfer,
  facts: PartFacts,
  answer: HubAnswer,
  { from, onReceived, signal }: Writing,
): Promise<void> {
  if (from === 0) await rm(part, { force: true });
  await writeFile(`${part}.json`, JSON.stringify(facts));
  const file = await open(part, "a");
  let at = from;
  try {
    onBytes(at, facts.bytes);
    for await (const chunk of answer.chunks()) {
      if (at + chunk.length > facts.bytes) {
        await file.truncate(0);
        throw new Corrupted("the server sends more than the file", url, { got: at + chunk.length });
      }
      await append(file, chunk);
      at += chunk.length;
      onReceived(chunk.length, at);
      onBytes(at, facts.bytes);
      if (signal?.aborted) throw cancelled();
    }
    if (at < facts.bytes) throw new Trouble("the answer is cut off", url, { got: at });
    await file.sync();
  } finally {
    await file.close();
  }
}

async function append(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length; ) done += (await file.write(chunk, done)).bytesWritten;
}

/** Checks the whole part file and moves it to its name. */
async function place(transfer: Transfer, { checksum, bytes }: PartFacts): Promise<{ sha256: string; bytes: number }> {
  const { part, target, url } = transfer;
  const sha256 = createHash("sha256");
  const git = createHash("sha1").update(`blob ${bytes}\0`);
  for await (const chunk of createReadStream(part)) {
    sha256.update(chunk as Uint8Array);
    if (checksum.kind === "git") git.update(chunk as Uint8Array);
  }
  const sum = sha256.digest("hex");
  const got = checksum.kind === "git" ? git.digest("hex") : sum;
  if (got !== checksum.hex) {
    await dropPart(transfer);
    throw new Corrupted("the file differs from its checksum", url, { got });
  }
  await mkdir(dirname(target), { recursive: true });
  await rename(part, target);
  await rm(`${part}.json`, { force: true });
  return { sha256: sum, bytes };
}

/** What lies there of the same file; anything else is removed. */
async function readPart(transfer: Transfer): Promise<{ have: number; facts: PartFacts } | undefined> {
  const { part, file } = transfer;
  const have = (await stat(part).catch(() => undefined))?.size ?? 0;
  const facts = await readFile(`${part}.json`, "utf8").then(parseFacts, () => undefined);
  const fits =
    facts && (file.checksum === undefined || file.checksum.hex === facts.checksum.hex) && have <= facts.bytes;
  if (fits && (have > 0 || facts.bytes === 0)) return { have, facts };
  await dropPart(transfer);
  return undefined;
}

function parseFacts(text: string): PartFacts | undefined {
  try {
    const { etag, checksum, bytes } = JSON.parse(text) as Partial<PartFacts>;
    const known = checksumOf(checksum?.hex ?? null);
    return known && typeof bytes === "number" ? { etag: etag ?? null, checksum: known, bytes } : undefined;
  } catch {
    return undefined; // a half-written description is none
  }
}

async function dropPart({ part }: Transfer): Promise<void> {
  await rm(part, { force: true });
  await rm(`${part}.json`, { force: true });
}
