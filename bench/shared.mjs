/**
 * What shared turns cost over Redis: a writer, a follower and a redis-server of their own, each a process. Latency from the
 * writer to the follower, CPU, commands and bytes per event, memory in Redis, and how long a late follower waits. Medians
 * over rounds in which all candidates take turns. Prints the tables; `--write` puts them into docs/shared-turns.md between
 * `<!-- shared -->` and `<!-- /shared -->` and into shared.json, `--check` fails where the page has others than shared.json.
 *
 * resumable-stream stands beside them once it is installed: `npm ci --prefix bench`. `--rounds N`, default 5.
 */
import { fork, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createClient } from '@redis/client';
import { filter, interval, map, merge, of, range, Subject, switchMap, take } from 'rxjs';
import { isTextDelta } from '../dist/esm/index.js';
import { redisLog } from '../dist/esm/redis/index.js';
import { sharedTurns } from '../dist/esm/shared/index.js';
import { completedEvent, textEvent } from '../dist/esm/testing/index.js';

/** Four characters are a token. What comes in the first `warm` ms, while the engine compiles, is not measured. */
const delta = 'word';
const scenarios = {
  one: { turns: 1, deltas: 600, gap: 5, warm: 1_000 },
  fifty: { turns: 50, deltas: 300, gap: 20, warm: 3_000 },
  burst: { turns: 1, deltas: 1_000, gap: 0, warm: 0 },
};
const micros = () => Number(process.hrtime.bigint() / 1_000n);

async function connected(path) {
  const client = createClient({ socket: { path, tls: false } });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** Each writes turns, whose deltas come as an Observable, and follows them: `next` is given text. */
const candidates = {
  'no log': async () => ({
    write: (_, deltas) => void deltas.subscribe(),
  }),
  '`sharedTurns(redisLog())`': async (path) => {
    const turns = sharedTurns(redisLog(await connected(path)));
    return {
      write: (id, deltas) =>
        void turns
          .run(id, () =>
            merge(deltas.pipe(map((text) => (text === '' ? completedEvent() : textEvent(text))))),
          )
          .subscribe(),
      follow: (id, next) =>
        turns
          .follow(id)
          .pipe(filter(isTextDelta))
          .subscribe(({ item }) => next(item.content[0].text)),
    };
  },
  'by hand: `XADD` of JSON, `XREAD BLOCK`': async (path) => {
    const client = await connected(path);
    const reader = await connected(path);
    const followed = new Map();
    const textOf = ([, [, json]]) => JSON.parse(json).item?.content[0].text ?? '';
    async function read() {
      for (;;) {
        const ids = [...followed.keys()];
        const streams = await reader.sendCommand([
          ...['XREAD', 'BLOCK', '1000', 'STREAMS', ...ids],
          ...ids.map((id) => followed.get(id).last),
        ]);
        for (const [id, entries] of streams instanceof Map ? streams : Object.entries(streams ?? {}))
          for (const entry of entries) {
            followed.get(id).last = entry[0];
            followed.get(id).next(textOf(entry));
          }
      }
    }
    return {
      write(id, deltas) {
        void client.sendCommand(['XADD', id, '*', 'd', '{}']);
        deltas.subscribe((text) => {
          const event = text === '' ? completedEvent() : textEvent(text);
          void client.sendCommand(['XADD', id, '*', 'd', JSON.stringify(event)]);
        });
      },
      follow(id, next) {
        let isGone = false;
        void client.sendCommand(['XRANGE', id, '-', '+']).then((entries) => {
          const past = entries.map(textOf).join('');
          if (past !== '') next(past);
          if (isGone) return;
          followed.set(id, { last: entries.at(-1)?.[0] ?? '0', next });
          if (followed.size === 1) void read();
        });
        return { unsubscribe: () => (isGone = true) };
      },
    };
  },
};

const resumable = new URL('node_modules/resumable-stream/dist/generic.js', import.meta.url);
if (existsSync(fileURLToPath(resumable))) {
  candidates['resumable-stream 2.2.12'] = async (path) => {
    const { createResumableStreamContext } = (await import(resumable)).default;
    const [publisher, subscriber] = [await connected(path), await connected(path)];
    const context = createResumableStreamContext({
      waitUntil: () => undefined,
      publisher: {
        connect: async () => undefined,
        publish: (channel, message) => publisher.sendCommand(['PUBLISH', channel, message]),
        set: (key, value) => publisher.sendCommand(['SET', key, value, 'EX', '86400']),
        get: (key) => publisher.sendCommand(['GET', key]),
        incr: (key) => publisher.sendCommand(['INCR', key]),
      },
      subscriber: {
        connect: async () => undefined,
        subscribe: (channel, callback) => subscriber.subscribe(channel, (message) => void callback(message)),
        unsubscribe: (channel) => subscriber.unsubscribe(channel),
      },
    });
    const drain = async (stream, next) => {
      const reader = stream.getReader();
      for (let read; !(read = await reader.read()).done;) if (read.value !== '') next(read.value);
    };
    return {
      async write(id, deltas) {
        const source = () =>
          new ReadableStream({
            start: (controller) =>
              void deltas.subscribe((text) => (text === '' ? controller.close() : controller.enqueue(text))),
          });
        void drain(await context.createNewResumableStream(id, source), () => undefined);
      },
      follow(id, next) {
        const stream = context.resumeExistingStream(id);
        void stream.then((each) => drain(each, next)).catch(() => undefined);
        return { unsubscribe: () => undefined };
      },
    };
  };
}

/** Deltas, then an empty text for the end. */
function deltasOf({ deltas, gap }, times) {
  const paced = gap === 0 ? range(0, deltas) : interval(gap).pipe(take(deltas));
  return merge(
    paced.pipe(
      map(() => {
        times.push(micros());
        return delta;
      }),
    ),
  );
}

async function role([, , , name, what, path, scenarioName]) {
  const candidate = await candidates[name](path);
  const scenario = scenarios[scenarioName] ?? { turns: 1, deltas: 500, gap: 0 };
  const flow = new Subject();
  const all = Array.from({ length: scenario.turns }, () => []);
  let before;
  const told = {
    begin,
    flow: () => flow.next(),
    mark: () => (before = process.cpuUsage()),
    join: joins,
    end,
  };
  process.on('message', (message) => told[message]());
  process.send('ready');

  function begin() {
    for (const [place, times] of all.entries()) {
      if (what === 'writer') {
        const deltas = flow.pipe(
          take(1),
          switchMap(() =>
            merge(
              deltasOf(scenario, times),
              scenarioName === 'join' ? interval(20).pipe(map(() => delta)) : of(),
            ),
          ),
        );
        void candidate.write(`x${place}`, deltas);
      } else {
        let count = 0;
        candidate.follow(`x${place}`, (text) => {
          const now = micros();
          for (let at = 0; at < text.length; at += delta.length) times.push(now);
          count += text.length / delta.length;
          if (count === scenario.deltas && all.every(({ length }) => length === scenario.deltas))
            process.send('done');
        });
      }
    }
  }

  /** How long until a follower that comes late has something; another waits beside it. */
  async function joins() {
    const samples = [];
    for (let join = 0; join < 30; join += 1) {
      const start = micros();
      await new Promise((resolve) => {
        const reading = candidate.follow('x0', () => {
          samples.push((micros() - start) / 1_000);
          resolve();
          queueMicrotask(() => reading.unsubscribe());
        });
      });
      await wait(7);
    }
    process.send({ samples });
  }

  function end() {
    const { user, system } = process.cpuUsage(before);
    process.send({ times: all, cpu: user + system });
  }
}

const quantile = (samples, part) => samples.toSorted((a, b) => a - b)[Math.floor(samples.length * part)];
const median = (samples) => quantile(samples, 0.5);
const heard = (child, what) =>
  new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error('a process has ended')));
    const listener = (message) => {
      if (what !== undefined && message !== what) return;
      child.off('message', listener);
      resolve(message);
    };
    child.on('message', listener);
  });

/** What Redis has counted so far. */
async function counts(client) {
  const info = await client.sendCommand(['INFO', 'everything']);
  const of = (name) => Number(new RegExp(`^${name}:(.*)`, 'm').exec(info)?.[1]);
  return {
    commands: of('total_commands_processed'),
    in: of('total_net_input_bytes'),
    out: of('total_net_output_bytes'),
    cpu: 1e6 * (of('used_cpu_user') + of('used_cpu_sys')),
  };
}

async function measure(name, scenarioName, path, client) {
  await client.sendCommand(['FLUSHALL']);
  const scenario = scenarios[scenarioName];
  const processes = ['writer', 'follower'].map((what) =>
    fork(fileURLToPath(import.meta.url), ['--role', name, what, path, scenarioName], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    }),
  );
  const [writer, follower] = processes;
  const isAlone = name === 'no log';
  try {
    await Promise.all(processes.map((each) => heard(each, 'ready')));
    writer.send('begin');
    await wait(200);
    if (scenarioName === 'join') {
      writer.send('flow');
      await wait(200);
      follower.send('begin');
      await wait(200);
      follower.send('join');
      const { samples } = await heard(follower);
      return { join: median(samples) };
    }
    if (!isAlone) follower.send('begin');
    await wait(300);
    const done = isAlone ? wait(scenario.deltas * scenario.gap + 200) : heard(follower, 'done');
    follower.send('flow');
    writer.send('flow');
    await wait(scenario.warm);
    for (const each of processes) each.send('mark');
    const marked = micros();
    const before = await counts(client);
    await done;
    const after = await counts(client);
    const written = heard(writer);
    const read = heard(follower);
    writer.send('end');
    follower.send('end');
    const [sent, got] = [await written, await read];
    const all = sent.times.flatMap((times, turn) =>
      times.map((time, place) => [time, got.times[turn][place] ?? time]),
    );
    const measured = scenario.warm === 0 ? all : all.filter(([time]) => time > marked);
    const events = measured.length;
    const late = measured.map(([from, to]) => (to - from) / 1_000);
    await wait(100);
    let memory = 0;
    for (const key of await client.sendCommand(['KEYS', '*']))
      memory += Number(await client.sendCommand(['MEMORY', 'USAGE', key, 'SAMPLES', '0']));
    return {
      p50: quantile(late, 0.5),
      p99: quantile(late, 0.99),
      writer: sent.cpu / events,
      follower: got.cpu / events,
      redis: (after.cpu - before.cpu) / events,
      commands: (after.commands - before.commands) / events,
      in: (after.in - before.in) / events,
      out: (after.out - before.out) / events,
      memory: (memory / all.length) * 1_000,
    };
  } finally {
    for (const each of processes) {
      each.removeAllListeners('exit');
      each.kill('SIGKILL');
    }
  }
}

async function measureAll(rounds) {
  const folder = mkdtempSync(join(tmpdir(), 'bench-redis-'));
  const path = join(folder, 'redis.sock');
  const server = spawn('redis-server', ['--port', '0', '--unixsocket', path, '--dir', folder, '--save', ''], {
    stdio: 'ignore',
  });
  try {
    while (!existsSync(path)) await wait(20);
    const client = await connected(path);
    const samples = {};
    for (let round = 0; round < rounds; round += 1)
      for (const scenario of [...Object.keys(scenarios), 'join']) {
        const names = Object.keys(candidates).filter((name) => name !== 'no log' || scenario === 'fifty');
        for (const name of round % 2 === 0 ? names : names.toReversed())
          ((samples[name] ??= {})[scenario] ??= []).push(await measure(name, scenario, path, client));
      }
    client.destroy();
    return Object.fromEntries(
      Object.entries(samples).map(([name, each]) => [
        name,
        Object.fromEntries(
          Object.entries(each).map(([scenario, list]) => [
            scenario,
            Object.fromEntries(
              Object.keys(list[0]).map((key) => [
                key,
                Number(median(list.map((sample) => sample[key])).toPrecision(3)),
              ]),
            ),
          ]),
        ),
      ]),
    );
  } finally {
    server.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

export function tableOf({ node, rounds, results }) {
  const lines = [
    [
      '',
      'one turn: p50',
      'p99, ms',
      '50 turns: p50',
      'p99, ms',
      'CPU of the writer',
      'follower',
      'Redis, µs an event',
      'commands an event',
      'bytes in',
      'out',
      'Redis per 1,000 tokens, kB',
      'in a burst, kB',
      'late follower, ms',
    ],
    ['---', ...Array.from({ length: 13 }, () => '--:')],
  ];
  for (const [name, { one, fifty, burst, join: late }] of Object.entries(results)) {
    const { writer } = results['no log'].fifty;
    if (name === 'no log') continue;
    const kB = (bytes) => (bytes / 1_000).toFixed(bytes < 9_950 ? 1 : 0);
    lines.push([
      name,
      ...[one.p50, one.p99, fifty.p50, fifty.p99].map((each) => each.toFixed(2)),
      ...[Math.max(fifty.writer - writer, 0), fifty.follower, fifty.redis].map((each) => each.toFixed(0)),
      fifty.commands.toFixed(2),
      ...[fifty.in, fifty.out].map((each) => each.toFixed(0)),
      kB(one.memory),
      kB(burst.memory),
      late.join.toFixed(1),
    ]);
  }
  const table = lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  return `${table}\n\nNode ${node}, Redis over a Unix socket, medians of ${rounds} rounds. One turn: a delta every 5 ms; 50 turns: each a delta every 20 ms, 2,500 events a second.`;
}

const page = new URL('../docs/shared-turns.md', import.meta.url);
const file = new URL('shared.json', import.meta.url);
if (process.argv[2] === '--role') await role(process.argv);
else if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const isCheck = process.argv.includes('--check');
  const option = process.argv.indexOf('--rounds');
  const rounds = option === -1 ? 5 : Number(process.argv[option + 1]);
  const measured = isCheck
    ? JSON.parse(readFileSync(file, 'utf8'))
    : { node: process.versions.node, rounds, results: await measureAll(rounds) };
  const table = tableOf(measured);
  console.log(table);
  const written = readFileSync(page, 'utf8');
  const shown = written.replace(
    /(<!-- shared -->\n)[^]*?(<!-- \/shared -->)/,
    (_, start, end) => `${start}\n${table}\n\n${end}`,
  );
  if (process.argv.includes('--write')) {
    writeFileSync(file, `${JSON.stringify(measured, null, 2)}\n`);
    writeFileSync(page, shown);
  }
  if (isCheck && (shown !== written || !/<!-- shared -->/.test(written))) {
    console.error('docs/shared-turns.md has another table: run node bench/shared.mjs --write.');
    process.exitCode = 1;
  }
}
