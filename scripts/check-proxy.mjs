// Checks turns through a real nginx between the library and the mock provider: which settings stream, which
// do not, and what a turn makes of what a proxy does. Where nginx is not installed, only CI fails.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { map, tap } from 'rxjs';
import {
  fetchTransport,
  isTextDelta,
  iterateChatCompletions,
  streamChatCompletions,
} from '../dist/esm/index.js';
import { startMockProvider } from '../dist/esm/mock-provider/index.js';
import { nodeTransport } from '../dist/esm/node/index.js';
import { commentChunk, doneChunk, finishChunk, textChunk } from '../dist/esm/testing/index.js';
import { checks } from './checks.mjs';
import { gate, pieces, within } from './held-answers.mjs';
import { nginxVersion, startNginx } from './nginx.mjs';

const version = nginxVersion();
if (version === undefined) {
  console.log('nginx is not installed: no proxy was checked.');
  process.exit(process.env.CI === 'true' ? 1 : 0);
}

const { check, finish } = checks();
const folder = mkdtempSync(join(tmpdir(), 'check-proxy-'));
const upstream = await startMockProvider({ pace: 0 });
const second = await startMockProvider({ pace: 0 });
const closed = await startMockProvider();
await closed.close();

const authority = ({ port }) => `127.0.0.1:${port}`;
const streaming = 'proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;';
const pair = ({ port }, name) =>
  `upstream ${name} { server 127.0.0.1:${port} max_fails=0; server ${authority(second)} backup; }`;

/** What stands in the `location` of each setting, beside `proxy_pass`. */
const settings = {
  default: '',
  unbuffered: 'proxy_buffering off;',
  streaming,
  'http-1.0': 'proxy_http_version 1.0; proxy_buffering off;',
  'gzip-default': `${streaming} gzip on; gzip_min_length 0;`,
  'gzip-events': `${streaming} gzip on; gzip_min_length 0; gzip_types text/event-stream;`,
  'gzip-buffered': 'gzip on; gzip_min_length 0; gzip_types text/event-stream;',
  impatient: `${streaming} proxy_read_timeout 2s;`,
  'deaf-to-aborts': `${streaming} proxy_ignore_client_abort on;`,
  'impatient-with-the-client': `${streaming} send_timeout 1s;`,
  'own-key': `${streaming} proxy_set_header Authorization "Bearer sk-of-the-proxy";`,
  'next-if-refused': streaming,
  'next-if-broken': streaming,
  'next-whatever': `${streaming} proxy_next_upstream error timeout non_idempotent;`,
  gone: streaming,
};
const groups = {
  streaming: 'kept',
  gone: 'gone',
  'next-if-refused': 'pair_gone',
  'next-if-broken': 'pair',
  'next-whatever': 'pair',
};

const servers = (port) => `
    access_log ${folder}/access.log;
    upstream one { server ${authority(upstream)}; }
    upstream kept { server ${authority(upstream)}; keepalive 4; }
    upstream gone { server ${authority(closed)}; }
    ${pair(upstream, 'pair')}
    ${pair(closed, 'pair_gone')}
    server {
      listen 127.0.0.1:${port};
      ${Object.entries(settings)
        .map(([name, more]) => `location /${name}/ { proxy_pass http://${groups[name] ?? 'one'}/; ${more} }`)
        .join('\n      ')}
    }`;

process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const nginx = await startNginx(folder, servers);
process.prependListener('exit', () => nginx.process.kill());
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
console.log(`${version}, Node ${process.version}`);

const transports = { fetchTransport: fetchTransport(), nodeTransport: nodeTransport() };

for (const [name, transport] of Object.entries(transports)) {
  const turn = (setting, options) => startTurn(setting, { transport, ...options });
  const checkOf = (fact, run) => check(`${fact} (${name})`, () => within(run()));

  /** A whole turn: by its end, nginx has passed on what it was to pass on of all that came before it. */
  const anotherTurn = async () => {
    upstream.enqueue({ content: ['a', 'b', 'c'] });
    assert.deepEqual(await turn('streaming').outcome, { texts: ['a', 'b', 'c'], finishReason: 'stop' });
  };
  /** Fails by hanging where the first delta does not come before the provider has sent the second. */
  const streams = async (setting, answer) => {
    const arrived = gate();
    upstream.enqueue({ ...answer, content: pieces('Hel', arrived.opened, 'lo') });
    const going = turn(setting);
    await going.whenText(1);
    arrived.open();
    assert.deepEqual(await going.outcome, { texts: ['Hel', 'lo'], finishReason: 'stop' });
    return going;
  };
  const isBuffered = async (setting, answer) => {
    const [first, last] = [gate(), gate()];
    upstream.enqueue({
      ...answer,
      body: pieces(
        textChunk('Hel'),
        first.opened,
        textChunk('lo') + finishChunk() + doneChunk(),
        last.opened,
      ),
    });
    const seen = upstream.requests.length;
    const going = turn(setting);
    await upstream.whenRequested(seen + 1);
    await anotherTurn();
    assert.deepEqual([going.texts, going.response], [[], undefined], 'after the first delta');
    first.open();
    await anotherTurn();
    assert.deepEqual([going.texts, going.response], [[], undefined], 'after [DONE]');
    last.open();
    assert.deepEqual(await going.outcome, { texts: ['Hel', 'lo'], finishReason: 'stop' });
    assert.equal(going.reads, 1);
    return going;
  };

  await checkOf('by default the headers and all deltas come in one piece, once the stream has ended', () =>
    isBuffered('default'),
  );
  await checkOf('proxy_buffering off streams', () => streams('unbuffered'));
  await checkOf('proxy_buffering off streams over kept connections of HTTP/1.1', () => streams('streaming'));
  await checkOf(
    'X-Accel-Buffering: no streams past the default, and is taken out of the answer',
    async () => {
      const { response } = await streams('default', { headers: { 'x-accel-buffering': 'no' } });
      assert.equal(response.headers.get('x-accel-buffering'), null);
    },
  );
  await checkOf('the answer comes in the chunks of HTTP/1.1', async () => {
    const { response } = await streams('streaming');
    assert.equal(response.headers.get('transfer-encoding'), 'chunked');
    assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  });

  await checkOf('gzip on leaves event streams alone, and streams', async () => {
    const { response } = await streams('gzip-default');
    assert.equal(response.headers.get('content-encoding'), null);
  });
  // Node's own client asks for no compression, and gets none.
  const encoding = name === 'fetchTransport' ? 'gzip' : null;
  await checkOf('gzip_types text/event-stream streams, compressed for whoever asks', async () => {
    const { response } = await streams('gzip-events');
    assert.equal(response.headers.get('content-encoding'), encoding);
  });
  await checkOf('gzip does not obey Cache-Control: no-transform', async () => {
    const { response } = await streams('gzip-events', { headers: { 'cache-control': 'no-transform' } });
    assert.equal(response.headers.get('content-encoding'), encoding);
  });
  await checkOf('gzip over the default buffers, as the default does', async () => {
    const { response } = await isBuffered('gzip-buffered');
    assert.equal(response.headers.get('content-encoding'), encoding);
  });

  await checkOf(
    'a connection to the provider serves one turn over HTTP/1.0, many with keepalive',
    async () => {
      for (const [setting, opened] of [
        ['http-1.0', 5],
        ['streaming', 0],
      ]) {
        await anotherTurn();
        await upstream.whenIdle();
        const before = upstream.connections;
        for (let count = 0; count < 5; count += 1) {
          await turn(setting).outcome;
          await upstream.whenIdle();
        }
        assert.equal(upstream.connections - before, opened, setting);
      }
    },
  );

  await checkOf('a provider that is cut off ends in order over HTTP/1.0: no finish reason', async () => {
    upstream.enqueue({ content: ['Hel', { cut: 'close' }] });
    assert.deepEqual(await turn('http-1.0').outcome, { texts: ['Hel'], finishReason: null });
  });
  await checkOf('a provider that is cut off is a StreamError over HTTP/1.1', async () => {
    upstream.enqueue({ content: ['Hel', { cut: 'close' }] });
    const { texts, error } = await turn('streaming').outcome;
    assert.deepEqual([texts, error?.name], [['Hel'], 'StreamError']);
  });

  await checkOf('a pause longer than proxy_read_timeout is a StreamError, and is not retried', async () => {
    const before = upstream.requests.length;
    upstream.enqueue({ content: ['Hel', { wait: Infinity }] });
    const { texts, error } = await turn('impatient').outcome;
    assert.deepEqual([texts, error?.name], [['Hel'], 'StreamError']);
    assert.equal(upstream.requests.length, before + 1);
  });
  const beats = { content: ['Hel', { repeat: [{ comment: '' }, { wait: 50 }], times: 60 }, 'lo'] };
  await checkOf("comments keep it alive, and the turn as well with idleOn: 'bytes'", async () => {
    upstream.enqueue(beats);
    const outcome = await turn('impatient', { idleTimeout: 2_500, idleOn: 'bytes' }).outcome;
    assert.deepEqual(outcome, { texts: ['Hel', 'lo'], finishReason: 'stop' });
  });
  await checkOf("comments do not keep the turn alive with idleOn: 'events'", async () => {
    upstream.enqueue(beats);
    const { texts, error } = await turn('impatient', { idleTimeout: 2_500 }).outcome;
    assert.deepEqual([texts, error?.name], [['Hel'], 'IdleTimeoutError']);
  });
  await checkOf('headers later than proxy_read_timeout are a 504, and each retry is a request', async () => {
    const before = upstream.requests.length;
    upstream.enqueue({ delay: Infinity }, { delay: Infinity });
    const { error } = await turn('impatient', { retry: { maxRetries: 1, initialDelay: 0 } }).outcome;
    assert.deepEqual([error?.name, error?.status, error?.attempts.length], ['RetryLimitError', 504, 2]);
    assert.equal(upstream.requests.length, before + 2);
  });
  await checkOf('a consumer that rests for longer than send_timeout loses the stream', async () => {
    upstream.enqueue({ content: [{ repeat: 'x'.repeat(10_000) }] });
    await upstream.whenIdle();
    const left = upstream.whenAborted(upstream.aborted + 1);
    const options = optionsOf('impatient-with-the-client', { transport, highWaterMark: 1 });
    const events = iterateChatCompletions('Hi', options)[Symbol.asyncIterator]();
    await events.next();
    await left;
    await assert.rejects(
      async () => {
        while (!(await events.next()).done);
      },
      { name: 'StreamError' },
    );
  });

  await checkOf('unsubscribing reaches the provider before the headers and amid the stream', async () => {
    for (const [setting, answer] of [
      ['streaming', { content: ['Hel', { wait: Infinity }] }],
      ['streaming', { delay: Infinity }],
      ['default', { content: ['Hel', { wait: Infinity }] }],
    ]) {
      await upstream.whenIdle();
      const left = upstream.whenAborted(upstream.aborted + 1);
      const arrived = upstream.whenRequested(upstream.requests.length + 1);
      upstream.enqueue(answer);
      const going = turn(setting);
      await arrived;
      if (setting === 'streaming' && answer.delay === undefined) await going.whenText(1);
      going.subscription.unsubscribe();
      await left;
    }
  });
  await checkOf(
    'with proxy_ignore_client_abort on, the provider hears nothing of a client that left',
    async () => {
      await upstream.whenIdle();
      const [rest, before] = [gate(), upstream.aborted];
      upstream.enqueue({ content: pieces('Hel', rest.opened, 'lo') });
      const going = turn('deaf-to-aborts');
      await going.whenText(1);
      going.subscription.unsubscribe();
      await anotherTurn();
      assert.ok(upstream.openAnswers > 0);
      assert.equal(upstream.aborted, before);
      rest.open();
      await upstream.whenIdle();
    },
  );

  await checkOf(
    'a provider that is gone is the 502 of the proxy, its page kept out of the message',
    async () => {
      const { error } = await turn('gone', { retry: { maxRetries: 2, initialDelay: 0 } }).outcome;
      assert.deepEqual([error?.name, error?.status, error?.attempts.length], ['RetryLimitError', 502, 3]);
      assert.match(error.body, /^<html>[^]*502 Bad Gateway[^]*nginx/);
      assert.doesNotMatch(`${error.message}${JSON.stringify(error)}`, /</);
    },
  );
  await checkOf('a request beyond client_max_body_size (1 MiB) is a 413 that is not retried', async () => {
    const before = upstream.requests.length;
    for (const size of [2 ** 20, 2 ** 24]) {
      const { error } = await turn('streaming', { prompt: 'x'.repeat(size) }).outcome;
      assert.deepEqual([error?.name, error?.status], ['UnexpectedStatusError', 413]);
      assert.match(error.body, /413 Request Entity Too Large/);
    }
    assert.equal(upstream.requests.length, before);
  });

  await checkOf('a POST goes to the next provider where the first refuses the connection', async () => {
    const before = second.requests.length;
    assert.equal((await turn('next-if-refused').outcome).finishReason, 'stop');
    assert.equal(second.requests.length, before + 1);
  });
  await checkOf('a POST that was sent goes to no other provider, and is a 502', async () => {
    const before = second.requests.length;
    upstream.enqueue({ noAnswer: 'close' });
    const { error } = await turn('next-if-broken', { retry: { maxRetries: 0 } }).outcome;
    assert.deepEqual([error?.name, error?.status], ['RetryLimitError', 502]);
    assert.equal(second.requests.length, before);
  });
  await checkOf('proxy_next_upstream non_idempotent sends one turn to two providers', async () => {
    const before = [upstream.requests.length, second.requests.length];
    upstream.enqueue({ noAnswer: 'close' });
    assert.equal((await turn('next-whatever').outcome).finishReason, 'stop');
    assert.deepEqual([upstream.requests.length, second.requests.length], [before[0] + 1, before[1] + 1]);
  });

  await checkOf('the key reaches the provider unchanged, or is the one that the proxy adds', async () => {
    const { headers } = await requestOf(() => turn('streaming').outcome);
    assert.equal(headers.authorization, 'Bearer sk-of-the-client');
    const provider = { name: 'proxied', baseUrl: baseUrl('own-key') };
    const own = await requestOf(() => turn('own-key', { provider }).outcome);
    assert.equal(own.headers.authorization, 'Bearer sk-of-the-proxy');
  });
}

await check('the logs of the proxy hold no key and no prompt', () => {
  const logs = ['access.log', 'error.log'].map((file) => readFileSync(join(folder, file), 'utf8'));
  assert.match(logs[0], /POST \/streaming\/chat\/completions HTTP\/1\.1" 200/);
  assert.match(logs[1], /upstream timed out/);
  assert.doesNotMatch(logs.join(''), /sk-of-the|prompt of this check/);
});

finish();
await Promise.all([upstream.close(), second.close()]);
// Connections of the two clients are kept alive.
process.exit();

function baseUrl(setting) {
  return `${nginx.origin}/${setting}`;
}

function optionsOf(setting, options) {
  const provider = { name: 'proxied', baseUrl: baseUrl(setting), apiKey: 'sk-of-the-client' };
  return { model: 'm', provider, ...options };
}

/** Subscribes to a turn through the proxy and keeps what can be seen of it. */
function startTurn(setting, { transport, prompt = 'The prompt of this check', ...options }) {
  const waiting = [];
  const turn = {
    texts: [],
    reads: 0,
    response: undefined,
    /** Settles when so many texts have come. */
    whenText: (count) =>
      new Promise((resolve) => {
        if (turn.texts.length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
  };
  const watched = (request) =>
    transport(request).pipe(
      map((response) => {
        turn.response = response;
        return { ...response, body: response.body.pipe(tap(() => (turn.reads += 1))) };
      }),
    );
  turn.outcome = new Promise((resolve) => {
    let finishReason;
    turn.subscription = streamChatCompletions(
      prompt,
      optionsOf(setting, { ...options, transport: watched }),
    ).subscribe({
      next: (event) => {
        if (isTextDelta(event)) turn.texts.push(event.item.content[0].text);
        if (event.type === 'completed') finishReason = event.finishReason;
        for (const { count, resolve: arrived } of waiting) if (turn.texts.length >= count) arrived();
      },
      error: (error) => resolve({ texts: turn.texts, error }),
      complete: () => resolve({ texts: turn.texts, finishReason }),
    });
  });
  return turn;
}

/** The request that a turn makes of the provider. */
async function requestOf(run) {
  const arrived = upstream.whenRequested(upstream.requests.length + 1);
  await run();
  return arrived;
}
