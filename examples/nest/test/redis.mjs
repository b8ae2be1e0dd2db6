import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;

/** A redis-server that keeps nothing, on a socket of its own. */
export async function startRedis() {
  const folder = mkdtempSync(join(tmpdir(), 'chat-redis-'));
  const path = join(folder, 'redis.sock');
  const child = spawn('redis-server', ['--port', '0', '--unixsocket', path, '--dir', folder, '--save', ''], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  await new Promise((resolve, reject) => {
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      printed += text;
      if (/ready to accept connections/i.test(printed)) resolve();
    });
    ended.then(() => reject(new Error(`redis-server has ended:\n${printed}`)), reject);
  });
  return {
    /** What `REDIS_URL` is. */
    url: `unix:${path}`,
    async close() {
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
