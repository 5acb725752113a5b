"""Drives the store with the real boto3: what a user's program would do. Arguments: endpoint, access key, secret key."""
import hashlib
import io
import sys
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from boto3.s3.transfer import TransferConfig

endpoint, access, secret = sys.argv[1:4]


def client(secret_key=secret, **config):
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=access,
        aws_secret_access_key=secret_key,
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}, signature_version="s3v4", **config),
    )


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, (error.response["Error"], code)
        return
    raise AssertionError(f"expected {code}")


s3 = client()
s3.create_bucket(Bucket="wire")
refused("BucketAlreadyOwnedByYou", s3.create_bucket, Bucket="wire")
assert "wire" in [b["Name"] for b in s3.list_buckets()["Buckets"]]
s3.head_bucket(Bucket="wire")
refused("404", s3.head_bucket, Bucket="nowhere")
refused("NoSuchBucket", s3.list_objects_v2, Bucket="nowhere")

# put, head, get, ranges, conditions
key = "a folder/ü+&<'\"🙂%20.txt"
body = b"0123456789" * 100
put = s3.put_object(Bucket="wire", Key=key, Body=body, ContentType="text/plain", Metadata={"who": "me"}, CacheControl="no-cache")
assert put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
head = s3.head_object(Bucket="wire", Key=key)
assert head["ContentLength"] == 1000 and head["Metadata"] == {"who": "me"} and head["ContentType"] == "text/plain", head
assert head["CacheControl"] == "no-cache"
got = s3.get_object(Bucket="wire", Key=key)
assert got["Body"].read() == body
assert s3.get_object(Bucket="wire", Key=key, Range="bytes=10-19")["Body"].read() == body[10:20]
part = s3.get_object(Bucket="wire", Key=key, Range="bytes=-5")
assert part["Body"].read() == body[-5:] and part["ContentRange"] == "bytes 995-999/1000"
refused("InvalidRange", s3.get_object, Bucket="wire", Key=key, Range="bytes=1000-")
refused("304", s3.get_object, Bucket="wire", Key=key, IfNoneMatch=put["ETag"])
refused("PreconditionFailed", s3.get_object, Bucket="wire", Key=key, IfMatch='"x"')
refused("NoSuchKey", s3.get_object, Bucket="wire", Key="nothing")
refused("404", s3.head_object, Bucket="wire", Key="nothing")
refused("PreconditionFailed", s3.put_object, Bucket="wire", Key=key, Body=b"x", IfNoneMatch="*")
s3.put_object(Bucket="wire", Key="empty", Body=b"")
assert s3.get_object(Bucket="wire", Key="empty")["Body"].read() == b""

# digests: every algorithm that this boto3 can compute, and wrong ones
for algorithm in ["CRC32", "SHA1", "SHA256"]:
    s3.put_object(Bucket="wire", Key="sum", Body=body, ChecksumAlgorithm=algorithm)
refused("BadDigest", s3.put_object, Bucket="wire", Key="sum", Body=body, ContentMD5="AAAAAAAAAAAAAAAAAAAAAA==")
refused("BadDigest", s3.put_object, Bucket="wire", Key="sum", Body=body, ChecksumSHA256="A" * 43 + "=")
assert s3.get_object(Bucket="wire", Key="sum")["Body"].read() == body, "a refused upload must not replace the object"

# a stream: unsigned payload with a trailing checksum
s3.upload_fileobj(io.BytesIO(body), "wire", "stream")
assert s3.get_object(Bucket="wire", Key="stream")["Body"].read() == body
s3.delete_objects(Bucket="wire", Delete={"Objects": [{"Key": k} for k in ["sum", "stream", "empty"]]})

# multipart
big = bytes(range(256)) * (40 * 1024)  # 10 MiB
config = TransferConfig(multipart_threshold=5 * 2**20, multipart_chunksize=5 * 2**20, max_concurrency=2)
s3.upload_fileobj(io.BytesIO(big), "wire", "big", Config=config, ExtraArgs={"ContentType": "application/x-big"})
head = s3.head_object(Bucket="wire", Key="big")
assert head["ETag"].endswith('-2"') and head["ContentLength"] == len(big) and head["ContentType"] == "application/x-big", head
assert s3.get_object(Bucket="wire", Key="big")["Body"].read() == big
upload = s3.create_multipart_upload(Bucket="wire", Key="parts")["UploadId"]
assert [u["UploadId"] for u in s3.list_multipart_uploads(Bucket="wire")["Uploads"]] == [upload]
small = s3.upload_part(Bucket="wire", Key="parts", UploadId=upload, PartNumber=1, Body=b"small")
s3.upload_part_copy(Bucket="wire", Key="parts", UploadId=upload, PartNumber=2, CopySource={"Bucket": "wire", "Key": "big"}, CopySourceRange="bytes=0-99")
listed = s3.list_parts(Bucket="wire", Key="parts", UploadId=upload)["Parts"]
assert [(p["PartNumber"], p["Size"]) for p in listed] == [(1, 5), (2, 100)]
both = [{"PartNumber": p["PartNumber"], "ETag": p["ETag"]} for p in listed]
refused("EntityTooSmall", s3.complete_multipart_upload, Bucket="wire", Key="parts", UploadId=upload, MultipartUpload={"Parts": both})
s3.complete_multipart_upload(Bucket="wire", Key="parts", UploadId=upload, MultipartUpload={"Parts": both[1:]})
assert s3.get_object(Bucket="wire", Key="parts")["Body"].read() == big[:100]
refused("NoSuchUpload", s3.abort_multipart_upload, Bucket="wire", Key="parts", UploadId=upload)
s3.delete_object(Bucket="wire", Key="parts")

# copy
s3.copy_object(Bucket="wire", Key="copy", CopySource={"Bucket": "wire", "Key": key})
copied = s3.head_object(Bucket="wire", Key="copy")
assert copied["Metadata"] == {"who": "me"} and copied["ContentType"] == "text/plain"
s3.copy_object(Bucket="wire", Key="copy", CopySource={"Bucket": "wire", "Key": key}, MetadataDirective="REPLACE", Metadata={"new": "1"})
assert s3.head_object(Bucket="wire", Key="copy")["Metadata"] == {"new": "1"}

# lists: pages, prefixes, odd keys
for i in range(25):
    s3.put_object(Bucket="wire", Key=f"list/{i % 5}/{i:02}", Body=b"x")
pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket="wire", Prefix="list/", PaginationConfig={"PageSize": 4}))
assert [o["Key"] for p in pages for o in p.get("Contents", [])] == sorted(f"list/{i % 5}/{i:02}" for i in range(25))
pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket="wire", Prefix="list/", Delimiter="/", PaginationConfig={"PageSize": 2}))
assert [c["Prefix"] for p in pages for c in p.get("CommonPrefixes", [])] == [f"list/{i}/" for i in range(5)]
pages = list(s3.get_paginator("list_objects").paginate(Bucket="wire", Prefix="list/", PaginationConfig={"PageSize": 7}))
assert sum(len(p["Contents"]) for p in pages) == 25
assert key in [o["Key"] for o in s3.list_objects_v2(Bucket="wire")["Contents"]]
assert s3.list_objects_v2(Bucket="wire", StartAfter="list/4/19", Prefix="list/")["KeyCount"] == 1

# presigned
url = s3.generate_presigned_url("get_object", Params={"Bucket": "wire", "Key": key, "ResponseContentType": "text/x-test"}, ExpiresIn=60)
with urllib.request.urlopen(url) as response:
    assert response.read() == body and response.headers["content-type"] == "text/x-test"
url = s3.generate_presigned_url("put_object", Params={"Bucket": "wire", "Key": "presigned"}, ExpiresIn=60)
with urllib.request.urlopen(urllib.request.Request(url, data=b"via url", method="PUT", headers={"content-type": ""})) as response:
    assert response.status == 200
assert s3.get_object(Bucket="wire", Key="presigned")["Body"].read() == b"via url"

if secret != "open":
    refused("SignatureDoesNotMatch", client("another secret").list_buckets)
    refused("SignatureDoesNotMatch", client("another secret").put_object, Bucket="wire", Key="k", Body=b"x" * 100_000)
    try:
        urllib.request.urlopen(f"{endpoint}/wire/presigned")
        raise AssertionError("anonymous reads must be refused")
    except urllib.error.HTTPError as error:
        assert error.code == 403

refused("NotImplemented", s3.get_bucket_acl, Bucket="wire")
refused("BucketNotEmpty", s3.delete_bucket, Bucket="wire")
for page in s3.get_paginator("list_objects_v2").paginate(Bucket="wire"):
    deleted = s3.delete_objects(Bucket="wire", Delete={"Objects": [{"Key": o["Key"]} for o in page["Contents"]]})
    assert not deleted.get("Errors"), deleted
s3.delete_bucket(Bucket="wire")
print("ok")
