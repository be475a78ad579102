// An editor's side of the Debug Adapter Protocol: Microsoft's client for tests of VS Code's debug
// adapters, with `buildx dap build` as the adapter. Each check prints a line: its name, a tab, and
// `ok` or why it failed.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {once} from 'node:events';
import fs from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';

const {DebugClient} = createRequire(import.meta.url)('@vscode/debugadapter-testsupport');
const {WORK, WORD} = process.env;

// The client ignores what an adapter asks of the editor; ours asks for a terminal.
class Editor extends DebugClient {
  initializeRequest() {
    const lines = {linesStartAt1: true, columnsStartAt1: true, pathFormat: 'path'};
    return super.initializeRequest({adapterID: 'buildx', supportsRunInTerminalRequest: true, ...lines});
  }

  dispatch(body) {
    const message = JSON.parse(body);
    if (message.type !== 'request') {
      super.dispatch(body);
      return;
    }
    const {seq, command} = message;
    const response = {seq: this.sequence++, type: 'response', request_seq: seq, command, success: true, body: {}};
    const text = JSON.stringify(response);
    this.outputStream.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
    this.emit(command, message);
  }
}

const results = fs.openSync(process.env.RESULTS, 'a');

// The client starts a program with one argument.
const adapter = path.join(WORK, 'adapter.sh');
fs.writeFileSync(adapter, 'exec buildx dap build --progress=plain 2>>"$WORK/adapter.log"\n');

const context = path.join(WORK, `dap-${WORD}`);
const dockerfile = path.join(context, 'Dockerfile');
fs.mkdirSync(context, {recursive: true});
fs.writeFileSync(path.join(context, 'file'), 'of the context\n');
const GOOD = `FROM busybox AS tool
RUN echo ${WORD} >/tool
FROM busybox
ENV A=b
COPY file /data/
COPY --from=tool /tool /tool
RUN cat /tool >/made
`;
const BAD = `FROM busybox
RUN echo ${WORD} >/left; exit 3
`;

// Fails some time after the adapter has ended: it answers nothing more. Its last messages are read before.
async function ended(client) {
  await once(client._adapterProcess, 'exit');
  await sleep(2000);
  assert.fail('the adapter has ended');
}

async function check(name, text, run) {
  fs.writeFileSync(dockerfile, text);
  const client = new Editor('sh', adapter, 'buildx');
  client.defaultTimeout = 30000;
  let verdict = 'ok';
  try {
    await client.start();
    // An adapter that has ended by itself takes no more requests; those that wait for an answer fail.
    client.outputStream.on('error', () => {});
    const limit = sleep(60000).then(() => assert.fail('no end after a minute'));
    await Promise.race([run(client), ended(client), limit]);
  } catch (error) {
    verdict = `${error.message ?? error}`.trim().split('\n').slice(0, Number(process.env.LINES ?? 4)).join(' | ');
  }
  // An adapter that has ended by itself does not answer.
  await Promise.race([client.stop(), sleep(1000)]);
  fs.writeSync(results, `vscode DAP client\t${name}\t${verdict}\n`);
}

const launch = {contextPath: context, dockerfile};
const breakpoint = line => ({path: dockerfile, line, verified: false});

// The variable of this name among those of a reference.
async function variable(client, reference, name) {
  const {body} = await client.variablesRequest({variablesReference: reference});
  const found = body.variables.find(it => it.name === name);
  assert.ok(found, `${name} is among ${body.variables.map(it => it.name)}`);
  return found;
}

// Goes on in one of the client's ways, and gives the thread's new frames.
async function go(client, request, threadId) {
  const stopped = client.waitForEvent('stopped');
  await client[request]({threadId});
  const event = await stopped;
  assert.equal(event.body.threadId, threadId);
  const {body} = await client.stackTraceRequest({threadId});
  return body.stackFrames;
}

// Starts a build that stops at its first step; gives the thread.
async function enter(client) {
  const stopped = client.waitForEvent('stopped');
  const configured = client.configurationSequence();
  await Promise.all([client.launch({...launch, stopOnEntry: true}), configured]);
  return (await stopped).body.threadId;
}

await check('capabilities', GOOD, async client => {
  const {body} = await client.initializeRequest();
  assert.equal(body.supportsConfigurationDoneRequest, true);
});

await check('breakpoint, stack, scopes, variables', GOOD, async client => {
  await client.hitBreakpoint(launch, breakpoint(6));
  const {body} = await client.threadsRequest();
  const threadId = body.threads[0].id;
  const frames = await go(client, 'nextRequest', threadId);
  assert.equal(frames[0].line, 7);
  assert.equal(frames[0].source.path, dockerfile);
  const {scopes} = (await client.scopesRequest({frameId: frames[0].id})).body;
  const scope = name => scopes.find(it => it.name === name).variablesReference;
  const exec = await variable(client, scope('Arguments'), 'exec');
  assert.equal(exec.value, '/bin/sh -c cat /tool >/made');
  const root = await variable(client, scope('File Explorer'), '/');
  const data = await variable(client, root.variablesReference, 'data/');
  const file = await variable(client, data.variablesReference, 'file');
  const content = await variable(client, file.variablesReference, 'data');
  assert.equal(content.value, 'of the context\n');
  const ended = client.waitForEvent('terminated');
  await client.continueRequest({threadId});
  await ended;
});

await check('step in, out and over', GOOD, async client => {
  const threadId = await enter(client);
  let line = 0;
  while (line !== 6) {
    line = (await go(client, 'nextRequest', threadId))[0].line;
  }
  const inside = await go(client, 'stepInRequest', threadId);
  assert.deepEqual(inside.map(it => it.line), [2, 6]);
  assert.equal((await go(client, 'stepOutRequest', threadId))[0].line, 6);
  assert.equal((await go(client, 'nextRequest', threadId))[0].line, 7);
});

await check('source of a remote file', GOOD, async client => {
  const loaded = client.waitForEvent('loadedSource');
  await enter(client);
  const {source} = (await loaded).body;
  const {body} = await client.sourceRequest({source, sourceReference: source.sourceReference ?? 0});
  assert.equal(body.content, GOOD);
});

await check('exception of a failed step, terminal in it', BAD, async client => {
  const stopped = client.waitForEvent('stopped');
  const asked = client.waitForEvent('runInTerminal');
  asked.catch(() => {});
  await Promise.all([client.launch(launch), client.configurationSequence()]);
  const {body} = await stopped;
  assert.equal(body.reason, 'exception');
  assert.match(body.text, /exit code: 3/);
  const {stackFrames} = (await client.stackTraceRequest({threadId: body.threadId})).body;
  assert.equal(stackFrames[0].line, 2);
  const frameId = stackFrames[0].id;
  client.evaluateRequest({context: 'repl', expression: 'exec', frameId}).catch(() => {});
  const [program, ...args] = (await asked).arguments.args;
  const input = 'cat /left\nexit\n';
  const {stdout} = spawnSync(program, args, {input, encoding: 'utf8', timeout: 20000});
  assert.ok(stdout.includes(WORD), stdout);
});

await check('disconnect ends the build', `FROM busybox\nRUN : ${WORD}; sleep 1000\n`, async client => {
  const running = new Promise(resolve =>
    client.on('output', ({body}) => body.output.includes('RUN : ') && resolve()),
  );
  await Promise.all([client.launch(launch), client.configurationSequence()]);
  await running;
  const begun = Date.now();
  await client.disconnectRequest({});
  assert.ok(Date.now() - begun < 10000);
});

process.exit(0);
