import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createChecksum } from "./checksums.ts";
import { decodeChunks } from "./chunked.ts";
import { checkConditions, checkWrite, parseRange } from "./conditions.ts";
import { canonicalRequest, encode, hmac, queryPairs, readSignature, type Seed, signingKey, verify } from "./sigv4.ts";
import { children, element, escapeXml, group, parseXml, textOf, xmlDocument } from "./xml.ts";

// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, the published examples.
const keys = { accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" };
const then = new Date("2013-05-24T00:00:00Z");
const emptyHash = createHash("sha256").digest("hex");
const published = (signature: string, signedHeaders: string, headers: Record<string, string>) => ({
  host: "examplebucket.s3.amazonaws.com",
  "x-amz-date": "20130524T000000Z",
  "x-amz-content-sha256": emptyHash,
  ...headers,
  authorization: `AWS4-HMAC-SHA256 Credential=${keys.accessKey}/20130524/us-east-1/s3/aws4_request,SignedHeaders=${signedHeaders},Signature=${signature}`,
});

test.each([
  [
    "GET object with a range",
    "https://examplebucket.s3.amazonaws.com/test.txt",
    published(
      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
      "host;range;x-amz-content-sha256;x-amz-date",
      { range: "bytes=0-9" },
    ),
  ],
  [
    "a flag in the query",
    "https://examplebucket.s3.amazonaws.com/?lifecycle",
    published(
      "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
      "host;x-amz-content-sha256;x-amz-date",
      {},
    ),
  ],
  [
    "two parameters",
    "https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J",
    published(
      "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
      "host;x-amz-content-sha256;x-amz-date",
      {},
    ),
  ],
])("verifies the published example: %s", (_, url, headers) => {
  expect(verify(new Request(url, { headers }), keys, then).signature).toHaveLength(64);
  expect(() => verify(new Request(`${url}x`, { headers }), keys, then)).toThrow(/signature/);
  expect(() => verify(new Request(url, { headers }), { ...keys, secretKey: "x" }, then)).toThrow(/signature/);
  expect(() => verify(new Request(url, { headers }), { ...keys, accessKey: "x" }, then)).toThrow(/access key/);
  expect(() => verify(new Request(url, { headers }), keys, new Date("2013-05-24T00:16:00Z"))).toThrow(/15 minutes/);
});

test("verifies the published presigned address, until it expires", () => {
  const url =
    "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
  const request = new Request(url, { headers: { host: "examplebucket.s3.amazonaws.com" } });
  expect(verify(request, keys, then).amzDate).toBe("20130524T000000Z");
  expect(() => verify(request, keys, new Date("2013-05-25T00:00:01Z"))).toThrow(/expired/);
});

test("no Authorization header makes the reader fall over", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const header = text.replace(/[^\x20-\x7e]/g, "");
      const request = new Request("http://localhost/b", { headers: { authorization: `AWS4-HMAC-SHA256 ${header}` } });
      expect(() => readSignature(request)).toThrow(/cannot be read|expected Authorization/);
    }),
  );
});

const unsigned = { accessKey: "", date: "", region: "", service: "", signature: "", amzDate: "" };
test("queries come back as they were encoded", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 8 });
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(
          text.filter((name) => name !== ""),
          text,
        ),
      ),
      (pairs) => {
        const search = `?${pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join("&")}`;
        expect(queryPairs(search)).toEqual(pairs);
      },
    ),
  );
  expect(() => queryPairs("?a=%ff")).toThrow(/UTF-8/);
  const found = { ...unsigned, signedHeaders: ["host"] };
  const request = new Request("http://h/b/a%2Bb%20c?b=2&a=%2F", { headers: { host: "h" } });
  expect(canonicalRequest(request, found, "H")).toBe("GET\n/b/a%2Bb%20c\na=%2F&b=2\nhost:h\n\nhost\nH");
});

const seed: Seed = {
  signature: "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
  scope: "20130524/us-east-1/s3/aws4_request",
  amzDate: "20130524T000000Z",
  signingKey: signingKey(keys.secretKey, { date: "20130524", region: "us-east-1", service: "s3" }),
};
const collect = async (chunks: AsyncIterable<Uint8Array>): Promise<Buffer> =>
  Buffer.concat(await Array.fromAsync(chunks));
/** The bytes cut wherever the seed says, as a network would. */
async function* cut(bytes: Buffer, sizes: readonly number[]): AsyncIterable<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = Math.max(1, sizes[i % Math.max(1, sizes.length)] ?? bytes.length);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

test("verifies the published example of a signed stream", async () => {
  const chunk = (size: string, signature: string, data: string) =>
    `${size};chunk-signature=${signature}\r\n${data}\r\n`;
  const good =
    chunk("10000", "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648", "a".repeat(65_536)) +
    chunk("400", "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497", "a".repeat(1024)) +
    chunk("0", "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9", "");
  const decoded = await collect(decodeChunks(cut(Buffer.from(good), [1000]), { seed }));
  expect(decoded.length).toBe(66_560);
  const bad = good.replace("aaaa\r\n400", "aaab\r\n400");
  await expect(collect(decodeChunks(cut(Buffer.from(bad), [1000]), { seed }))).rejects.toThrow(/signature/);
});

const encodeChunks = (parts: readonly Buffer[], trailer: string): Buffer =>
  Buffer.concat([
    ...parts
      .filter((part) => part.length > 0)
      .flatMap((part) => [Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n")]),
    Buffer.from(`0\r\n${trailer}\r\n`),
  ]);

test("chunks come back whole wherever the network cuts them, and a cut body is noticed", async () => {
  const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
  await fc.assert(
    fc.asyncProperty(
      fc.array(bytes),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
      fc.nat(),
      async (parts, sizes, at) => {
        const trailers: string[] = [];
        const encoded = encodeChunks(parts, "x-amz-checksum-crc32: AAAAAA==\r\n");
        const onTrailer = (name: string, value: string): void => void trailers.push(name, value);
        const decoded = await collect(decodeChunks(cut(encoded, sizes), { onTrailer }));
        expect(decoded.equals(Buffer.concat(parts))).toBe(true);
        expect(trailers).toEqual(["x-amz-checksum-crc32", "AAAAAA=="]);
        const end = encoded.lastIndexOf("0\r\nx-amz");
        const short = encoded.subarray(0, at % (end + 1));
        await expect(collect(decodeChunks(cut(short, sizes)))).rejects.toThrow();
      },
    ),
    { numRuns: 50 },
  );
});

test("garbage is refused, never read for ever", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array(), async (garbage) => {
      await collect(decodeChunks(cut(Buffer.from(garbage), [7]))).catch((error: unknown) =>
        expect(error).toBeInstanceOf(Error),
      );
    }),
  );
  await expect(collect(decodeChunks(cut(Buffer.alloc(20_000, "a"), [100])))).rejects.toThrow(/too long/);
});

test("an unsigned trailer in a signed stream is refused", async () => {
  const sign = (toSign: string): string => hmac(seed.signingKey, toSign).toString("hex");
  const last = sign(
    ["AWS4-HMAC-SHA256-PAYLOAD", seed.amzDate, seed.scope, seed.signature, emptyHash, emptyHash].join("\n"),
  );
  const trailer = "x-amz-checksum-crc32:AAAAAA==";
  const hash = createHash("sha256").update(`${trailer}\n`).digest("hex");
  const proof = sign(["AWS4-HMAC-SHA256-TRAILER", seed.amzDate, seed.scope, last, hash].join("\n"));
  const body = (end: string): Buffer => Buffer.from(`0;chunk-signature=${last}\r\n${trailer}\r\n${end}\r\n`);
  await collect(decodeChunks(cut(body(`x-amz-trailer-signature:${proof}\r\n`), [9]), { seed }));
  await expect(collect(decodeChunks(cut(body(""), [9]), { seed }))).rejects.toThrow(/not signed/);
});

test("checksums: the published check values of 123456789", () => {
  const of = (name: string): string => {
    const checksum = createChecksum(name);
    checksum?.update(Buffer.from("12345"));
    checksum?.update(Buffer.from("6789"));
    return Buffer.from(checksum?.digest() ?? "", "base64").toString("hex");
  };
  expect(of("crc32")).toBe("cbf43926");
  expect(of("crc32c")).toBe("e3069283");
  expect(of("crc64nvme")).toBe("ae8b14860a799888");
  expect(of("sha1")).toBe("f7c3bc1d808e04732adf679965ccc34ca7ae3441");
  expect(createChecksum("constructor")).toBeUndefined();
});

test("ranges lie inside the object or are refused", () => {
  expect(parseRange("bytes=0-0", 10)).toEqual({ start: 0, end: 0 });
  expect(parseRange("bytes=5-", 10)).toEqual({ start: 5, end: 9 });
  expect(parseRange("bytes=-20", 10)).toEqual({ start: 0, end: 9 });
  for (const whole of [null, "bytes=", "bytes=-", "bytes=5-2", "bytes=0-1,3-4", "items=0-1"])
    expect(parseRange(whole, 10)).toBeUndefined();
  for (const [header, size] of [
    ["bytes=10-", 10],
    ["bytes=-0", 10],
    ["bytes=0-", 0],
    ["bytes=-5", 0],
  ] as const)
    expect(() => parseRange(header, size)).toThrow(/bytes/);
  fc.assert(
    fc.property(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 1000 }), (first, last, size) => {
      fc.pre(first <= last && first < size);
      expect(parseRange(`bytes=${first}-${last}`, size)).toEqual({ start: first, end: Math.min(last, size - 1) });
    }),
  );
});

test("conditions", () => {
  const info = { etag: "abc", modified: new Date("2026-01-01T00:00:00.500Z") };
  const check = (headers: Record<string, string>) => checkConditions(new Headers(headers), info);
  expect(check({})).toEqual({ modified: true });
  expect(check({ "if-none-match": '"x", W/"abc"' })).toEqual({ modified: false });
  expect(check({ "if-modified-since": info.modified.toUTCString() })).toEqual({ modified: false });
  expect(check({ "if-none-match": '"x"', "if-modified-since": info.modified.toUTCString() })).toEqual({
    modified: true,
  });
  expect(() => check({ "if-match": '"x"' })).toThrow(/condition/);
  expect(() => check({ "if-unmodified-since": "Wed, 31 Dec 2025 00:00:00 GMT" })).toThrow(/condition/);
  expect(check({ "if-match": '"abc"', "if-unmodified-since": "Wed, 31 Dec 2025 00:00:00 GMT" })).toEqual({
    modified: true,
  });
  expect(() => checkWrite(new Headers({ "if-none-match": "*" }), info)).toThrow(/condition/);
  expect(() => checkWrite(new Headers({ "if-match": '"abc"' }), undefined)).toThrow(/condition/);
  checkWrite(new Headers({ "if-none-match": "*" }), undefined);
});

test("XML comes back as it was written; entities of the document's own are refused", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme", minLength: 1 }), { minLength: 1 }), (texts) => {
      const clean = texts.map((text) => text.replace(/[\p{Cc}\ufffe\uffff]/gu, "-"));
      const tree = parseXml(
        xmlDocument("Delete", clean.map((text) => group("Object", element("Key", text))).join("")),
        "Delete",
      );
      expect(tree && children(tree, "Object").map((object) => textOf(object, "Key"))).toEqual(clean);
    }),
  );
  expect(parseXml('<!DOCTYPE d [<!ENTITY x "y">]><Delete/>', "Delete")).toBeUndefined();
  expect(parseXml("<Delete><Object>", "Delete")).toBeUndefined();
  expect(escapeXml("\0\ud800<")).toBe("\ufffd\ufffd&lt;");
});
