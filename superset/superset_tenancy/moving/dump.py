"""A tenant's dump in S3: objects under the tenant's key, and a manifest that is written last.

A dump without its manifest is none. Whoever reads one says by which fingerprint, the SHA-256 of the manifest that the export
printed; and the manifest has the SHA-256 of each object. So what is read is what was written, and not an older dump.
"""

import gzip
import hashlib
import io
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import IO, Any
from urllib.parse import urlsplit

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError

from superset_tenancy.provisioning.changes import Refused

_MANIFEST = "manifest.json"
_VERSION = 1
#: S3 takes 10,000 parts of an object: tables of up to 320 GB, compressed. Two parts are in memory.
_PARTS = TransferConfig(multipart_chunksize=32 * 1024 * 1024, max_concurrency=1)
_BLOCK = 1024 * 1024
#: Of a small object, which is read at once.
_MOST = 256 * 1024 * 1024


class DumpDamaged(Exception):
    """What was read is not what the export wrote."""


@dataclass(frozen=True)
class Stored:
    """An object of the dump."""

    name: str
    bytes: int
    sha256: str


class Dump:
    """Objects below one prefix."""

    def __init__(self, location: str, key: str | None = None) -> None:
        url = urlsplit(location)
        if url.scheme != "s3" or not url.netloc or not url.path.strip("/"):
            raise Refused([f"{location}: is no place for a dump: it must be like s3://bucket/prefix"])
        self.bucket = url.netloc
        self.prefix = url.path.strip("/")
        self.key = key

    @cached_property
    def _client(self) -> Any:
        return boto3.Session(region_name=os.environ["AWS_REGION"]).client("s3")

    def begin(self) -> None:
        """What lies here is no dump any more."""
        self._client.delete_object(Bucket=self.bucket, Key=self._path(_MANIFEST))

    def write(self, name: str, produce: Callable[[IO[bytes]], None]) -> Stored:
        """Stores what is produced, compressed, while it is produced; nothing is stored if that fails."""
        stream = _Stream()
        failures: list[Exception] = []

        def upload() -> None:
            try:
                extra = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.key}
                self._client.upload_fileobj(stream, self.bucket, self._path(name), ExtraArgs=extra, Config=_PARTS)
            except Exception as error:
                failures.append(error)
                stream.abandon()

        uploading = threading.Thread(target=upload, name="dump")
        uploading.start()
        sink = _Sink(stream)
        try:
            with gzip.GzipFile(fileobj=sink, mode="wb", compresslevel=1, mtime=0) as compressed:
                produce(compressed)
            stream.finish()
        except BaseException:
            stream.fail()
            uploading.join()
            if failures and not isinstance(failures[0], _Unfinished):
                raise failures[0] from None
            raise
        uploading.join()
        if failures:
            raise failures[0]
        return Stored(name, sink.bytes, sink.hash.hexdigest())

    def finish(self, manifest: dict[str, Any]) -> str:
        """Makes it a dump; gives its fingerprint."""
        body = json.dumps({"version": _VERSION, **manifest}, indent=1, sort_keys=True).encode()
        self._client.put_object(
            Bucket=self.bucket,
            Key=self._path(_MANIFEST),
            Body=body,
            ServerSideEncryption="aws:kms",
            SSEKMSKeyId=self.key,
        )
        return hashlib.sha256(body).hexdigest()

    def manifest(self, fingerprint: str) -> dict[str, Any]:
        """What the dump holds; raises Refused if it is another dump than the fingerprint's."""
        try:
            body = self._client.get_object(Bucket=self.bucket, Key=self._path(_MANIFEST))["Body"].read(_MOST)
        except (ClientError, BotoCoreError) as error:
            raise Refused([f"s3://{self.bucket}/{self.prefix}: no dump can be read here: {error}"]) from error
        found = hashlib.sha256(body).hexdigest()
        if found != fingerprint:
            raise Refused([f"s3://{self.bucket}/{self.prefix}: the dump here is {found}, not {fingerprint}"])
        manifest = json.loads(body)
        if manifest["version"] != _VERSION:
            raise Refused([f"the dump is of version {manifest['version']}; {_VERSION} can be read"])
        return manifest

    @contextmanager
    def read(self, stored: Stored) -> Iterator[IO[bytes]]:
        """An object, unpacked while it is read; raises DumpDamaged at the end, at the latest, unless it is as it was written."""
        damaged = DumpDamaged(f"{stored.name} is not as the export wrote it")
        try:
            source = _Source(self._client.get_object(Bucket=self.bucket, Key=self._path(stored.name))["Body"])
            yield gzip.GzipFile(fileobj=source, mode="rb")
            source.drain()
        except (EOFError, gzip.BadGzipFile, ClientError, OSError) as error:
            raise damaged from error
        if (source.bytes, source.hash.hexdigest()) != (stored.bytes, stored.sha256):
            raise damaged

    def check(self, stored: Stored) -> None:
        """Reads all of an object."""
        with self.read(stored) as content:
            while content.read(_BLOCK):
                pass

    def read_all(self, stored: Stored) -> bytes:
        """A small object."""
        with self.read(stored) as content:
            found = content.read(_MOST)
            if content.read(1):
                raise DumpDamaged(f"{stored.name} is larger than {_MOST:,} bytes")
        return found

    def _path(self, name: str) -> str:
        return f"{self.prefix}/{name}"


class _Unfinished(Exception):
    """Ends an upload whose content nobody finishes."""


class _Stream(io.RawIOBase):
    """A pipe between whoever produces and the upload, which ends only when the producer says so."""

    def __init__(self) -> None:
        reader, writer = os.pipe()
        self._reader, self._writer = os.fdopen(reader, "rb"), os.fdopen(writer, "wb")
        self._finished = False

    def read(self, size: int = -1) -> bytes:
        content = self._reader.read(size)
        # Only at the end there is less than was asked for.
        if len(content) < size and not self._finished:
            raise _Unfinished()
        return content

    def readable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        return self._writer.write(content)

    def finish(self) -> None:
        self._finished = True
        self._writer.close()

    def fail(self) -> None:
        try:
            self._writer.close()
        except BrokenPipeError:
            pass

    def abandon(self) -> None:
        """Nobody reads any more: the next write fails."""
        self._reader.close()


class _Sink(io.RawIOBase):
    """Counts and hashes what is stored."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream
        self.bytes = 0
        self.hash = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        self.bytes += len(content)
        self.hash.update(content)
        self._stream.write(content)
        return len(content)


class _Source:
    """Counts and hashes what was stored."""

    def __init__(self, body: Any) -> None:
        self._body = body
        self.bytes = 0
        self.hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        content = self._body.read(size if size >= 0 else None)
        self.bytes += len(content)
        self.hash.update(content)
        return content

    def drain(self) -> None:
        """What lies behind the end of the compressed content is a part of the object, too."""
        while self.read(_BLOCK):
            pass
