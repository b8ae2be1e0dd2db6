// What strangers send to a backend that people copy. Each attack asserts the status of its answer, that the provider
// saw nothing of it, and that the backend still answers a good request.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';

/**
 * @typedef {object} Backend
 * @property {() => string} url the address of the route
 * @property {() => string} slowUrl the same, where a request may take a fraction of a second
 * @property {() => object} mock the mock provider behind it
 * @property {number} maxBodyBytes how large a body may be
 * @property {object} good a body that is answered
 * @property {Record<string, readonly unknown[]>} bad bodies that are refused with 400, by what is wrong with them
 * @property {Record<string, unknown>} forbidden fields that no client may set, with a value
 * @property {boolean} [ignores] whether those are left out, not refused
 * @property {(body: object) => void} sent asserts what the provider may be sent at all
 */

/**
 * The attacks by name, to be run one after another.
 *
 * @param {Backend} backend
 */
export function attacksOn({ url, slowUrl, mock, maxBodyBytes, good, bad, forbidden, ignores, sent }) {
  const json = JSON.stringify(good);

  /** The backend answers, and the provider is sent what it may be sent. */
  const stands = async () => {
    mock().enqueue({ content: ['It ', 'stands.'] });
    const { length } = mock().requests;
    const { status, text } = await exchange(url(), { body: json });
    assert.equal(status, 200, text);
    assert.match(text, /stands\./);
    assert.match(text, /^data: \[DONE\]$/m);
    assert.equal(mock().requests.length, length + 1);
    sent(mock().requests.at(-1).body);
  };

  const attacks = new Map([['answers a good request', stands]]);
  const attack = (name, run) =>
    attacks.set(name, async () => {
      await run();
      await stands();
    });

  /** Refused with one of these statuses, in words that tell nothing, and nothing is sent on. */
  const refused = async (statuses, options, what) => {
    const { length } = mock().requests;
    const { status, headers, text } = await exchange(url(), options);
    assert.ok([statuses].flat().includes(status), `${what}: ${status} ${text}`);
    assert.doesNotMatch(text, /sk-|node_modules|file:|\.m?[jt]s\b|\n {4}at /, what);
    assert.equal(headers['access-control-allow-origin'], undefined, what);
    assert.equal(mock().requests.length, length, what);
  };

  attack('a body that is no JSON, or no object, is 400', async () => {
    const bodies = ['', ' ', '{', '{"', 'not JSON', '{}', 'null', '[]', '[{}]', '5', '"text"', 'true', '\0'];
    const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'];
    const prototypes = names.map((name) => `{${JSON.stringify(name)}:${json}}`);
    const broken = Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a]);
    for (const body of [...bodies, ...prototypes, broken, json.slice(0, -1), `${json}${json}`]) {
      await refused(400, { body }, String(body).slice(0, 60));
    }
  });

  for (const [what, bodies] of Object.entries(bad)) {
    attack(`${what}: 400`, async () => {
      for (const body of bodies) {
        const text = typeof body === 'string' ? body : JSON.stringify(body);
        await refused(400, { body: text }, text.slice(0, 200));
      }
    });
  }

  attack('JSON nested 25,000 deep is 400', async () => {
    const deep = (open, close) => open.repeat(25_000) + close.repeat(25_000);
    const arrays = deep('[', ']');
    const objects = `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`;
    for (const body of [arrays, objects, arrays.slice(0, 40_000)]) await refused(400, { body }, 'the body');
    for (const name of Object.keys(good)) {
      await refused(400, { body: `${json.slice(0, -1)},${JSON.stringify(name)}:${arrays}}` }, name);
    }
  });

  attack('a body of 100 MB is 413: its length told, not told, or packed', async () => {
    const piece = Buffer.alloc(2 ** 20, 0x20);
    const hundred = 100 * piece.length;
    function* spaces() {
      for (let sent = 0; sent < hundred; sent += piece.length) yield piece;
    }
    await refused(413, { body: [Buffer.alloc(maxBodyBytes + 1, 0x20)] }, 'a byte too many');
    // Whoever goes on sending may find the connection closed before the answer is read.
    const statuses = [413, 'closed'];
    await refused(statuses, { body: spaces(), headers: { 'content-length': hundred } }, 'told');
    await refused(statuses, { body: spaces() }, 'not told');
    // Told, and never sent: the answer does not wait for it.
    await refused(413, { body: [], headers: { 'content-length': hundred }, isOpen: true }, 'announced');
    const packed = gzipSync(Buffer.alloc(hundred, 0x20));
    await refused([400, 413, 415], { body: packed, headers: { 'content-encoding': 'gzip' } }, 'packed');
  });

  attack('a type that pages of other origins may send is 415', async () => {
    const types = ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', ''];
    for (const type of types) await refused(415, { body: json, headers: { 'content-type': type } }, type);
  });

  attack('other methods are refused, and no page of another origin is let in', async () => {
    for (const method of ['PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']) {
      const headers = { origin: 'https://elsewhere.example', 'access-control-request-method': 'POST' };
      // A server may tell what it has, as Express does of OPTIONS.
      const statuses = method === 'OPTIONS' ? [200, 204, 400, 404, 405] : [400, 404, 405];
      await refused(statuses, { method, headers }, method);
    }
  });

  attack('a head or a body that never ends is 408', async () => {
    const head = 'POST / HTTP/1.1\r\nhost: 127.0.0.1\r\n';
    const { pathname } = new URL(slowUrl());
    const start = head.replace(' / ', ` ${pathname} `);
    const type = 'content-type: application/json\r\n';
    for (const sent of [
      start,
      `${start}${type}content-length: ${json.length}\r\n\r\n${json.slice(0, 5)}`,
      `${start}${type}transfer-encoding: chunked\r\n\r\n1\r\n{\r\n`,
    ]) {
      const { length } = mock().requests;
      assert.match(await untilClosed(slowUrl(), sent), /^HTTP\/1\.1 408 /);
      assert.equal(mock().requests.length, length);
    }
  });

  attack('a client that leaves inside its body leaves nothing behind', async () => {
    const { length } = mock().requests;
    const outgoing = request(url(), { method: 'POST', agent: false, headers: jsonType });
    outgoing.on('error', () => {});
    outgoing.write(json.slice(0, 5));
    await once(outgoing, 'socket');
    await once(outgoing.socket, 'connect');
    outgoing.destroy();
    assert.equal(mock().requests.length, length);
  });

  attack('a client that leaves before its answer, or inside it, aborts the turn', async () => {
    for (const answer of [{ delay: Infinity }, { content: ['It ', { wait: Infinity }] }]) {
      const { aborted, requests } = mock();
      const asked = mock().whenRequested(requests.length + 1);
      mock().enqueue(answer);
      const outgoing = request(url(), { method: 'POST', agent: false, headers: jsonType });
      outgoing.on('error', () => {});
      const begun = once(outgoing, 'response').then(([response]) => once(response.resume(), 'data'));
      begun.catch(() => {});
      outgoing.end(json);
      await asked;
      if (answer.content !== undefined) await begun;
      outgoing.destroy();
      await mock().whenAborted(aborted + 1);
    }
  });

  attack('a parameter that may not be set does not reach the provider', async () => {
    for (const [name, value] of Object.entries(forbidden)) {
      // As text: in an object, __proto__ would be no field.
      const body = `${json.slice(0, -1)},${JSON.stringify(name)}:${JSON.stringify(value)}}`;
      if (!ignores) {
        await refused(400, { body }, name);
        continue;
      }
      mock().enqueue({ content: 'Hi' });
      const { status } = await exchange(url(), { body });
      assert.ok(status === 200 || status === 400, `${name}: ${status}`);
      sent(mock().requests.at(-1).body);
    }
  });
  return attacks;
}

/** Parameters that cost, keep or change what the owner of a key answers for. */
export const forbiddenParams = {
  n: 100,
  store: true,
  service_tier: 'priority',
  prediction: { type: 'content', content: 'x' },
  modalities: ['audio'],
  audio: { voice: 'alloy', format: 'wav' },
  web_search_options: {},
  plugins: [{ id: 'web' }],
  models: ['expensive'],
  route: 'fallback',
  extra_body: { n: 100 },
  user: 'someone else',
  metadata: { a: 'b' },
  prompt_cache_key: 'another',
  safety_identifier: 'another',
  logprobs: true,
  top_logprobs: 20,
  logit_bias: { 1: 100 },
  best_of: 20,
  functions: [{ name: 'f' }],
  function_call: 'auto',
  api_key: 'sk-another',
  base_url: 'http://elsewhere.example',
  ['__proto__']: { n: 100 },
  constructor: { n: 100 },
  toString: 'x',
  'no name': 1,
};

const jsonType = { 'content-type': 'application/json' };

/** One request on a connection of its own, and the whole answer. The rest of a body is not sent once that is there. */
async function exchange(url, { method = 'POST', body, headers, isOpen = false }) {
  const outgoing = request(url, { method, agent: false, headers: { ...jsonType, ...headers } });
  let failure;
  outgoing.on('error', (error) => (failure = error));
  const answered = once(outgoing, 'response');
  answered.catch(() => {});
  let isAnswered = false;
  outgoing.once('response', () => (isAnswered = true));
  for (const piece of typeof body === 'string' || Buffer.isBuffer(body) ? [body] : (body ?? [])) {
    if (isAnswered || failure !== undefined) break;
    if (!outgoing.write(piece)) await Promise.race([once(outgoing, 'drain'), answered]).catch(() => {});
  }
  if (isOpen) outgoing.flushHeaders();
  else if (!isAnswered) outgoing.end();
  const [response] = await answered.catch((error) => {
    if (error.code === 'EPIPE' || error.code === 'ECONNRESET') return [undefined];
    throw error;
  });
  if (response === undefined) return { status: 'closed', headers: {}, text: '' };
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += part;
  outgoing.destroy();
  return { status: response.statusCode, headers: response.headers, text };
}

/** What a server answers to raw bytes, once it has closed the connection. */
async function untilClosed(url, sent) {
  const { hostname, port } = new URL(url);
  const socket = connect(port, hostname);
  socket.on('error', () => {});
  let answer = '';
  socket.setEncoding('utf8').on('data', (text) => (answer += text));
  socket.write(sent);
  await once(socket, 'close');
  return answer;
}
