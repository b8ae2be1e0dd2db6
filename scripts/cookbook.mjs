// Runs the programs of the cookbook (examples/cookbook) as a reader would, with a mock provider behind OPENAI_BASE_URL:
// what they print, and what they ask the provider, is what the page says.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { startMockProvider } from '../dist/esm/mock-provider/index.js';

const folder = fileURLToPath(new URL('../examples/cookbook/', import.meta.url));
const timeout = 60_000;

const calls = (...given) => ({
  content: given.map(([name, args]) => ({ toolCall: { name, arguments: args } })),
});
const toldBy = ({ body }) =>
  body.messages.filter(({ role }) => role === 'tool').map(({ content }) => content);

/** By its file: what the provider answers, what the program is given, and what must come of it. */
const recipes = {
  'image-input.mjs': {
    answers: [{ content: ['A ', 'cat.'] }],
    files: { 'photo.png': Buffer.from('89504e47', 'hex') },
    args: ['photo.png'],
    check: ({ output, requests }) => {
      assert.equal(output, 'A cat.\n');
      assert.equal(requests[0].body.messages[0].content[1].image_url.url, 'data:image/png;base64,iVBORw==');
    },
  },
  'tool-loop.mjs': {
    answers: [
      calls(['time_in', { timeZone: 'Europe/Rome' }], ['time_in', { timeZone: 'Asia/Tokyo' }]),
      { content: 'Morning and evening.' },
    ],
    check: ({ output, requests }) => {
      assert.match(output, /^time_in \{"timeZone":"Europe\/Rome"\}\ntime_in .*\nMorning and evening\.\n$/);
      assert.equal(toldBy(requests[1]).filter((told) => /^\d+:\d+:\d+/.test(told)).length, 2);
    },
  },
  'approval.mjs': {
    answers: [calls(['remove_file', { path: 'notes.txt' }]), { content: 'Done.' }],
    files: { 'notes.txt': 'x' },
    input: 'y\n',
    check: ({ output, cwd }) => {
      assert.match(output, /remove_file \{"path":"notes.txt"\}\nGo ahead\? \[y\/N\] .*Done\./);
      assert.equal(existsSync(join(cwd, 'notes.txt')), false);
    },
  },
  'mocked-tool-call.test.mjs': {
    answers: [],
    node: ['--test'],
    check: ({ output }) => assert.match(output, /pass 1\b/),
  },
  'agent-as-a-tool.mjs': {
    answers: [
      calls(['research', { question: 'When was the Colosseum built?' }]),
      calls(['look_up', { subject: 'Colosseum' }]),
      { content: ['From ', '70 AD.'] },
      { content: 'It was begun in 70 AD.' },
    ],
    check: ({ output, requests }) => {
      assert.equal(output, 'researcher: From \nIt was begun in 70 AD.\n');
      assert.deepEqual(toldBy(requests[3]), ['From 70 AD.']);
    },
  },
  'chat.mjs': {
    answers: [{ content: ['Hi', '!'] }, { content: 'Bye.' }],
    input: 'Hello\nAnd?\n',
    check: ({ output, requests }) => {
      assert.equal(output, '> Hi!\n> Bye.\n> ');
      assert.deepEqual(
        requests[1].body.messages.map(({ content }) => content),
        ['Hello', 'Hi!', 'And?'],
      );
    },
  },
  'summarise-stdin.mjs': {
    answers: [{ content: 'They met.' }],
    input: 'They met on Monday.\n',
    check: ({ output, requests }) => {
      assert.equal(output, 'They met.\n');
      assert.match(requests[0].body.messages[0].content, /three sentences\.\n\nThey met on Monday\.\n$/);
    },
  },
};

export async function runCookbook(check) {
  await check('each program of the cookbook is run', () =>
    assert.deepEqual(
      Object.keys(recipes).sort(),
      readdirSync(folder)
        .filter((file) => file.endsWith('.mjs'))
        .sort(),
    ),
  );
  for (const [file, recipe] of Object.entries(recipes)) {
    await check(`examples/cookbook/${file}`, () => run(file, recipe));
  }
}

async function run(file, { answers, files = {}, args = [], node = [], input = '', check }) {
  const mock = await startMockProvider({ answers, pace: 0 });
  const cwd = mkdtempSync(join(tmpdir(), 'cookbook-'));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(cwd, name), content);
    const child = spawn(process.execPath, [...node, join(folder, file), ...args], {
      cwd,
      env: {
        ...process.env,
        OPENAI_BASE_URL: mock.baseUrl,
        OPENAI_API_KEY: 'sk-of-the-cookbook',
        NO_COLOR: '1',
      },
      timeout,
    });
    child.stdin.on('error', () => {}).end(input);
    const [output, errors, [status]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    assert.deepEqual([status, errors], [0, '']);
    check({ output, requests: mock.requests, cwd });
  } finally {
    rmSync(cwd, { recursive: true, force: true });
    await mock.close();
  }
}
