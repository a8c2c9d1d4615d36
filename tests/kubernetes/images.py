"""Images without a container engine: archives in the OCI layout that containerd imports, of a few files each.

The node binds this machine's `/usr` and what else programs need into every container (`node.py`), so an image holds no
more than the folders and symbolic links around that, its own scripts, and who it runs as.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ARCHITECTURE = "amd64"
FOLDERS = ("dev", "etc", "opt", "proc", "root", "run", "sys", "usr", "var")
LINKS = {"bin": "usr/bin", "lib": "usr/lib", "lib64": "usr/lib64", "sbin": "usr/sbin"}


@dataclass(frozen=True)
class Image:
    """An image: its name as pods write it, and what is in it.

    `files` are executable, by their path; `folders` are writable by everybody; `user` is a number.
    """

    name: str
    entrypoint: Sequence[str] = ()
    command: Sequence[str] = ()
    user: int = 0
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    folders: Sequence[str] = ()
    working_directory: str = "/"


def write(images: Sequence[Image], archive: Path) -> None:
    """Write images as one archive; `ctr images import` reads it."""
    blobs: dict[str, bytes] = {}

    def add(content: bytes | dict[str, Any], media_type: str) -> dict[str, Any]:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        digest = hashlib.sha256(data).hexdigest()
        blobs[digest] = data
        return {"mediaType": f"application/vnd.oci.image.{media_type}", "digest": f"sha256:{digest}", "size": len(data)}

    manifests = []
    for image in images:
        layer = add(_layer(image), "layer.v1.tar")
        config = add(_config(image, layer["digest"]), "config.v1+json")
        manifest = {"schemaVersion": 2, "config": config, "layers": [layer]}
        manifests.append(
            add(manifest | {"mediaType": "application/vnd.oci.image.manifest.v1+json"}, "manifest.v1+json")
            | {"annotations": {"io.containerd.image.name": qualified(image.name)}}
        )
    with tarfile.open(archive, "w") as packed:
        _add(packed, "oci-layout", b'{"imageLayoutVersion": "1.0.0"}')
        _add(packed, "index.json", json.dumps({"schemaVersion": 2, "manifests": manifests}).encode())
        for digest, data in blobs.items():
            _add(packed, f"blobs/sha256/{digest}", data)


def qualified(name: str) -> str:
    """Return an image's name in full, as the kubelet asks the container runtime for it."""
    first, slash, _ = name.partition("/")
    if not slash:
        return f"docker.io/library/{name}"
    return name if "." in first or ":" in first or first == "localhost" else f"docker.io/{name}"


def _layer(image: Image) -> bytes:
    """Return the image's one layer as an archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as packed:
        for folder in FOLDERS:
            _add(packed, folder, kind=tarfile.DIRTYPE)
        for link, target in LINKS.items():
            _add(packed, link, target=target, kind=tarfile.SYMTYPE)
        for folder in ("tmp", *image.folders):
            _add(packed, folder.lstrip("/"), kind=tarfile.DIRTYPE, mode=0o1777)
        accounts = {image.user: "user", 0: "root", 65534: "nobody"}
        _add(
            packed,
            "etc/passwd",
            "".join(f"{name}:x:{id}:{id}::/tmp:/bin/sh\n" for id, name in accounts.items()).encode(),
        )
        _add(packed, "etc/group", "".join(f"{name}:x:{id}:\n" for id, name in accounts.items()).encode())
        for path, data in image.files.items():
            _add(packed, path.lstrip("/"), data, mode=0o755)
    return buffer.getvalue()


def _add(packed: tarfile.TarFile, name: str, data: bytes = b"", *, target: str = "", **fields: Any) -> None:
    """Add a member to an archive; `fields` are those of its `TarInfo`, with `kind` for its type."""
    member = tarfile.TarInfo(name)
    member.type = fields.get("kind", tarfile.REGTYPE)
    member.mode = fields.get("mode", 0o644 if member.isreg() else 0o755)
    member.size, member.linkname = len(data), target
    packed.addfile(member, io.BytesIO(data))


def _config(image: Image, layer: str) -> dict[str, Any]:
    """Return what the image says of how it is run."""
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"} | dict(image.environment)
    return {
        "architecture": ARCHITECTURE,
        "os": "linux",
        "config": {
            "User": str(image.user),
            "Env": [f"{name}={value}" for name, value in environment.items()],
            "Entrypoint": list(image.entrypoint),
            "Cmd": list(image.command),
            "WorkingDir": image.working_directory,
        },
        "rootfs": {"type": "layers", "diff_ids": [layer]},
    }
