/**
 * One measurement of one candidate, in a process of its own (`--expose-gc`). Every result is compared with
 * what the server sent: a candidate that loses text is not fast.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { agesOf, answerText, isSealed } from './answer.mjs';
import { recordingsIn } from './recordings.mjs';

const { subject, origin, scenario, corpus } = JSON.parse(process.argv[2]);
const { default: turn, deltas = true, dialect = scenario.dialect ?? 'openai' } = await import(subject.url);
const baseUrlOf = (mode, chunks) => `${origin}/${mode}/${chunks}/${dialect}`;

function check(text, chunks) {
  if (text !== answerText(chunks)) throw new Error(`the text of ${chunks} chunks came out different`);
}

async function checkedTurn(mode, chunks) {
  const text = await turn({ baseUrl: baseUrlOf(mode, chunks) });
  check(text, chunks);
  return text;
}

/** Loads what is loaded at first use and lets the engine see the code, then frees what that has left. */
async function warmUp() {
  await checkedTurn('bulk', scenario.warmUp ?? 2_000);
  await settle();
}

/** Lets go of what ends a moment after a turn, and frees it. */
async function settle() {
  await sleep(20);
  globalThis.gc();
  globalThis.gc();
}

/** The CPU time of the whole process since then, user and system and the engine's own threads, in µs. */
function cpuSince(before) {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** What the server tells of itself: measuring asks by way of its parent, so as to need no client of its own. */
async function askServer(question) {
  process.send({ ask: question });
  const [answer] = await once(process, 'message');
  return answer;
}

/** What survives a collection, in bytes. Buffers are a part of what Node calls external. */
function live() {
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** What survives when nothing happens: the least of some looks, since some things are let go of a moment later. */
async function liveAtRest() {
  const looks = [];
  for (let look = 0; look < 5; look += 1) {
    await sleep(50);
    looks.push(live());
  }
  return Math.min(...looks);
}

/** Memory over one turn, in bytes: at its highest while the text grows, and once it is whole. */
async function memoryOf(mode, chunks) {
  const before = live();
  const samples = [];
  const timer = setInterval(() => samples.push(live() - before), 100);
  const text = await turn({ baseUrl: baseUrlOf(mode, chunks) });
  clearInterval(timer);
  // Read as a user would, which is when the engine writes a text that was concatenated in one piece.
  const { length } = Buffer.from(text);
  const kept = live() - before;
  check(text, chunks);
  return { peak: Math.max(...samples), growing: samples.at(-1), kept, bytes: length };
}

const sorted = (values) => values.toSorted((a, b) => a - b);
const quantile = (values, part) => values[Math.min(values.length - 1, Math.floor(values.length * part))];

/** The slope of the line through the points in logarithms: 1 where cost grows as its cause does. */
function exponentOf(points) {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)]);
  const meanOf = (axis) => logs.reduce((sum, point) => sum + point[axis], 0) / logs.length;
  const [meanX, meanY] = [meanOf(0), meanOf(1)];
  const covariance = logs.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return covariance / logs.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
}

const kinds = {
  /** CPU time in µs per chunk; growth of the process. */
  async cpu({ mode, chunks }) {
    const baseUrl = baseUrlOf(mode, chunks);
    const rss = process.memoryUsage.rss();
    const start = performance.now();
    const before = process.cpuUsage();
    const text = await turn({ baseUrl });
    const cpu = cpuSince(before);
    const wall = (performance.now() - start) * 1_000;
    const peakRss = process.resourceUsage().maxRSS * 1_024 - rss;
    check(text, chunks);
    return { cpu: cpu / chunks, wall: wall / chunks, rss: peakRss / 2 ** 20 };
  },

  /**
   * Many streams at once: CPU as above, the process at its highest, and for each delta the time from the
   * server's write to the candidate's hand, in ms. The first deltas meet the opening of all streams and
   * are left out.
   */
  async paced({ mode, chunks, streams, skip }) {
    const baseUrl = baseUrlOf(mode, chunks);
    const rss = process.memoryUsage.rss();
    let peakRss = rss;
    const sampler = setInterval(() => (peakRss = Math.max(peakRss, process.memoryUsage.rss())), 50);
    const ages = [];
    const oneTurn = () => {
      let seen = 0;
      return turn({
        baseUrl,
        ...(deltas && {
          onDelta: (delta) => {
            for (const age of agesOf(delta)) {
              seen += 1;
              if (seen > skip) ages.push(age / 1_000);
            }
          },
        }),
      });
    };
    const before = process.cpuUsage();
    const texts = await Promise.all(Array.from({ length: streams }, oneTurn));
    const cpu = cpuSince(before);
    clearInterval(sampler);
    if (!texts.every((text) => isSealed(text, chunks))) throw new Error('a text came out different');
    const ordered = sorted(ages);
    return {
      cpu: cpu / (streams * chunks),
      rss: (peakRss - rss) / 2 ** 20,
      ...(deltas && { p50: quantile(ordered, 0.5), p99: quantile(ordered, 0.99) }),
    };
  },

  /**
   * What one of many open streams holds, connection included, in KiB: what `streams` of them add to a process
   * that has `first` open already, so that code and tables, which are there once, do not count.
   */
  async open({ mode, chunks, first, streams }) {
    const baseUrl = baseUrlOf(mode, chunks);
    const turns = [];
    const memoryWith = async (count) => {
      while (turns.length < count) turns.push(turn({ baseUrl }));
      while ((await askServer({})).halted < count) await sleep(50);
      return liveAtRest();
    };
    const before = await memoryWith(first);
    const added = (await memoryWith(first + streams)) - before;
    await askServer({ resume: true });
    for (const text of await Promise.all(turns)) check(text, chunks);
    return { memory: added / streams / 2 ** 10 };
  },

  /** Time from the call to the first delta, in ms: the median of many short turns, one after another. */
  async firstDelta({ mode, chunks, turns }) {
    if (!deltas) return undefined;
    const baseUrl = baseUrlOf(mode, chunks);
    const times = [];
    for (let index = 0; index < turns; index += 1) {
      const start = performance.now();
      let first;
      const text = await turn({ baseUrl, onDelta: () => (first ??= performance.now() - start) });
      check(text, chunks);
      times.push(first);
    }
    return { firstDelta: quantile(sorted(times), 0.5) };
  },

  memory: ({ mode, chunks }) => memoryOf(mode, chunks),

  /** The server counts the connections; here is only the work. */
  async sockets({ mode, chunks, turns }) {
    for (let index = 0; index < turns; index += 1) await checkedTurn(mode, chunks);
    return {};
  },

  /** Recorded streams, one after another, as often as `passes` says: CPU time in µs per stream. */
  async recorded({ mode, passes }) {
    const recordings = recordingsIn(corpus).map(({ name, text }) => ({ name, text }));
    const pass = async () => {
      for (const [index, { name, text }] of recordings.entries()) {
        if ((await turn({ baseUrl: baseUrlOf(mode, index) })) !== text)
          throw new Error(`the text of ${name} came out different`);
      }
    };
    await pass();
    globalThis.gc();
    const before = process.cpuUsage();
    for (let index = 0; index < passes; index += 1) await pass();
    return { cpu: cpuSince(before) / (passes * recordings.length) };
  },

  /**
   * The same work in turns of different sizes: CPU time and memory per chunk, and how the two grow. Small
   * turns are repeated, so that each figure stands for as many chunks.
   */
  async growth({ sizes, heldSizes }) {
    const results = {};
    const times = [];
    const memories = [];
    for (const size of sizes) {
      const baseUrl = baseUrlOf('bulk', size);
      const repeats = Math.max(1, sizes.at(-2) / size);
      const texts = [];
      const before = process.cpuUsage();
      for (let index = 0; index < repeats; index += 1) texts.push(await turn({ baseUrl }));
      const cpu = cpuSince(before) / repeats;
      for (const text of texts) check(text, size);
      times.push([size, cpu]);
      results[`cpu${size}`] = cpu / size;
    }
    for (const size of heldSizes) {
      await settle();
      const { growing } = await memoryOf('held', size);
      memories.push([size, growing]);
      results[`memory${size}`] = growing / size;
    }
    return { ...results, cpuExponent: exponentOf(times), memoryExponent: exponentOf(memories) };
  },
};

if (scenario.kind !== 'sockets') await warmUp();
const result = await kinds[scenario.kind](scenario);
process.send({ result }, () => process.exit());
