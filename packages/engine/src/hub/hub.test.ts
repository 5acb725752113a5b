import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EngineError } from "../error.ts";
import { cachedModel, listCached, withLock } from "./cache.ts";
import { chooseFiles, parseListing } from "./files.ts";
import { type DownloadOptions, downloadModel, type HubProgress } from "./hub.ts";
import { type HubServer, type SeenRequest, sha256, startHub } from "./testing/hub-server.ts";

const commit = "0123456789abcdef0123456789abcdef01234567";
const bytesOf = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + seed + (i >> 8) * 7) & 255);
const weights = bytesOf(1_000_003, 5);
const files = {
  "config.json": Buffer.from('{"model_type":"bert"}'),
  "tokenizer.json": Buffer.from("{}"),
  "model.safetensors": weights,
  "pytorch_model.bin": bytesOf(10, 1),
  "README.md": Buffer.from("read me"),
};
const repository = "owner/small-model";

let hub: HubServer;
let cacheDir: string;
beforeEach(async () => {
  hub = await startHub({
    [repository]: { commit, files, large: ["model.safetensors", "pytorch_model.bin"] },
    "owner/gated": { commit, files, token: "hf_secret", large: ["model.safetensors"] },
  });
  cacheDir = await mkdtemp(join(tmpdir(), "mlsec-hub-"));
});
afterEach(async () => {
  await hub.close();
  await rm(cacheDir, { recursive: true, force: true });
});

const options = (more: Partial<DownloadOptions> = {}): DownloadOptions => ({
  repository,
  endpoint: hub.endpoint,
  cacheDir,
  stallTimeoutMs: 1500,
  backoffMs: 5,
  ...more,
});
const failure = async (promise: Promise<unknown>): Promise<EngineError> => {
  const error: unknown = await promise.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(EngineError);
  return error as EngineError;
};
/** A mood for the n-th request of the large file's content. */
const onContent = (mood: (call: number) => ReturnType<HubServer["mood"]>): HubServer["mood"] => {
  let call = 0;
  return (request) => (request.server === "cdn" ? mood(call++) : undefined);
};
const content = (): SeenRequest[] => hub.requests.filter(({ server }) => server === "cdn");

/** The same download in a process of its own; it prints how many bytes it received. */
function inProcess(): { child: ChildProcess; ended: Promise<{ code: number | null; stdout: string }> } {
  const child = spawn(process.execPath, [
    "--input-type=module",
    "-e",
    `import { downloadModel } from ${JSON.stringify(new URL("hub.ts", import.meta.url).href)};
     console.log((await downloadModel(${JSON.stringify(options({ stallTimeoutMs: 5000 }))})).receivedBytes);`,
  ]);
  let stdout = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  return { child, ended: new Promise((resolve) => child.once("close", (code) => resolve({ code, stdout }))) };
}

describe("a download", () => {
  test("fetches what is needed, pinned to a commit, and costs nothing the second time", async () => {
    const seen: HubProgress[] = [];
    const model = await downloadModel(options({ onProgress: (progress) => seen.push(progress) }));
    expect(model.commit).toBe(commit);
    expect((await readdir(model.folder)).sort()).toEqual([
      "config.json",
      "hub.json",
      "model.safetensors",
      "tokenizer.json",
    ]);
    expect(Buffer.from(weights).equals(await readFile(join(model.folder, "model.safetensors")))).toBe(true);
    expect(model.files["model.safetensors"]).toEqual({ bytes: weights.length, sha256: sha256(weights) });
    const total = weights.length + files["config.json"].length + files["tokenizer.json"].length;
    expect(model.receivedBytes).toBe(total);
    expect(seen.at(-1)).toMatchObject({ file: "model.safetensors", doneBytes: total, totalBytes: total });
    expect(seen.every(({ doneBytes }, i) => doneBytes >= (seen[i - 1]?.doneBytes ?? 0))).toBe(true);
    hub.requests.length = 0;
    expect((await downloadModel(options({ revision: commit }))).receivedBytes).toBe(0);
    expect(hub.requests).toHaveLength(0);
    expect((await downloadModel(options())).receivedBytes).toBe(0); // a branch may have moved: the hub is asked once
    expect(hub.requests.map(({ path }) => path)).toEqual([`/api/models/${repository}/revision/main?blobs=true`]);
    expect(await listCached(cacheDir)).toMatchObject([{ repository, commit }]);
  });

  test("works from a mirror whose listing names no checksums", async () => {
    hub.isTerse = true;
    const model = await downloadModel(options());
    expect(model.files["model.safetensors"]?.sha256).toBe(sha256(weights));
  });

  test("offline it takes what the cache has, by branch or commit, and nothing else", async () => {
    const error = await failure(downloadModel(options({ offline: true })));
    expect(error.code).toBe("UNREACHABLE");
    await downloadModel(options());
    hub.requests.length = 0;
    for (const revision of ["main", commit]) {
      expect((await downloadModel(options({ offline: true, revision }))).commit).toBe(commit);
    }
    await failure(downloadModel(options({ offline: true, files: ["README.md"] })));
    expect(hub.requests).toHaveLength(0);
  });

  test("a hub that is down does not take away what was fetched", async () => {
    await downloadModel(options());
    hub.mood = () => ({ kind: "status", status: 503 });
    expect((await downloadModel(options({ retries: 1 }))).receivedBytes).toBe(0);
  });

  test("single files do not make a whole model", async () => {
    expect((await downloadModel(options({ files: ["config.json"] }))).isWhole).toBe(false);
    await failure(downloadModel(options({ offline: true })));
    const whole = await downloadModel(options({ revision: commit }));
    expect(whole.isWhole).toBe(true);
    expect(whole.receivedBytes).toBe(weights.length + files["tokenizer.json"].length);
    expect((await downloadModel(options({ files: ["README.md"] }))).isWhole).toBe(true);
  });

  test("adds files that are asked for later", async () => {
    const first = await downloadModel(options());
    const second = await downloadModel(options({ files: ["config.json", "README.md"] }));
    expect(second.receivedBytes).toBe(files["README.md"].length);
    expect(Object.keys(second.files)).toHaveLength(Object.keys(first.files).length + 1);
  });

  test("a damaged cache is noticed and repaired", async () => {
    const { folder } = await downloadModel(options());
    await writeFile(join(folder, "model.safetensors"), "short");
    expect(await cachedModel(cacheDir, repository, commit)).toBeUndefined();
    expect((await downloadModel(options())).receivedBytes).toBe(weights.length);
  });
});

describe("trouble on the way", () => {
  test("an answer that is cut off is continued where it stopped", async () => {
    hub.mood = onContent((call) => (call < 3 ? { kind: "cut", after: 200_000 } : undefined));
    const model = await downloadModel(options());
    expect(model.receivedBytes).toBe(weights.length + files["config.json"].length + files["tokenizer.json"].length);
    const starts = content().map(({ range }) => Number(/\d+/.exec(range ?? "bytes=0-")?.[0]));
    expect(starts).toHaveLength(4);
    expect(starts[0]).toBe(0);
    // How much of a broken answer arrives is up to the network: at most what was sent, and always more than before.
    starts.slice(1).forEach((start, i) => {
      expect(start).toBeGreaterThan(starts[i] ?? 0);
      expect(start).toBeLessThanOrEqual((starts[i] ?? 0) + 200_000);
    });
    expect(content()[1]?.ifRange).toMatch(/^"cdn-/);
  });

  test("a server that falls silent is given up, then continued", async () => {
    hub.mood = onContent((call) => (call === 0 ? { kind: "stall", after: 300_000 } : undefined));
    await downloadModel(options());
    expect(content()[1]?.range).toBe("bytes=300000-"); // all that had arrived before the silence
  });

  test("a slow server that keeps sending is waited for", async () => {
    hub.mood = onContent(() => ({ kind: "slow", pauseMs: 120 })); // 16 pauses are longer than the patience with silence
    await downloadModel(options());
    expect(content()).toHaveLength(1);
  });

  test("a file that arrives wrong is fetched once more, and then refused", async () => {
    hub.mood = onContent((call) => (call === 0 ? { kind: "corrupt" } : undefined));
    await downloadModel(options());
    expect(content()).toHaveLength(2);
    await rm(cacheDir, { recursive: true });
    hub.mood = onContent(() => ({ kind: "corrupt" }));
    const error = await failure(downloadModel(options()));
    expect(error.code).toBe("INTEGRITY");
    expect(error.details.where).not.toContain("signature");
    expect(await cachedModel(cacheDir, repository, commit)).toBeUndefined();
    expect(existsSync(join(cacheDir, "owner--small-model", commit, "model.safetensors"))).toBe(false);
  });

  test("content that changed between two attempts is fetched from the beginning", async () => {
    hub.mood = onContent((call) => (call === 0 ? { kind: "cut", after: 250_000 } : { kind: "etag", etag: '"other"' }));
    const model = await downloadModel(options());
    expect(content()[1]?.range).toMatch(/^bytes=[1-9]\d+-$/);
    expect(content()[1]?.sent).toBe(weights.length);
    expect(model.files["model.safetensors"]?.sha256).toBe(sha256(weights));
  });

  test("without checksums in the listing, new content replaces the unfinished old", async () => {
    hub.isTerse = true;
    hub.mood = onContent(() => ({ kind: "cut", after: 250_000 }));
    await failure(downloadModel(options({ retries: 0 })));
    const newer = bytesOf(1_000_003, 99);
    hub.repositories.set(repository, {
      commit,
      files: { ...files, "model.safetensors": newer },
      large: ["model.safetensors"],
    });
    hub.mood = () => undefined;
    expect((await downloadModel(options())).files["model.safetensors"]?.sha256).toBe(sha256(newer));
  });

  test("asked to wait, it waits as long as asked", async () => {
    hub.mood = onContent((call) =>
      call === 0 ? { kind: "status", status: 429, headers: { "retry-after": "1" } } : undefined,
    );
    const began = Date.now();
    await downloadModel(options());
    expect(Date.now() - began).toBeGreaterThanOrEqual(990);
  });

  test("5xx is tried again, but not for ever", async () => {
    let calls = 0;
    hub.mood = () => (calls++ < 2 ? { kind: "status", status: 502 } : undefined);
    await downloadModel(options());
    await rm(cacheDir, { recursive: true });
    hub.requests.length = 0;
    hub.mood = () => ({ kind: "status", status: 500 });
    expect(await failure(downloadModel(options({ retries: 2 })))).toMatchObject({
      code: "UNREACHABLE",
      details: { got: 500 },
    });
    expect(hub.requests).toHaveLength(3);
  });

  test("a server that always breaks off at the same place is given up", async () => {
    hub.mood = (request) => (request.server === "cdn" ? { kind: "cut", after: 0 } : undefined);
    expect((await failure(downloadModel(options({ retries: 2 })))).code).toBe("UNREACHABLE");
    expect(content()).toHaveLength(3);
  });

  test("a wait of an hour is an error at once", async () => {
    hub.mood = () => ({ kind: "status", status: 429, headers: { "retry-after": "3600" } });
    expect(await failure(downloadModel(options()))).toMatchObject({ code: "UNREACHABLE", details: { got: 429 } });
    expect(hub.requests).toHaveLength(1);
  });

  test("nobody there", async () => {
    const endpoint = hub.endpoint;
    await hub.close();
    expect((await failure(downloadModel(options({ endpoint, retries: 1 })))).code).toBe("UNREACHABLE");
    hub = await startHub({});
  });

  test("cancelled, it stops and later continues", async () => {
    const abort = new AbortController();
    hub.mood = onContent((call) => (call === 0 ? { kind: "slow", pauseMs: 30 } : undefined));
    const onProgress = ({ fileBytes, file }: HubProgress): void => {
      if (file === "model.safetensors" && fileBytes > 200_000) abort.abort();
    };
    expect((await failure(downloadModel(options({ signal: abort.signal, onProgress })))).code).toBe("CANCELLED");
    await downloadModel(options());
    const from = Number(/\d+/.exec(content()[1]?.range ?? "")?.[0]);
    expect(from).toBeGreaterThan(200_000);
    expect((await failure(downloadModel(options({ signal: AbortSignal.abort() })))).code).toBe("CANCELLED");
  });
});

describe("what a hub may not do", () => {
  test("the token goes to the hub only, not to where it redirects", async () => {
    await downloadModel(options({ repository: "owner/gated", token: "hf_secret" }));
    const tokens = hub.requests.map(({ server, authorization }) => [server, authorization]);
    expect(tokens.filter(([server]) => server === "hub").every(([, token]) => token === "Bearer hf_secret")).toBe(true);
    expect(tokens.filter(([server]) => server === "cdn")).toEqual([["cdn", undefined]]);
  });

  test("nor back to the hub by way of another server", async () => {
    hub.mood = (request) =>
      request.server === "cdn"
        ? { kind: "redirect", to: `${hub.endpoint}/${repository}/resolve/main/README.md` }
        : undefined;
    await failure(downloadModel(options({ token: "hf_secret" })));
    const back = hub.requests.filter(({ path }) => path.endsWith("/README.md"));
    expect(back.length).toBeGreaterThan(0);
    expect(back.every(({ authorization }) => authorization === undefined)).toBe(true);
  });

  test("a gated model says that a token is needed; a missing one that it is missing", async () => {
    expect((await failure(downloadModel(options({ repository: "owner/gated" })))).message).toMatch(/token/);
    expect((await failure(downloadModel(options({ repository: "owner/none" })))).message).toMatch(/no such repository/);
    expect((await failure(downloadModel(options({ revision: "none" })))).message).toMatch(
      /no such repository, revision/,
    );
    expect(hub.requests).toHaveLength(3); // none of them is worth another attempt
  });

  test("answer for another commit", async () => {
    hub.mood = (request) =>
      request.path.includes("/resolve/")
        ? { kind: "headers", headers: { "x-repo-commit": "f".repeat(40) } }
        : undefined;
    expect((await failure(downloadModel(options()))).code).toBe("INTEGRITY");
  });

  test("contradict its own listing", async () => {
    hub.mood = (request) =>
      request.path.includes("/resolve/") ? { kind: "headers", headers: { etag: `"${"a".repeat(40)}"` } } : undefined;
    expect((await failure(downloadModel(options()))).code).toBe("INTEGRITY");
  });

  test("send more than it said, or more than is allowed", async () => {
    expect((await failure(downloadModel(options({ maxBytes: 1000 })))).code).toBe("WEIGHTS");
    hub.isTerse = true;
    expect((await failure(downloadModel(options({ maxBytes: 1000 })))).code).toBe("WEIGHTS");
  });

  test("redirect for ever, or to another protocol", async () => {
    hub.mood = ({ path }) => ({ kind: "redirect", to: path });
    expect((await failure(downloadModel(options()))).message).toMatch(/too many redirects/);
    hub.mood = () => ({ kind: "redirect", to: "file:///etc/passwd" });
    expect((await failure(downloadModel(options()))).message).toMatch(/address that is refused/);
  });

  test.each(["../evil", "a/b/c", "", "a/..", "a b", "a/b?x"])("name the repository %j", async (name) => {
    expect((await failure(downloadModel(options({ repository: name })))).code).toBe("CONFIG");
    expect(hub.requests).toHaveLength(0);
  });

  test("write outside its folder", async () => {
    for (const name of ["../x", "/etc/x", "a/../b", ".lock", "a//b", "hub.json/../x"]) {
      expect((await failure(downloadModel(options({ files: [name] })))).code).toBe("CONFIG");
    }
  });

  test("answer with something else", async () => {
    for (const value of [null, [], { sha: "main", siblings: [] }, { sha: commit }, 7]) {
      expect(() => parseListing(value, "x")).toThrow(EngineError);
    }
    expect(
      parseListing({ sha: commit, siblings: [null, 3, { rfilename: 4 }, { rfilename: "a", size: -1 }] }, "x").files,
    ).toEqual([{ name: "a" }]);
  });
});

describe("several at once", () => {
  test("two calls for one model: one downloads, both get it", async () => {
    hub.mood = onContent(() => ({ kind: "slow", pauseMs: 5 }));
    const [one, two] = await Promise.all([downloadModel(options()), downloadModel(options())]);
    expect(content()).toHaveLength(1);
    expect(one.folder).toBe(two.folder);
    expect(Math.min(one.receivedBytes, two.receivedBytes)).toBe(0);
  });

  test("two processes for one model: one downloads, both get it", async () => {
    hub.mood = onContent(() => ({ kind: "slow", pauseMs: 20 }));
    const [one, two] = await Promise.all([inProcess().ended, inProcess().ended]);
    expect([one.code, two.code]).toEqual([0, 0]);
    expect(content()).toHaveLength(1);
    expect([one, two].map(({ stdout }) => Number(stdout)).sort((a, b) => a - b)[0]).toBe(0);
  });

  test("a lock of a process that died is taken over, one of a living process is not", async () => {
    const folder = join(cacheDir, "locked");
    await withLock(folder, undefined, async () => {
      const waiting = withLock(folder, AbortSignal.timeout(300), () => Promise.resolve("got it"));
      expect((await failure(waiting)).code).toBe("CANCELLED");
    });
    const dead = spawn(process.execPath, ["-e", ""]);
    await new Promise((resolve) => dead.once("exit", resolve));
    await writeFile(join(folder, ".lock"), JSON.stringify({ pid: dead.pid, id: "x" }));
    expect(await withLock(folder, undefined, () => Promise.resolve("mine"))).toBe("mine");
    await writeFile(join(folder, ".lock"), JSON.stringify({ pid: process.pid, id: "x" }));
    const long = new Date(Date.now() - 60_000);
    await utimes(join(folder, ".lock"), long, long);
    expect(await withLock(folder, undefined, () => Promise.resolve("old"))).toBe("old");
    expect(await readdir(folder)).toEqual([]);
  });

  test("killed in the middle, the next process goes on where it was", async () => {
    hub.mood = onContent((call) => (call === 0 ? { kind: "slow", pauseMs: 100 } : undefined));
    const { child, ended } = inProcess();
    const part = join(cacheDir, "owner--small-model", commit, ".parts", "model.safetensors.part");
    while (((await stat(part).catch(() => undefined))?.size ?? 0) < 200_000) {
      expect(child.exitCode).toBeNull();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    child.kill("SIGKILL");
    await ended;
    const have = (await stat(part)).size;
    const requests = hub.requests.length;
    const model = await downloadModel(options());
    expect(model.receivedBytes).toBe(weights.length - have);
    expect(hub.requests.slice(requests).map(({ path }) => path.split("?")[0]?.split("/").at(-1))).toEqual([
      "main",
      "model.safetensors", // not config.json and tokenizer.json, which were finished
      sha256(weights),
    ]);
    expect(content().at(-1)?.range).toBe(`bytes=${have}-`);
    expect(model.files["model.safetensors"]?.sha256).toBe(sha256(weights));
  });
});

test("files are chosen by what is there", () => {
  const small = ["config.json", "tokenizer_config.json", "README.md", "onnx/model.onnx"];
  const choose = (...names: string[]): string[] => chooseFiles([...small, ...names]);
  expect(choose("tokenizer.json", "vocab.txt", "model.safetensors", "pytorch_model.bin")).toEqual([
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "model.safetensors",
  ]);
  expect(choose("spm.model", "pytorch_model.bin", "tf_model.h5").slice(1)).toEqual([
    "spm.model",
    "tokenizer_config.json",
    "pytorch_model.bin",
  ]);
  const shards = ["model-00002-of-00002.safetensors", "model-00001-of-00002.safetensors"];
  expect(choose("vocab.txt", "model.safetensors.index.json", ...shards).slice(3)).toEqual([
    "model.safetensors.index.json",
    ...shards.toReversed(),
  ]);
  expect(() => choose("tf_model.h5")).toThrow(/no weights/);
  expect(() => chooseFiles(["model.safetensors"])).toThrow(/no config/);
});
