"""What python-on-whales does with buildx through the docker CLI: each check prints a line, its name,
a tab, and `ok` or why it failed."""

import datetime
import os
import subprocess
import traceback
from pathlib import Path

from python_on_whales import DockerClient, DockerException

WORK = Path(os.environ["WORK"])
REGISTRY = os.environ["REGISTRY"]
WORD = os.environ["WORD"]
BUILDER = f"whales-{WORD}"
IMAGE = f"{REGISTRY}/clients/whales-{WORD}"

docker = DockerClient()
results = open(os.environ["RESULTS"], "a", buffering=1)


def check(name):
    """Runs the function at once and writes what became of it."""

    def run(function):
        verdict = "ok"
        try:
            function()
        except Exception as error:
            words = f"{type(error).__name__}: {error}".strip() or "no words"
            verdict = " | ".join(words.splitlines()[: int(os.environ.get("LINES", "4"))])
            place = traceback.extract_tb(error.__traceback__)[1]
            verdict = f"line {place.lineno}: {verdict}"
        results.write(f"python-on-whales\t{name}\t{verdict}\n")

    return run


def folder(name, files):
    at = WORK / name
    at.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        (at / file).write_text(text)
    return at


CONTEXT = folder("app", {"Dockerfile": f"FROM busybox\nRUN echo {WORD} > /word\n"})


@check("installed, with a version")
def _():
    assert docker.buildx.is_installed()
    words = docker.buildx.version().split(" ")
    assert words[0] == "github.com/docker/buildx" and words[1].startswith("v0."), words


@check("list and inspect the default builder")
def _():
    builder = docker.buildx.inspect("default")
    assert builder.driver == "docker" and builder.name == "default"
    assert not builder.dynamic
    assert builder.last_activity is None or isinstance(builder.last_activity, datetime.datetime)
    (node,) = builder.nodes
    assert node.name == "default" and node.endpoint == "default" and node.status == "running"
    assert "linux/amd64" in node.platforms, node.platforms
    assert docker.buildx.inspect().name == "default"


@check("create, use, stop and remove builders")
def _():
    made = docker.buildx.create(
        name=BUILDER,
        driver="docker-container",
        driver_options={"image": os.environ["BUILDKIT_IMAGE"], "network": "host"},
        buildkitd_flags="--debug",
        platforms=["linux/amd64", "linux/arm64"],
        config=os.environ["BUILDKIT_CONFIG"],
        use=True,
    )
    assert made.name == BUILDER and made.driver == "docker-container"
    assert made.nodes[0].flags == ["--debug", "--allow-insecure-entitlement=network.host"] or (
        made.nodes[0].flags == ["--debug"]
    ), made.nodes[0].flags
    assert made.nodes[0].platforms[:2] == ["linux/amd64", "linux/arm64"], made.nodes[0].platforms
    if "BOOT" in os.environ:
        subprocess.run([os.environ["BOOT"], "inspect", "--bootstrap", "--builder", BUILDER], check=True)
    started = docker.buildx.inspect(BUILDER, bootstrap=True)
    assert started.nodes[0].status == "running", started.nodes[0].status
    assert started.nodes[0].version, started.nodes[0]
    assert docker.buildx.inspect().name == BUILDER
    assert isinstance(started.last_activity, datetime.datetime)
    docker.buildx.use("default")
    assert docker.buildx.inspect().name == "default"
    other = docker.buildx.create(driver="docker-container")
    with other:
        assert other.name in [builder.name for builder in docker.buildx.list()]
    assert other.name not in [builder.name for builder in docker.buildx.list()]


@check("build into the engine's store")
def _():
    image = docker.build(CONTEXT, tags=[f"{IMAGE}:a", f"{IMAGE}:b"], labels={"made": "here"})
    assert f"{IMAGE}:a" in image.repo_tags and f"{IMAGE}:b" in image.repo_tags, image.repo_tags
    assert image.config.labels == {"made": "here"}
    assert docker.image.exists(f"{IMAGE}:b")


@check("build without a tag finds the image by its ID")
def _():
    image = docker.build(CONTEXT, progress=False, build_args={"A": "b"})
    assert image.id.startswith("sha256:")


@check("build with a builder, and load")
def _():
    image = docker.build(CONTEXT, builder=BUILDER, load=True, tags=f"{IMAGE}:loaded", labels={"a": WORD})
    assert image.repo_tags == [f"{IMAGE}:loaded"], image.repo_tags
    logs = docker.build(
        CONTEXT,
        builder=BUILDER,
        output={"type": "local", "dest": str(WORK / "out")},
        progress="plain",
        cache_to={"type": "local", "dest": str(WORK / "cache")},
        cache_from=[{"type": "local", "src": str(WORK / "cache")}],
        stream_logs=True,
        secrets=[f"id=a,src={CONTEXT}/Dockerfile"],
        add_hosts={"host": "1.2.3.4"},
        network="host",
        allow=["network.host"],
        provenance=False,
    )
    assert f"RUN echo {WORD}" in "".join(logs)
    assert (WORK / "out/word").read_text() == f"{WORD}\n"


@check("build, push, and read the manifest")
def _():
    nothing = docker.build(
        CONTEXT,
        push=True,
        tags=f"{IMAGE}:pushed",
        platforms=["linux/amd64", "linux/arm64"],
        provenance=True,
        metadata_file=WORK / "metadata.json",
    )
    assert nothing is None
    assert '"containerimage.digest"' in (WORK / "metadata.json").read_text()
    manifest = docker.buildx.imagetools.inspect(f"{IMAGE}:pushed")
    assert len(manifest.manifests) == 4, manifest
    platforms = {f"{one.platform.os}/{one.platform.architecture}" for one in manifest.manifests}
    assert {"linux/amd64", "linux/arm64"} < platforms, platforms


@check("a failing build is an error with the command's words")
def _():
    broken = folder("broken", {"Dockerfile": f"FROM busybox\nRUN echo {WORD} && exit 7\n"})
    try:
        docker.build(broken, progress=False)
    except DockerException as error:
        assert error.return_code == 1
        assert "exit code: 7" in error.stderr, error.stderr
    else:
        raise AssertionError("it did not fail")


@check("imagetools create")
def _():
    tools = docker.buildx.imagetools
    dry = tools.create(sources=[f"{IMAGE}:pushed"], tags=[f"{IMAGE}:dry"], dry_run=True)
    assert len(dry.manifests) == 4
    tools.create(
        sources=[f"{IMAGE}:pushed"], tags=[f"{IMAGE}:created"], annotations={"index:a": "b"}
    )
    assert tools.inspect(f"{IMAGE}:created").annotations == {"a": "b"}
    docker.build(CONTEXT, push=True, tags=f"{IMAGE}:one", provenance=False, labels={"x": "y"})
    tools.create(sources=[f"{IMAGE}:one"], tags=[f"{IMAGE}:created"], append=True)
    assert len(tools.inspect(f"{IMAGE}:created").manifests) >= 4


@check("bake")
def _():
    file = folder(
        "bake",
        {
            "Dockerfile": f"FROM busybox\nRUN echo {WORD} bake > /word\n",
            "docker-bake.hcl": f"""
variable "TAG" {{ default = "one" }}
group "default" {{ targets = ["app"] }}
target "app" {{
  context = "{WORK}/bake"
  tags = ["{IMAGE}:${{TAG}}"]
}}
""",
        },
    ) / "docker-bake.hcl"
    printed = docker.buildx.bake(files=file, print=True, variables={"TAG": "two"}, load=True)
    assert printed["target"]["app"]["tags"] == [f"{IMAGE}:two"], printed
    built = docker.buildx.bake(
        "app", files=file, load=True, set={"app.labels.a": "b"}, metadata_file=WORK / "bake.json"
    )
    assert built["target"]["app"]["labels"] == {"a": "b"}, built
    assert docker.image.inspect(f"{IMAGE}:one").config.labels == {"a": "b"}
    logs = docker.buildx.bake(files=file, stream_logs=True, progress="plain", push=True)
    assert "RUN echo" in "".join(logs)
    assert docker.buildx.imagetools.inspect(f"{IMAGE}:one").media_type


@check("prune, stop and remove")
def _():
    if "BOOT" in os.environ or os.environ.get("OWN_BUILDKIT"):
        docker.buildx.use(BUILDER)
        logs = "".join(docker.buildx.prune(all=True, filters={"until": "1h"}, stream_logs=True))
        assert "Total:" in logs, logs
    docker.buildx.use("default")
    docker.buildx.stop(BUILDER)
    assert docker.buildx.inspect(BUILDER).nodes[0].status in ("stopped", "inactive")
    docker.buildx.remove(BUILDER)
    assert BUILDER not in [builder.name for builder in docker.buildx.list()]
