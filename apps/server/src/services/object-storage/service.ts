// Object storage (9000): the embedded store speaking the S3 API, path style. Its paths are buckets, so it has no contract.
import type { RequestContext } from "@mlsec/contracts";
import { defineService, type ServiceContext } from "../../platform/service.ts";
import { bucketProperty, createBucket, deleteBucket, listBuckets, listObjects, requireBucket } from "./buckets.ts";
import { type Call, readTarget } from "./call.ts";
import { abortUpload, completeUpload, listParts, listUploads, putPart, startUpload } from "./multipart.ts";
import { deleteObject, deleteObjects, putObject, readObject } from "./objects.ts";
import { errorResponse, s3CodeOf, s3Error } from "./s3-error.ts";
import { type Keys, verify } from "./sigv4.ts";

export const service = defineService({
  name: "object-storage",
  contract: {},
  async create(context) {
    const { accessKey, secretKey } = context.config.storage;
    const keys = accessKey !== undefined && secretKey !== undefined ? { accessKey, secretKey } : undefined;
    return {
      handlers: {},
      ready: async () => {
        await context.storage.buckets();
        return { ready: true, checks: {} };
      },
      raw: (request, about) => answer(context, keys, request, about),
    };
  },
});

async function answer(
  { storage, clock, log }: ServiceContext,
  keys: Keys | undefined,
  request: Request,
  { requestId }: RequestContext,
): Promise<Response> {
  const { pathname } = new URL(request.url);
  try {
    if (pathname.startsWith("/minio/health/")) return await health(pathname, request.method, storage);
    const seed = keys && verify(request, keys, clock());
    const call: Call = { request, method: request.method, store: storage, seed, ...readTarget(request) };
    const response = await dispatch(call, clock);
    response.headers.set("x-amz-request-id", requestId);
    return response;
  } catch (error) {
    if (s3CodeOf(error) === "InternalError")
      log.error({ requestId, method: request.method, error }, "an S3 call failed");
    const response = errorResponse(error, pathname, requestId);
    // What was not read of the body is not waited for.
    response.headers.set("x-amz-request-id", requestId);
    return response;
  }
}

/** As MinIO answers its health checks: an empty 200. */
async function health(pathname: string, method: string, storage: ServiceContext["storage"]): Promise<Response> {
  if (method !== "GET" && method !== "HEAD") throw s3Error("MethodNotAllowed", "health is asked by GET or HEAD");
  if (pathname === "/minio/health/ready") await storage.buckets();
  else if (pathname !== "/minio/health/live") throw s3Error("NoSuchKey", "no such health check");
  return new Response(null, { status: 200 });
}

async function dispatch(call: Call, clock: () => Date): Promise<Response> {
  const { bucket, key, method, store } = call;
  if (bucket === "") {
    if (method === "GET" || method === "HEAD") return listBuckets(store);
    throw s3Error("MethodNotAllowed", "without a bucket only GET is answered");
  }
  return key === "" ? onBucket(call) : onObject(call, clock);
}

/** Sub-resources S3 has and this store has not; without this list they would be taken for plain calls. */
const unsupported = [
  ...["accelerate", "acl", "analytics", "cors", "encryption", "intelligent-tiering", "inventory", "legal-hold"],
  ...["lifecycle", "logging", "metrics", "notification", "object-lock", "ownershipControls", "policy", "policyStatus"],
  ...["publicAccessBlock", "replication", "requestPayment", "restore", "retention", "select", "tagging", "torrent"],
  ...["versions", "website", "attributes"],
];

function refuseUnsupported({ query }: Call): void {
  const found = unsupported.find((name) => query.has(name));
  if (found) throw s3Error("NotImplemented", `this store has no ${found}`);
}

function onBucket(call: Call): Promise<Response> {
  const { method, query } = call;
  refuseUnsupported(call);
  if (method === "GET") {
    if (query.has("uploads")) return listUploads(call);
    if (query.has("location")) return bucketProperty(call, "location");
    if (query.has("versioning")) return bucketProperty(call, "versioning");
    return listObjects(call);
  }
  if (method === "HEAD") return requireBucket(call).then(() => new Response(null, { status: 200 }));
  if (method === "PUT" && !query.has("versioning")) return createBucket(call);
  if (method === "DELETE") return deleteBucket(call);
  if (method === "POST" && query.has("delete")) return deleteObjects(call);
  throw s3Error(
    method === "POST" || method === "PUT" ? "NotImplemented" : "MethodNotAllowed",
    "a bucket has no such call",
  );
}

function onObject(call: Call, clock: () => Date): Promise<Response> {
  const { method, query } = call;
  refuseUnsupported(call);
  const isPart = query.has("uploadId");
  if (method === "GET" && isPart) return listParts(call);
  if (method === "GET" || method === "HEAD") return requireBucket(call).then(() => readObject(call));
  if (method === "PUT") return requireBucket(call).then(() => (isPart ? putPart(call) : putObject(call)));
  if (method === "DELETE") return isPart ? abortUpload(call) : requireBucket(call).then(() => deleteObject(call));
  if (method === "POST" && query.has("uploads")) return startUpload(call, clock());
  if (method === "POST" && isPart) return completeUpload(call);
  throw s3Error(method === "POST" ? "NotImplemented" : "MethodNotAllowed", "an object has no such call");
}
