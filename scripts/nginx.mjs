// A real nginx, for what is checked behind one.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

// Distributions install it where only the administrator's PATH leads.
const env = { ...process.env, PATH: [process.env.PATH, '/usr/sbin', '/usr/local/sbin'].join(delimiter) };

/** `undefined` where it is not installed. */
export const nginxVersion = () =>
  /nginx\/\S+/.exec(spawnSync('nginx', ['-v'], { env, encoding: 'utf8' }).stderr ?? '')?.[0];

/**
 * Starts nginx on a port that is free.
 *
 * @param folder - for its files, its logs among them
 * @param http - what stands in the `http` block, given the port
 */
export async function startNginx(folder, http) {
  const file = join(folder, 'nginx.conf');
  // Another process may take a free port before nginx does.
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    const port = await freePort();
    writeFileSync(file, configuration(folder, http(port)));
    const child = spawn('nginx', ['-p', folder, '-c', file, '-e', join(folder, 'error.log')], {
      env,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const ended = once(child, 'exit');
    ended.catch(() => {});
    while (child.exitCode === null && child.signalCode === null) {
      if (await accepts(port)) return { process: child, origin: `http://127.0.0.1:${port}` };
      await sleep(10);
    }
  }
  throw new Error(`nginx did not start:\n${readFileSync(join(folder, 'error.log'), 'utf8')}`);
}

const configuration = (folder, http) => `
  daemon off;
  # One event loop: what it has passed on tells what it has seen.
  worker_processes 1;
  ${process.getuid?.() === 0 ? 'user root;' : ''}
  pid ${folder}/pid;
  error_log ${folder}/error.log;
  events { worker_connections 256; }
  http {
    ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
    ${http}
  }`;

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
