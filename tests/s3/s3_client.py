"""A small S3 client that signs its requests (AWS Signature Version 4, path style).

It looks at a bucket from outside, so that a test need not believe what flowstore says of it.
"""
import datetime
import hashlib
import hmac
import http.client
import re
import urllib.parse
import xml.etree.ElementTree
from dataclasses import dataclass, field

REGION = "us-east-1"


class S3Error(Exception):
    """The store refused; the message is its status and code."""


@dataclass
class Answer:
    """What came back: the names of the headers are in lower case."""
    status: int
    headers: dict = field(repr=False)
    body: bytes = field(repr=False)

    def must(self, *statuses):
        """Itself, if its status is one of these."""
        if self.status not in statuses:
            code = re.search(rb"<Code>(.*?)</Code>", self.body)
            raise S3Error(f"{self.status} {code[1].decode() if code else ''}")
        return self


class S3:
    """One bucket. Each request has a connection of its own, so that any thread may ask."""

    def __init__(self, url, bucket="test", key="testkey", secret="testsecret"):
        self.address = urllib.parse.urlsplit(url).netloc
        self.bucket, self.key, self.secret = bucket, key, secret

    # ---- what tests ask for
    def create_bucket(self):
        self.request("PUT", None).must(200)

    def put(self, key, body, **headers):
        return self.request("PUT", key, body=body, headers=headers).must(200).headers["etag"]

    def get(self, key):
        """The content; None where there is no such object."""
        answer = self.request("GET", key).must(200, 404)
        return answer.body if answer.status == 200 else None

    def delete(self, key):
        self.request("DELETE", key).must(204)

    def objects(self, prefix=""):
        """The sizes of all objects whose keys begin so, by key."""
        found, more = {}, {}
        while more is not None:
            page = self.listing({"list-type": "2", "prefix": prefix, **more})
            for entry in page.findall("Contents"):
                found[decoded(entry.findtext("Key"))] = int(entry.findtext("Size"))
            token = page.findtext("NextContinuationToken")
            more = {"continuation-token": token} if token else None
        return found

    def uploads(self):
        """(key, id) of every multipart upload that was neither completed nor aborted."""
        return [(decoded(entry.findtext("Key")), entry.findtext("UploadId"))
                for entry in self.listing({"uploads": ""}).findall("Upload")]

    def abort(self, key, upload):
        self.request("DELETE", key, {"uploadId": upload}).must(204)

    # ---- the protocol
    def listing(self, query):
        text = self.request("GET", None, {**query, "encoding-type": "url"}).must(200).body.decode()
        return xml.etree.ElementTree.fromstring(re.sub(r' xmlns="[^"]*"', "", text, count=1))

    def request(self, method, key=None, query=None, headers=None, body=b"", timeout=30):
        """One signed request; key None means the bucket."""
        path = "/" + quoted(self.bucket) + ("" if key is None else "/" + quoted(key, safe="/"))
        parameters = "&".join(f"{quoted(k)}={quoted(v)}" for k, v in sorted((query or {}).items()))
        signed = self.signed(method, path, parameters, headers or {}, body)
        connection = http.client.HTTPConnection(self.address, timeout=timeout)
        try:
            connection.request(method, path + ("?" + parameters if parameters else ""), body, signed)
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def signed(self, method, path, parameters, headers, body):
        """The headers with those of the signature."""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        digest = hashlib.sha256(body).hexdigest()
        known = {"host": self.address, "x-amz-content-sha256": digest, "x-amz-date": now}
        names = ";".join(sorted(known))
        canonical = "\n".join([method, path, parameters, *(f"{k}:{known[k]}" for k in sorted(known)), "", names, digest])
        scope = f"{now[:8]}/{REGION}/s3/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        signing_key = ("AWS4" + self.secret).encode()
        for word in (now[:8], REGION, "s3", "aws4_request", text):
            signing_key = hmac.new(signing_key, word.encode(), "sha256").digest()
        return {**headers, **known, "Authorization": f"AWS4-HMAC-SHA256 Credential={self.key}/{scope}, "
                                                     f"SignedHeaders={names}, Signature={signing_key.hex()}"}


def quoted(text, safe=""):
    return urllib.parse.quote(text, safe=safe + "-_.~")


def decoded(key):
    return urllib.parse.unquote_plus(key)
