import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const isInstalled = spawnSync('redis-server', ['--version']).status === 0;

/**
 * `describe`, where redis-server is installed. Where it is not, the specs say so, and fail in CI.
 */
export function describeWithRedis(name: string, specs: () => void): void {
  if (isInstalled) {
    describe(name, specs);
    return;
  }
  const what = `redis-server is not installed: ${name} was not tried.`;
  if (process.env['CI'] !== 'true') console.warn(what);
  it(`${name} is tried on a redis-server`, () => {
    if (process.env['CI'] === 'true') throw new Error(what);
  });
}

/** A redis-server on a socket in a folder of its own. */
export interface RedisServer {
  readonly path: string;
  pause(): void;
  resume(): void;
  /** Ends it at once, as a machine that fails does. */
  kill(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a redis-server, which keeps nothing on the disk unless it is told so. */
export async function startRedis(...options: readonly string[]): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'redis-'));
  const path = join(folder, 'redis.sock');
  let child: ChildProcess | undefined;

  async function kill(): Promise<void> {
    if (child === undefined) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    child = undefined;
    rmSync(path, { force: true });
  }

  async function start(): Promise<void> {
    const started = spawn(
      'redis-server',
      ['--port', '0', '--unixsocket', path, '--dir', folder, '--save', '', ...options],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    child = started;
    await new Promise<void>((resolve, reject) => {
      let said = '';
      started.once('exit', () => reject(new Error(`redis-server ended: ${said}`)));
      started.stdout.on('data', (chunk: Buffer) => {
        said += String(chunk);
        if (/ready to accept connections/i.test(said)) resolve();
      });
    });
  }

  await start();
  return {
    path,
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    kill,
    start,
    async close() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
