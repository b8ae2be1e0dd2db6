/**
 * One measurement of one candidate, in a process of its own (`--expose-gc`). Every result is compared with
 * what the server sent: a candidate that loses text is not fast.
 */
import { answerText } from './answer.mjs';

const { candidate, origin, scenario } = JSON.parse(process.argv[2]);
const { default: turn, deltas = true } = await import(candidate);
const baseUrlOf = (mode, chunks) => `${origin}/${mode}/${chunks}/${scenario.dialect ?? 'openai'}`;

function check(text, chunks) {
  if (text !== answerText(chunks)) throw new Error(`the text of ${chunks} chunks came out different`);
}

/** Loads what is loaded at first use and lets the engine see the code, then frees what that has left. */
async function warmUp() {
  check(await turn({ baseUrl: baseUrlOf('bulk', 2_000) }), 2_000);
  await new Promise((resolve) => setTimeout(resolve, 20));
  globalThis.gc();
  globalThis.gc();
}

const kinds = {
  /** CPU time, user and system and the engine's own threads, in µs per chunk; growth of the process. */
  async cpu({ mode, chunks, streams = 1 }) {
    const baseUrl = baseUrlOf(mode, chunks);
    const rss = process.memoryUsage.rss();
    const start = process.hrtime.bigint();
    const before = process.cpuUsage();
    const texts = await Promise.all(Array.from({ length: streams }, () => turn({ baseUrl })));
    const { user, system } = process.cpuUsage(before);
    const wall = Number(process.hrtime.bigint() - start) / 1_000;
    const peakRss = process.resourceUsage().maxRSS * 1_024 - rss;
    for (const text of texts) check(text, chunks);
    const all = streams * chunks;
    return { cpu: (user + system) / all, wall: wall / all, rss: peakRss / 2 ** 20 };
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
    times.sort((a, b) => a - b);
    return { firstDelta: times[times.length >> 1] };
  },

  /** What survives a collection, in bytes: at its highest while the text grows, and once it is whole. */
  async memory({ mode, chunks }) {
    const live = () => {
      globalThis.gc();
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external;
    };
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
  },

  /** The server counts the connections; here is only the work. */
  async sockets({ mode, chunks, turns }) {
    const baseUrl = baseUrlOf(mode, chunks);
    for (let index = 0; index < turns; index += 1) check(await turn({ baseUrl }), chunks);
    return {};
  },
};

if (scenario.kind !== 'sockets') await warmUp();
const result = await kinds[scenario.kind](scenario);
process.send({ result }, () => process.exit());
