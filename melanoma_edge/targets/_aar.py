"""The Android library of a network: our compiled Java, filled with model, manifest and policy, as an AAR.

The sources are in `android/`; `aar/` beside this file holds what they compile to, so that no user needs a JDK to build.
"""

from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

from melanoma_edge.archive import archive

FORMAT = 2
NAMESPACE = "melanoma.edge"
MIN_SDK = 23
ASSETS = "assets/melanoma_edge"
JARS = ("classes.jar", "sources.jar", "javadoc.jar")
XML = f"""<?xml version="1.0" encoding="utf-8"?>
<manifest xmlns:android="http://schemas.android.com/apk/res/android" package="{NAMESPACE}">
    <uses-sdk android:minSdkVersion="{MIN_SDK}" />
</manifest>
"""
METADATA = """aarFormatVersion=1.0
aarMetadataVersion=1.0
minCompileSdk=1
minCompileSdkExtension=0
minAndroidGradlePluginVersion=1.0.0
coreLibraryDesugaringEnabled=false
"""


def aar(assets: Mapping[str, bytes]) -> bytes:
    """The library: the same bytes for the same input, whenever and wherever. assets: by their name in `ASSETS`."""
    held = {
        "AndroidManifest.xml": XML.encode(),
        "META-INF/com/android/build/gradle/aar-metadata.properties": METADATA.encode(),
        "R.txt": b"",
        "classes.jar": compiled("classes.jar"),
        "proguard.txt": _root().joinpath("consumer-rules.pro").read_bytes(),
        "res/": b"",  # the format asks for one, and there are no resources
    }
    return archive(held | {f"{ASSETS}/{name}": data for name, data in assets.items()})


def compiled(name: str) -> bytes:
    """One of JARS."""
    return _root().joinpath(name).read_bytes()


def readme() -> str:
    """Its words in capitals are to be filled in."""
    return _root().joinpath("README.md").read_text()


def fingerprint() -> str:
    """sha256 of everything in the library that is the same for every network."""
    digest = sha256(XML.encode() + METADATA.encode())
    for entry in sorted(_root().iterdir(), key=lambda one: one.name):
        digest.update(entry.name.encode() + entry.read_bytes())
    return digest.hexdigest()


def _root() -> Traversable:
    return files("melanoma_edge.targets").joinpath("aar")
