// Two providers as processes of their own, one of which is killed (SIGKILL) in the middle of an answer: the turn goes
// on with the other. Writes the transcript of that run into docs/more-than-one-provider.md; `--check` writes nothing,
// and fails where the page says anything else.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { filter, lastValueFrom, Subject, tap, toArray } from 'rxjs';
import {
  fallbackWith,
  fetchTransport,
  hedgeWith,
  outputItems,
  restartOnBreak,
  streamChatCompletions,
} from '../dist/esm/index.js';
import { startMockProvider } from '../dist/esm/mock-provider/index.js';
import { nodeTransport } from '../dist/esm/node/index.js';
import { checks } from './checks.mjs';
import { within } from './held-answers.mjs';

const self = fileURLToPath(import.meta.url);
const answer = ['The sky is blue ', 'because air ', 'scatters short waves.'];

// A provider, in a process of its own: it says so much of the answer, and then falls silent.
if (process.argv[2] === 'serve') {
  const says = answer.slice(0, Number(process.argv[3]));
  const content = says.length < answer.length ? [...says, { wait: Infinity }] : says;
  const mock = await startMockProvider({ pace: 0, answers: () => ({ content }) });
  process.send(mock.baseUrl);
  await once(process, 'disconnect');
  process.exit();
}

async function startProvider(name, says) {
  const child = fork(self, ['serve', says], { execArgv: [] });
  const [baseUrl] = await once(child, 'message');
  const ended = once(child, 'exit');
  return {
    name,
    provider: { name, baseUrl },
    async kill() {
      child.kill('SIGKILL');
      const [, signal] = await ended;
      assert.equal(signal, 'SIGKILL');
    },
  };
}

/** A turn with one of them, which tells what happens. */
function ask({ name, provider }, transport, tell) {
  const told = { request: 'asked', response: 'answers' };
  const diagnostics = ({ type, error = told[type] }) => error !== undefined && tell(`${name}: ${error}`);
  const retry = { maxRetries: 0 };
  return streamChatCompletions('Why is the sky blue?', {
    model: 'mock',
    provider,
    transport,
    retry,
    diagnostics,
  });
}

const lineOf = (event) => {
  if (event.type === 'output_item_done') return `  ${JSON.stringify(event.item.content[0].text)}`;
  if (event.type === 'restarting') return `  restarting, from ${event.error.name}`;
  return `  ${event.type}`;
};

/** Runs a turn to its end, kills the first provider once at a line, and gives what happened. */
async function run(transport, { firstSays = 2, killAt, surviving }) {
  const [first, second] = await Promise.all([
    startProvider('first', firstSays),
    startProvider('second', answer.length),
  ]);
  const lines = [];
  const told = new Subject();
  const tell = (line) => {
    lines.push(line);
    told.next(line);
    if (line !== killAt || lines.indexOf(line) < lines.length - 1) return;
    lines.push('first: killed (SIGKILL)');
    void first.kill();
  };
  const turn = surviving(ask(first, transport, tell), ask(second, transport, tell), told);
  try {
    const items = await lastValueFrom(
      turn.pipe(
        tap((event) => tell(lineOf(event))),
        outputItems(),
        toArray(),
      ),
    );
    return { lines, text: items.map(({ content }) => content[0].text).join('') };
  } finally {
    await Promise.all([first.kill(), second.kill()]);
  }
}

const restart = { initialDelay: 10, jitter: 0 };
const said = answer.map((text) => `  ${JSON.stringify(text)}`);
const inMidAnswer = said[1];
const whole = [...said, '  completed'];

const transcript = [
  'first: asked',
  'first: answers',
  ...said.slice(0, 2),
  'first: killed (SIGKILL)',
  'first: StreamError',
  '  restarting, from StreamError',
  'first: asked',
  'first: TransportError',
  'second: asked',
  'second: answers',
  ...whole,
];

const { check, finish } = checks();
for (const [name, transport] of [
  ['fetchTransport', fetchTransport()],
  ['nodeTransport', nodeTransport()],
]) {
  const continues = (title, options, lines) =>
    check(`${title} (${name})`, () =>
      within(
        run(transport, options).then((result) => assert.deepEqual(result, { lines, text: answer.join('') })),
      ),
    );

  await continues(
    'killed in the middle of its answer, the first is asked anew, then the second',
    {
      killAt: inMidAnswer,
      surviving: (turn, other) => turn.pipe(restartOnBreak(restart), fallbackWith(other)),
    },
    transcript,
  );
  await continues(
    "with afterContent: 'restart' the second is asked at once",
    {
      killAt: inMidAnswer,
      surviving: (turn, other) => turn.pipe(fallbackWith({ others: [other], afterContent: 'restart' })),
    },
    [
      ...transcript.slice(0, 6),
      '  restarting, from StreamError',
      'second: asked',
      'second: answers',
      ...whole,
    ],
  );
  await continues(
    'killed before it has said anything, it is replaced without a restart',
    { firstSays: 0, killAt: 'first: answers', surviving: (turn, other) => turn.pipe(fallbackWith(other)) },
    [
      'first: asked',
      'first: answers',
      'first: killed (SIGKILL)',
      'first: StreamError',
      'second: asked',
      'second: answers',
      ...whole,
    ],
  );
  await continues(
    'a hedge that was asked meanwhile takes over',
    {
      firstSays: 0,
      surviving: (turn, other, told) =>
        turn.pipe(hedgeWith(other, { after: () => told.pipe(filter((line) => line === 'first: answers')) })),
    },
    ['first: asked', 'first: answers', 'second: asked', 'second: answers', ...whole],
  );
}

const page = fileURLToPath(new URL('../docs/more-than-one-provider.md', import.meta.url));
const written = readFileSync(page, 'utf8');
const shown = written.replace(
  /(<!-- transcript -->\n)[^]*?(<!-- \/transcript -->)/,
  (_, start, end) => `${start}\n\`\`\`text\n${transcript.join('\n')}\n\`\`\`\n\n${end}`,
);
if (!process.argv.includes('--check')) writeFileSync(page, shown);
await check('docs/more-than-one-provider.md shows the transcript', () => {
  assert.match(written, /<!-- transcript -->/);
  assert.equal(readFileSync(page, 'utf8'), shown);
});
finish();
