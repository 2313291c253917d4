"""A folder that Gradle takes a library from: `.pom`, Gradle Module Metadata, and the files they name.

Formats: maven.apache.org/pom.html, and "Gradle Module Metadata 1.1 specification" in gradle's own repository.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

GROUP = "melanoma-edge"
VERSION = "0.1.0"  # of the library that is made: its users count their own from here
LITERT = ("com.google.ai.edge.litert", "litert", "1.4.0")  # 2.x asks for Android 7 (SDK 24)
DIGESTS = ("sha512", "sha256", "sha1", "md5")
LIBRARY = {"org.gradle.category": "library", "org.gradle.dependency.bundling": "external"}


def repository(artifact: str, aar: bytes, sources: bytes, javadoc: bytes, licence: str) -> dict[str, bytes]:
    """Every file by its path below the repository. artifact: the library's name. licence: of the weights, in words."""
    stem = f"{artifact}-{VERSION}"
    held = {f"{stem}.aar": aar, f"{stem}-sources.jar": sources, f"{stem}-javadoc.jar": javadoc}
    held[f"{stem}.pom"] = _pom(artifact, licence).encode()
    held[f"{stem}.module"] = (json.dumps(_module(artifact, held), indent=2) + "\n").encode()
    folder = f"{GROUP.replace('.', '/')}/{artifact}/{VERSION}"
    return {f"{folder}/{name}": data for name, data in held.items()}


def _pom(artifact: str, licence: str) -> str:
    group, name, version = LITERT
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:schemaLocation="http://maven.apache.org/POM/4.0.0 http://maven.apache.org/xsd/maven-4.0.0.xsd">
  <!-- do_not_remove: published-with-gradle-metadata -->
  <modelVersion>4.0.0</modelVersion>
  <groupId>{GROUP}</groupId>
  <artifactId>{escape(artifact)}</artifactId>
  <version>{VERSION}</version>
  <packaging>aar</packaging>
  <description>A skin-lesion classifier that runs on the user's device. Never a diagnosis.</description>
  <licenses>
    <license>
      <name>Weights: {escape(licence)}</name>
    </license>
  </licenses>
  <dependencies>
    <dependency>
      <groupId>{group}</groupId>
      <artifactId>{name}</artifactId>
      <version>{version}</version>
      <scope>runtime</scope>
    </dependency>
  </dependencies>
</project>
"""


def _module(artifact: str, held: Mapping[str, bytes]) -> dict[str, Any]:
    stem = f"{artifact}-{VERSION}"
    group, name, version = LITERT
    needs = [{"group": group, "module": name, "version": {"requires": version}}]
    return {
        "formatVersion": "1.1",
        "component": {
            "group": GROUP,
            "module": artifact,
            "version": VERSION,
            "attributes": {"org.gradle.status": "release"},
        },
        "variants": [
            _library("releaseApiElements", "java-api", f"{stem}.aar", held),
            {**_library("releaseRuntimeElements", "java-runtime", f"{stem}.aar", held), "dependencies": needs},
            _documentation("releaseSourcesElements", "sources", f"{stem}-sources.jar", held),
            _documentation("releaseJavadocElements", "javadoc", f"{stem}-javadoc.jar", held),
        ],
    }


def _library(name: str, usage: str, file: str, held: Mapping[str, bytes]) -> dict[str, Any]:
    kind = {"org.gradle.libraryelements": "aar", "org.gradle.usage": usage}
    return {"name": name, "attributes": {**LIBRARY, **kind}, "files": [_listed(file, held[file])]}


def _documentation(name: str, kind: str, file: str, held: Mapping[str, bytes]) -> dict[str, Any]:
    told = {"org.gradle.category": "documentation", "org.gradle.docstype": kind, "org.gradle.usage": "java-runtime"}
    return {"name": name, "attributes": {**LIBRARY, **told}, "files": [_listed(file, held[file])]}


def _listed(file: str, data: bytes) -> dict[str, Any]:
    digests = {kind: hashlib.new(kind, data).hexdigest() for kind in DIGESTS}
    return {"name": file, "url": file, "size": len(data), **digests}
