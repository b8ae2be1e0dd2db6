/**
 * Shared turns at 1, 100 and 10,000 turns a second, by calculation from what shared.mjs has measured (shared.json): commands,
 * bytes, memory and connections, the Redis shards that carry them, and the instances. Prints the tables; `--write` puts them
 * into docs/shared-turns.md between `<!-- scale -->` and `<!-- /scale -->`, `--check` fails where that has others.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const { results } = JSON.parse(readFileSync(new URL('shared.json', import.meta.url), 'utf8'));
const measured = results['`sharedTurns(redisLog())`'];

/** What is assumed, each of which a line of the guide names. */
const turn = {
  tokens: 500,
  /** Milliseconds between two deltas: 20 s a turn. */
  gap: 40,
  followers: 1,
  heartbeat: 2_000,
  /** Milliseconds. */
  ttl: 3_600_000,
};
const shard = {
  /** Of one core, so that a failover and a burst have room. */
  cpu: 0.5,
  memory: 8e9,
  clients: 10_000,
  /** Bytes a second, of a 10 Gbit/s interface, half. */
  network: 6e8,
};
const instance = { cpu: 0.5 };

/** Beside its entries: a claim, two expiries of two keys at the start and at the end, the end, the first reads of two streams. */
const perTurn = 1 + 4 + 4 + 1 + 2;
/** Two expiries, twice a heartbeat. */
const perHeartbeat = 4;

const duration = (turn.tokens * turn.gap) / 1_000;

/**
 * Where one entry holds `each` deltas; reads of followers are shared by an instance, so that a reply brings several turns.
 */
function cost(rate, each = 1) {
  const { fifty, one, burst } = measured;
  const entries = turn.tokens / each;
  const commands = entries * fifty.commands + perTurn + (duration * 1_000 * perHeartbeat) / turn.heartbeat;
  // The bytes and the CPU of an entry fall with their number alone: text is a small part of them.
  const bytes = entries * (fifty.in + fifty.out * turn.followers) + turn.tokens * 4 * (each > 1 ? 2 : 0);
  // The time of Redis goes with its commands.
  const redisCpu = (commands / fifty.commands) * fifty.redis;
  const ownCpu = entries * (fifty.writer + fifty.follower * turn.followers);
  const memory = ((each === 1 ? one.memory : burst.memory) * turn.tokens) / 1_000 + 2_000;
  const kept = rate * (duration + turn.ttl / 1_000);
  const instances = Math.max(2, Math.ceil((rate * ownCpu) / 1e6 / instance.cpu));
  const needs = {
    cpu: (rate * redisCpu) / 1e6 / shard.cpu,
    memory: (kept * memory) / shard.memory,
    network: (rate * bytes) / shard.network,
    // Two from each instance to each shard.
    clients: (2 * instances) / shard.clients,
  };
  const shards = Math.max(1, Math.ceil(Math.max(needs.cpu, needs.memory, needs.network)));
  return { commands, bytes, memory, kept, instances, needs, shards, connections: 2 * instances };
}

const short = (value) =>
  value >= 1e9
    ? `${(value / 1e9).toPrecision(3)} G`
    : value >= 1e6
      ? `${(value / 1e6).toPrecision(3)} M`
      : value >= 1e3
        ? `${(value / 1e3).toPrecision(3)} k`
        : Math.round(value).toString();
const part = (value) => (value < 10 ? value.toPrecision(1) : Math.round(value).toString());
const bound = ({ cpu, memory, network }) =>
  Object.entries({ cpu, memory, network }).toSorted(([, a], [, b]) => b - a)[0][0];

const rates = [1, 100, 10_000];
const columns = [
  ...rates.map((rate) => [`${rate.toLocaleString('en')} a second`, rate, cost(rate)]),
  ['10,000, eight deltas an entry', 10_000, cost(10_000, 8)],
];
const rows = {
  'turns at once': (_, rate) => short(rate * duration),
  'commands a turn': ({ commands }) => short(commands),
  'commands a second': ({ commands }, rate) => short(commands * rate),
  'bytes a turn': ({ bytes }) => short(bytes),
  'bytes a second': ({ bytes }, rate) => short(bytes * rate),
  'kept for an hour, bytes': ({ kept, memory }) => short(kept * memory),
  'instances of half a core each': ({ instances }) => instances.toLocaleString('en'),
  'connections of a shard': ({ connections }) => connections.toLocaleString('en'),
  'shards by CPU': ({ needs }) => part(needs.cpu),
  'shards by memory': ({ needs }) => part(needs.memory),
  'shards by network': ({ needs }) => part(needs.network),
  '**shards**': ({ shards, needs }) => `**${shards.toLocaleString('en')}** (${bound(needs)})`,
};
/** Turns a second that one shard carries. */
const most = (each) => {
  const { needs } = cost(1, each);
  return Math.floor(1 / Math.max(needs.cpu, needs.memory, needs.network));
};
const table = [
  `| | ${columns.map(([name]) => name).join(' | ')} |`,
  `| --- | ${columns.map(() => '--:').join(' | ')} |`,
  ...Object.entries(rows).map(
    ([name, of]) => `| ${name} | ${columns.map(([, rate, each]) => of(each, rate)).join(' | ')} |`,
  ),
  '',
  `One shard carries ${most(1)} turns a second, and ${most(8)} with eight deltas an entry.`,
].join('\n');
console.log(table);

const page = new URL('../docs/shared-turns.md', import.meta.url);
const written = readFileSync(page, 'utf8');
const shown = written.replace(
  /(<!-- scale -->\n)[^]*?(<!-- \/scale -->)/,
  (_, start, end) => `${start}\n${table}\n\n${end}`,
);
if (process.argv.includes('--write')) writeFileSync(page, shown);
if (process.argv.includes('--check') && (shown !== written || !/<!-- scale -->/.test(written))) {
  console.error('docs/shared-turns.md has another table: run node bench/shared-scale.mjs --write.');
  process.exitCode = 1;
}
