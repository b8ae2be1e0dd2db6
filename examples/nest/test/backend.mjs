import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** A backend as a process of its own, as it runs in production, on a port that is free. */
export async function startBackend(file, env) {
  const { PATH } = process.env;
  const child = spawn(process.execPath, [file], {
    cwd: root,
    env: { PATH, NO_COLOR: '1', HOST: '127.0.0.1', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  let printed = '';
  const origin = await new Promise((resolve, reject) => {
    const read = (text) => {
      printed += text;
      const address = /Listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(printed);
      if (address !== null) resolve(address[1]);
    };
    child.stdout.setEncoding('utf8').on('data', read);
    child.stderr.setEncoding('utf8').on('data', read);
    closed.then(() => reject(new Error(`The backend has ended:\n${printed}`)));
  });
  return {
    origin,
    /** All that it has printed. */
    get printed() {
      return printed;
    },
    async stop() {
      child.kill();
      await closed;
    },
    /** Ends it as a crash does. */
    async crash() {
      child.kill('SIGKILL');
      await closed;
    },
  };
}

/** Sends a request and gives Node's request, whose socket a test may destroy, and the promise of its answer. */
export function open(url, { method = 'POST', body, headers = {} } = {}) {
  const json = typeof body === 'string' ? body : JSON.stringify(body);
  const outgoing = request(url, {
    method,
    agent: false,
    headers: { ...(json !== undefined && { 'content-type': 'application/json' }), ...headers },
  });
  const answer = once(outgoing, 'response').then(([response]) => response);
  outgoing.on('error', () => {});
  answer.catch(() => {});
  outgoing.end(json);
  return { outgoing, answer };
}

/** The whole answer: its status, its headers, and its text. */
export async function exchange(url, options) {
  const response = await open(url, options).answer;
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += part;
  return { status: response.statusCode, headers: response.headers, text };
}

/** The answer's text, read until it holds what is looked for. */
export async function readUntil(response, wanted) {
  response.setEncoding('utf8');
  let text = '';
  while (!text.includes(wanted)) {
    const part = response.read();
    if (part !== null) text += part;
    else if (response.readableEnded) throw new Error(`The answer has ended without ${wanted}:\n${text}`);
    else await Promise.race([once(response, 'readable'), once(response, 'end')]);
  }
  return text;
}
