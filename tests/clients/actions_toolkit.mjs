// What GitHub's setup-buildx, build-push and bake actions do with buildx, through the library under
// them. Each check prints a line: its name, a tab, and `ok` or why it failed.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const {WORK, REGISTRY, WORD} = process.env;
// The library takes these for the runner's.
Object.assign(process.env, {
  RUNNER_TEMP: WORK,
  GITHUB_REPOSITORY: 'owner/repo',
  GITHUB_WORKSPACE: WORK,
  GITHUB_SERVER_URL: 'https://github.com',
  GITHUB_RUN_ID: '1',
  BUILDX_METADATA_WARNINGS: 'true',
});

const lib = '@docker/actions-toolkit/lib';
const {Buildx} = await import(`${lib}/buildx/buildx.js`);
const {Builder} = await import(`${lib}/buildx/builder.js`);
const {Build} = await import(`${lib}/buildx/build.js`);
const {Bake} = await import(`${lib}/buildx/bake.js`);
const {History} = await import(`${lib}/buildx/history.js`);
const {ImageTools} = await import(`${lib}/buildx/imagetools.js`);
const {BuildKit} = await import(`${lib}/buildkit/buildkit.js`);

// The library reports on stdout with lines that begin with `::` or `[command]`.
const results = fs.openSync(process.env.RESULTS, 'a');

async function check(name, run) {
  let verdict = 'ok';
  try {
    await run();
  } catch (error) {
    verdict = `${error.message ?? error}`.trim().split('\n').slice(0, Number(process.env.LINES ?? 4)).join(' | ');
  }
  fs.writeSync(results, `actions-toolkit\t${name}\t${verdict}\n`);
}

// Runs the command as the actions do, and gives stdout.
async function call(buildx, args) {
  const {command, args: all} = await buildx.getCommand(args);
  return execFileSync(command, all, {stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8'});
}

function folder(name, files) {
  const at = path.join(WORK, name);
  fs.mkdirSync(at, {recursive: true});
  for (const [file, text] of Object.entries(files)) {
    fs.writeFileSync(path.join(at, file), text);
  }
  return at;
}

const builderName = `clients-${WORD}`;
const image = `${REGISTRY}/clients/toolkit-${WORD}`;
const CONFIG = `[registry."${REGISTRY}"]
  http = true
[registry."docker.io"]
  mirrors = ["${REGISTRY}"]
`;
const DOCKERFILE = `FROM busybox as base\nRUN echo ${WORD} > /word\n`;

for (const standalone of [true, false]) {
  const way = standalone ? 'alone' : 'as plugin';
  await check(`available and a usable version, ${way}`, async () => {
    const buildx = new Buildx({standalone});
    assert.ok(await buildx.isAvailable());
    assert.match(await buildx.version(), /^\d+\.\d+\.\d+$/);
    for (const range of ['>=0.12.0', '>=0.17.0', '>=0.23.0', '>=0.24.0', '>=0.29.0']) {
      assert.ok(await buildx.versionSatisfies(range), range);
    }
  });
}

const buildx = new Buildx({standalone: true});
const builders = new Builder({buildx});

await check('create, bootstrap and inspect a builder', async () => {
  const config = folder('config', {'buildkitd.toml': CONFIG});
  const created = await call(buildx, [
    'create', '--name', builderName, '--driver', 'docker-container',
    '--driver-opt', `image=${process.env.BUILDKIT_IMAGE}`, '--driver-opt', 'network=host',
    '--buildkitd-flags', '--allow-insecure-entitlement security.insecure --debug',
    '--buildkitd-config', path.join(config, 'buildkitd.toml'), '--use',
  ]);
  assert.equal(created.trim(), builderName);
  if (process.env.BOOT) {
    execFileSync(process.env.BOOT, ['inspect', '--bootstrap', '--builder', builderName]);
  }
  await call(buildx, ['inspect', '--bootstrap', '--builder', builderName]);
  assert.ok(await builders.exists(builderName));
  assert.ok(!(await builders.exists(`none-${WORD}`)));
  const builder = await builders.inspect(builderName);
  assert.equal(builder.name, builderName);
  assert.equal(builder.driver, 'docker-container');
  assert.ok(builder.lastActivity instanceof Date && !isNaN(builder.lastActivity));
  assert.equal(builder.nodes.length, 1);
  const [node] = builder.nodes;
  assert.equal(node.name, `${builderName}0`);
  assert.equal(node.status, 'running');
  assert.ok(node['driver-opts'].includes('network=host'), `${node['driver-opts']}`);
  assert.match(node['buildkitd-flags'], /security\.insecure --debug/);
  assert.match(node.buildkit, /^v0\./);
  assert.match(node.platforms, /linux\/amd64/);
  assert.equal(node.features['Docker exporter'], true);
  assert.ok(Object.keys(node.labels).length > 0);
  assert.ok(node.gcPolicy.length > 0);
  assert.match(node.files['buildkitd.toml'], /http = true/);
  const known = await new BuildKit({buildx}).getVersion(node);
  assert.match(known, /^v\d/);
});

await check('append a node and remove it', async () => {
  const more = `more-${WORD}`;
  const [first, second] = ['unix:///nowhere/1.sock', 'unix:///nowhere/2.sock'];
  await call(buildx, ['create', '--name', more, '--driver', 'remote', first]);
  await call(buildx, [
    'create', '--name', more, '--append', '--node', 'second', '--driver', 'remote',
    '--platform', 'linux/arm64', second,
  ]);
  const builder = await builders.inspect(more);
  assert.deepEqual(builder.nodes.map(node => node.name), [`${more}0`, 'second']);
  await call(buildx, ['rm', more]);
  assert.ok(!(await builders.exists(more)));
});

let ref;
await check('build with metadata, provenance and warnings', async () => {
  const context = folder('build', {Dockerfile: DOCKERFILE});
  const build = new Build({buildx});
  await call(buildx, [
    'build', '--builder', builderName, '--file', path.join(context, 'Dockerfile'),
    '--iidfile', build.getImageIDFilePath(), '--metadata-file',
    build.getMetadataFilePath(), '--tag', `${image}:build`, '--push',
    '--attest', 'type=provenance,mode=max,builder-id=https://github.com/owner/repo/actions/runs/1',
    '--annotation', 'index:made=here', '--label', 'a=b', '--secret',
    Build.resolveSecretString('name=value'), '--shm-size', '64m',
    '--ulimit', 'nofile=1024:1024', '--add-host', 'h:1.2.3.4', context,
  ]);
  const metadata = build.resolveMetadata();
  ref = build.resolveRef(metadata);
  assert.match(ref, new RegExp(`^${builderName}/${builderName}0/[a-z0-9]{25}$`));
  const digest = build.resolveDigest(metadata);
  assert.match(digest, /^sha256:[0-9a-f]{64}$/);
  assert.match(build.resolveImageID(), /^sha256:[0-9a-f]{64}$/);
  assert.equal(metadata['image.name'], `${image}:build`);
  assert.ok(build.resolveProvenance(metadata), 'provenance');
  const warnings = build.resolveWarnings(metadata);
  assert.equal(warnings.length, 1, JSON.stringify(warnings));
  const annotations = await Buildx.convertWarningsToGitHubAnnotations(warnings, [ref]);
  assert.equal(annotations.length, 1);
  assert.equal(annotations[0].file, 'build/Dockerfile');
  assert.equal(annotations[0].startLine, 1);
  assert.match(annotations[0].message, /FromAsCasing/);
});

await check('local state of builds', async () => {
  const state = Buildx.localState(ref);
  assert.equal(state.LocalPath, path.join(WORK, 'build'));
  assert.equal(state.DockerfilePath, path.join(WORK, 'build/Dockerfile'));
  const refs = Buildx.refs({dir: Buildx.refsDir, builderName});
  assert.ok(ref in refs, Object.keys(refs).join());
});

await check('load into the engine', async () => {
  const build = new Build({buildx});
  await call(buildx, [
    'build', '--builder', builderName, '--load', '--tag', `${image}:load`, '--iidfile',
    build.getImageIDFilePath(), '--metadata-file', build.getMetadataFilePath(),
    path.join(WORK, 'build'),
  ]);
  const id = execFileSync('docker', ['image', 'inspect', '-f', '{{.Id}}', `${image}:load`], {
    encoding: 'utf8',
  });
  assert.match(id, /^sha256:/);
  assert.match(build.resolveImageID(), /^sha256:/);
});

await check('a failing build says why', async () => {
  const context = folder('fails', {Dockerfile: 'FROM busybox\nRUN exit 3\n'});
  let stderr = '';
  try {
    await call(buildx, ['build', '--builder', builderName, context]);
  } catch (error) {
    stderr = error.stderr;
  }
  assert.match(Buildx.getErrorMessage(stderr), /^failed to build: failed to solve: .*exit code: 3$/);
});

await check('history inspect', async () => {
  const record = await new History({buildx}).inspect({builder: builderName, ref: ref.split('/')[2]});
  assert.equal(record.Status, 'completed');
  assert.equal(record.Context, 'build');
  assert.ok(record.NumTotalSteps > 0 && record.Duration > 0);
});

await check('history export with summaries', async () => {
  const exported = await new History({buildx}).export({refs: [ref]});
  assert.ok(exported.dockerbuildSize > 0);
  assert.equal(exported.builderName, builderName);
  const [summary] = Object.values(exported.summaries);
  assert.equal(summary.status, 'completed');
  assert.equal(summary.error, '');
});

await check('imagetools inspect', async () => {
  const tools = new ImageTools({buildx});
  const manifest = await tools.inspectManifest({name: `${image}:build`});
  assert.equal(manifest.manifests.length, 2);
  const config = await tools.inspectImage({name: `${image}:build`});
  assert.equal(config.config.Labels.a, 'b');
  const platform = {os: 'linux', architecture: 'amd64'};
  const [digest] = await tools.attestationDigests({name: `${image}:build`, platform});
  assert.match(digest, /^sha256:/);
  const missing = tools.inspectManifest({name: `${image}:none`}).catch(error => error.message);
  assert.ok(ImageTools.isManifestUnknownError(await missing), await missing);
});

await check('imagetools create', async () => {
  const tools = new ImageTools({buildx});
  const options = {
    sources: [`${image}:build`], tags: [`${image}:created`, `${image}:too`],
    annotations: ['index:by=clients'], silent: true,
  };
  await tools.create({...options, dryRun: true});
  const created = await tools.create(options);
  assert.deepEqual(created.imageNames, [image]);
  const manifest = await tools.inspectManifest({name: options.tags[0]});
  assert.equal(manifest.digest, created.digest);
  const one = await tools.create({
    sources: [`${image}:created`], tags: [`${image}:amd64`], platforms: ['linux/amd64'], silent: true,
  });
  assert.ok(one.descriptor.size > 0);
  const descriptor = folder('file', {'descriptor.json': JSON.stringify(created.descriptor)});
  const again = await tools.create({
    sources: [`cwd://${descriptor}/descriptor.json`], tags: [`${image}:file`], silent: true,
  });
  assert.equal(again.digest, created.digest);
});

const bakeFile = () => path.join(folder('bake', {
  Dockerfile: DOCKERFILE,
  b: 'hidden',
  'docker-bake.hcl': `
variable "TAG" { default = "latest" }
group "default" { targets = ["one", "two"] }
target "one" {
  context = "${WORK}/bake"
  tags = ["${image}:\${TAG}"]
  output = ["type=image,push=true"]
  cache-from = ["type=registry,ref=${image}:cache", "user/app:cache"]
  secret = ["id=a,env=HOME", "type=file,id=b,src=${WORK}/bake/b"]
  attest = ["type=provenance,mode=min"]
}
target "two" {
  inherits = ["one"]
  contexts = { base = "target:one" }
  dockerfile-inline = "FROM base\\nRUN echo ${WORD} two"
  secret = []
  output = ["type=cacheonly"]
  cache-from = []
}
`,
}), 'docker-bake.hcl');

await check('bake definition', async () => {
  const bake = new Bake({buildx});
  const definition = await bake.getDefinition({
    files: [bakeFile()], vars: ['TAG=set'], overrides: ['*.labels.x=y'], sbom: 'true',
    provenance: 'mode=max', noCache: true,
  }, {silent: true});
  assert.deepEqual(Object.keys(definition.target).sort(), ['one', 'two']);
  const {one, two} = definition.target;
  assert.deepEqual(one.tags, [`${image}:set`]);
  assert.deepEqual(one.output, [{type: 'image', push: 'true'}]);
  assert.deepEqual(one.secret, [{id: 'a', env: 'HOME'}, {id: 'b', src: `${WORK}/bake/b`}]);
  assert.equal(one.labels.x, 'y');
  assert.equal(two.contexts.base, 'target:one');
  assert.ok(Bake.hasSBOMAttestation(definition) && Bake.hasProvenanceAttestation(definition));
  const unknown = bake.getDefinition({files: [bakeFile()], targets: ['none']}, {silent: true});
  const message = await unknown.then(() => 'no error', error => error.message);
  assert.match(message, /^cannot parse bake definitions: .*none/);
});

await check('bake with metadata', async () => {
  const bake = new Bake({buildx});
  await call(buildx, [
    'bake', '--builder', builderName, '--file', bakeFile(), '--metadata-file',
    bake.getMetadataFilePath(), '--allow', `fs.read=${WORK}`, '--set', '*.cache-from=',
  ]);
  const metadata = bake.resolveMetadata();
  const refs = bake.resolveRefs(metadata);
  assert.equal(refs.length, 2);
  const group = Buildx.localState(refs[0]).GroupRef;
  assert.ok(fs.existsSync(path.join(Buildx.refsGroupDir, group)), 'group');
  assert.match(metadata.one['containerimage.digest'], /^sha256:/);
  assert.ok(bake.resolveWarnings(metadata).length > 0, 'warnings');
});

await check('remove the builder', async () => {
  await call(buildx, ['rm', builderName]);
  assert.ok(!(await builders.exists(builderName)));
});
