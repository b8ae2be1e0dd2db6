import { PassThrough, Writable } from 'node:stream';
import { main } from '../../src/cli/main.js';
import { type MockAnswer, type MockProvider, startMockProvider } from '../../src/mock-provider/index.js';
import { type FakeIo, fakeIo, type FakeIoOptions } from './fake-io.js';

let mock: MockProvider;

beforeEach(async () => {
  mock = await startMockProvider({ pace: 0 });
});

afterEach(() => mock.close());

const answering = (...answers: MockAnswer[]) => mock.enqueue(...answers);

/** What each request asked, as `role: text`. */
const asked = () =>
  mock.requests.map(({ body }) =>
    (body.messages as { role: string; content: string }[]).map(({ role, content }) => `${role}: ${content}`),
  );

interface Chat {
  readonly io: FakeIo;
  readonly stdin: PassThrough;
  readonly code: Promise<number>;
}

/** Starts a conversation whose stdin stays open. */
function chat(argv: readonly string[] = [], options: FakeIoOptions = {}): Chat {
  const stdin = new PassThrough();
  const io = fakeIo({ ...options, stdin });
  return { io, stdin, code: main(['--chat', '--base-url', mock.baseUrl, '--model', 'm', ...argv], io) };
}

/** Runs a conversation whose questions are all there. */
async function script(questions: string, argv: readonly string[] = []) {
  const { io, stdin, code } = chat(argv);
  stdin.end(questions);
  return { code: await code, stdout: io.stdout.text, stderr: io.stderr.text };
}

describe('the lines of stdin, where it is no terminal', () => {
  it('are questions, each asked with those before it and their answers', async () => {
    answering({ content: 'One.' }, { content: 'Two.' }, { content: 'Three.' });
    expect(await script('a\r\n \n\nb\nc', ['--system', 'Be brief.'])).toEqual({
      code: 0,
      stdout: 'One.\nTwo.\nThree.\n',
      stderr: '1.5 s\n1.5 s\n1.5 s\n',
    });
    expect(asked()).toEqual([
      ['system: Be brief.', 'user: a'],
      ['system: Be brief.', 'user: a', 'assistant: One.', 'user: b'],
      ['system: Be brief.', 'user: a', 'assistant: One.', 'user: b', 'assistant: Two.', 'user: c'],
    ]);
  });

  it('follow the question that is an argument, and end at /exit', async () => {
    answering({ content: 'One.' }, { content: 'Two.' });
    expect((await script('b\n/exit\nc\n', ['a'])).code).toBe(0);
    expect(asked().at(-1)).toEqual(['user: a', 'assistant: One.', 'user: b']);
  });

  it('are read as they are asked for, across reads and inside characters', async () => {
    const { io, stdin, code } = chat();
    answering({ content: 'One.' }, { content: 'Two.' });
    const [first, second] = ['Grü', 'ße\nb\n'];
    const bytes = Buffer.from(first + second);
    stdin.write(bytes.subarray(0, 3));
    stdin.write(bytes.subarray(3));
    await io.stdout.until('Two.');
    stdin.end();
    expect([await code, asked()[1]]).toEqual([0, ['user: Grüße', 'assistant: One.', 'user: b']]);
  });

  it('are no longer than 8 MiB', async () => {
    const { code, stderr } = await script('x'.repeat(8 * 1_024 * 1_024 + 1));
    expect([code, stderr, mock.requests.length]).toEqual([1, 'Error: stdin is larger than 8 MiB.\n', 0]);
  });

  it('give lines of JSON with --json', async () => {
    answering({ content: 'One.' }, { content: 'Two.' });
    const { stdout } = await script('a\nb\n', ['--json', '--aggregate']);
    const types = stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { type: string }).type);
    expect(types).toEqual(['output_item_done', 'completed', 'output_item_done', 'completed']);
  });

  it('are asked of the embedded provider with --demo, without a question of its own', async () => {
    const io = fakeIo({ stdin: 'Why is the sky blue?\n' });
    expect(await main(['--chat', '--demo', '--pace', '0'], io)).toBe(0);
    expect(io.stdout.text).toMatch(/^The sky is blue because .*\n$/);
    expect(io.stderr.text).toMatch(
      /^This answer comes from the embedded mock provider\..*\n5 tokens in, .*\n$/,
    );
  });
});

describe('Ctrl-C', () => {
  it('stops the answer, and what has come of it is part of the conversation', async () => {
    answering({ content: ['Hel', { wait: Infinity }] }, { content: 'Two.' });
    const { io, stdin, code } = chat();
    stdin.write('a\n');
    await io.stdout.until('Hel');
    io.interrupts.next();
    await mock.whenAborted();
    await io.stderr.until('kept');
    stdin.end('b\n');
    expect(await code).toBe(0);
    expect(io.stdout.text).toBe('Hel\nTwo.\n');
    expect(io.stderr.text).toBe('Stopped. The partial answer is kept.\n1.5 s\n');
    expect(asked()[1]).toEqual(['user: a', 'assistant: Hel', 'user: b']);
  });

  it('before the first word takes the question back', async () => {
    answering({ status: 503, headers: { 'retry-after': '50' } }, { content: 'Two.' });
    const { io, stdin, code } = chat();
    stdin.write('a\n');
    await io.stderr.until('retrying in 50 s');
    io.interrupts.next();
    await io.stderr.until('Stopped.');
    stdin.end('b\n');
    expect(await code).toBe(0);
    expect(io.stderr.text).toContain('Stopped. The question was removed from the conversation.\n');
    expect(asked()[1]).toEqual(['user: b']);
  });

  it('leaves where a line is waited for', async () => {
    answering({ content: 'One.' });
    const { io, stdin, code } = chat();
    stdin.write('a\n');
    await io.stderr.until('1.5 s');
    io.interrupts.next();
    expect([await code, stdin.destroyed, io.interrupts.observed]).toEqual([130, true, false]);
  });

  it('leaves a script the second time, unless an answer has ended by itself since', async () => {
    const held: MockAnswer = { content: ['Hel', { wait: Infinity }] };
    answering(held, { content: 'Two.' }, held, held);
    const { io, stdin, code } = chat();
    stdin.write('a\nb\nc\nd\ne\n');
    for (const times of [1, 2, 3]) {
      await io.stdout.until('Hel', times);
      io.interrupts.next();
    }
    expect([await code, mock.requests.length, io.stdout.text]).toEqual([130, 4, 'Hel\nTwo.\nHel\nHel\n']);
    await mock.whenAborted();
  });
});

describe('a question that fails', () => {
  const taken = 'The question was removed from the conversation.\n';

  it.each<[string, MockAnswer, string, RegExp]>([
    [
      'with a status',
      { status: 404, error: { message: 'No such model.' } },
      '',
      /^Error: The provider returned status 404.* It said: No such model\.\n/,
    ],
    ['in mid-word', { content: ['Hel', { cut: 'reset' }] }, 'Hel\n', /^Error: The event stream broke/],
    [
      'without a finish reason',
      { content: ['Hel'], finishReason: null, done: false },
      'Hel\n',
      /Error: The stream ended without a finish reason or \[DONE\]/,
    ],
    [
      'with a page',
      { body: '<p>Log in', headers: { 'content-type': 'text/html' } },
      '',
      /instead of an event stream/,
    ],
  ])('%s is told and taken back, and the conversation goes on', async (_, answer, text, sentence) => {
    answering({ content: 'One.' }, answer, { content: 'Three.' });
    const { code, stdout, stderr } = await script('a\nb\nc\n', ['--max-retries', '0']);
    expect([code, stdout]).toEqual([1, `One.\n${text}Three.\n`]);
    expect(stderr.replace('1.5 s\n', '')).toMatch(sentence);
    expect(stderr.split(taken)).toHaveLength(2);
    expect(asked().at(-1)).toEqual(['user: a', 'assistant: One.', 'user: c']);
  });

  it('with an empty answer is taken back, too', async () => {
    answering({ content: [] }, { content: 'Two.' });
    expect(await script('a\nb\n')).toMatchObject({
      code: 0,
      stderr: `1.5 s\nThe answer is empty. ${taken}1.5 s\n`,
    });
    expect(asked()[1]).toEqual(['user: b']);
  });

  it('for want of a key, or of a base URL, ends the conversation', async () => {
    for (const argv of [
      ['--provider', 'xai'],
      ['--base-url', 'nowhere'],
    ]) {
      const io = fakeIo({ stdin: 'a\nb\n' });
      expect(await main(['--chat', '--model', 'm', ...argv], io)).toBe(1);
      expect(io.stderr.text).toMatch(/^Error: (?:xai needs an API key|--base-url is invalid).*\n$/);
    }
  });
});

it('answers a tool call with an output, since providers refuse a call without one', async () => {
  answering(
    {
      content: ['Let me see.', { toolCall: { name: 'weather', arguments: { city: 'Paris' }, id: 'call_1' } }],
    },
    { content: 'Sunny.' },
  );
  const { code, stderr } = await script('a\nb\n');
  expect(code).toBe(0);
  expect(stderr).toContain('Tool call: weather {"city":"Paris"}\n');
  expect((mock.requests[1]?.body.messages as { role: string }[]).slice(1)).toEqual([
    {
      role: 'assistant',
      content: 'Let me see.',
      tool_calls: [
        { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Paris"}' } },
      ],
    },
    {
      role: 'tool',
      tool_call_id: 'call_1',
      content: 'Not run: no tools are available in this conversation.',
    },
    { role: 'user', content: 'b' },
  ]);
});

it('ends quietly when the reader of its output leaves', async () => {
  answering({ content: ['a', { wait: Infinity }] });
  const closed = new Writable({
    write: (_, __, written) => written(Object.assign(new Error('EPIPE'), { code: 'EPIPE' })),
  });
  const stdin = new PassThrough();
  stdin.write('a\nb\n');
  const io = { ...fakeIo({ stdin }), stdout: closed };
  expect(await main(['--chat', '--base-url', mock.baseUrl, '--model', 'm'], io)).toBe(0);
  await mock.whenAborted();
  expect([io.stderr.text, mock.requests.length]).toEqual(['', 1]);
});

describe('at a terminal', () => {
  const up = '\u001b[A';

  /** A terminal, and what its mode is. */
  function typed(argv: readonly string[] = [], env: FakeIoOptions['env'] = {}) {
    const modes: boolean[] = [];
    const { io, stdin, code } = chat(argv, { terminals: ['stdin', 'stdout', 'stderr'], env });
    Object.assign(stdin, { setRawMode: (isRaw: boolean) => modes.push(isRaw) });
    return {
      io,
      stdin,
      code,
      isRaw: () => modes.at(-1) === true,
      prompted: (times: number) => io.stderr.until('> ', times),
    };
  }

  it('a prompt on stderr asks for each question, and Ctrl-D leaves', async () => {
    answering({ content: 'One.' }, { content: 'Two.' });
    const { io, stdin, code, prompted } = typed();
    await prompted(1);
    stdin.write('a\r');
    await prompted(2);
    stdin.write('b\r');
    await prompted(3);
    stdin.write('\u0004');
    expect([await code, io.stdout.text]).toEqual([0, 'One.\nTwo.\n']);
    expect(io.stderr.text).toMatch(/^Ctrl-C stops an answer\. At the prompt, Ctrl-C or Ctrl-D exits\.\n/);
    expect(io.stderr.text.match(/Ctrl-C/g)).toHaveLength(2);
    expect(asked()[1]).toEqual(['user: a', 'assistant: One.', 'user: b']);
  });

  it('the terminal is raw while a line is edited, and not while an answer streams', async () => {
    answering({ content: ['Hel', { wait: Infinity }] });
    const { io, stdin, code, isRaw, prompted } = typed();
    await prompted(1);
    expect(isRaw()).toBe(true);
    stdin.write('a\r');
    await io.stdout.until('Hel');
    expect(isRaw()).toBe(false);
    io.interrupts.next();
    await prompted(2);
    expect(isRaw()).toBe(true);
    io.interrupts.next();
    expect([await code, isRaw()]).toEqual([130, false]);
  });

  it('each answer can be stopped, however many were', async () => {
    const held: MockAnswer = { content: ['Hel', { wait: Infinity }] };
    answering(held, held);
    const { io, stdin, code, prompted } = typed();
    for (const times of [1, 2]) {
      await prompted(times);
      stdin.write('a\r');
      await io.stdout.until('Hel', times);
      io.interrupts.next();
    }
    await prompted(3);
    stdin.write('\u0003');
    expect([await code, io.stderr.text.split('The partial answer is kept.').length]).toEqual([0, 3]);
  });

  it('Ctrl-C clears a line that was begun, and leaves where there is none', async () => {
    const { stdin, code, prompted } = typed();
    await prompted(1);
    stdin.write('abc\u0003');
    await prompted(2);
    stdin.write('\u0003');
    expect([await code, mock.requests.length]).toEqual([0, 0]);
  });

  it('arrow up brings back a question that failed', async () => {
    answering({ status: 404 }, { content: 'One.' });
    const { io, stdin, code, prompted } = typed();
    await prompted(1);
    stdin.write('a\r');
    await prompted(2);
    stdin.write(`${up}\r`);
    await io.stdout.until('One.');
    await io.stderr.until('1.5 s');
    stdin.end();
    expect(await code).toBe(0);
    expect(io.stderr.text).toContain(
      'The question was removed from the conversation: press the up arrow to get it back.\n',
    );
    expect(asked()).toEqual([['user: a'], ['user: a']]);
  });

  it('arrow up brings back the question that was an argument', async () => {
    answering({ status: 404 }, { content: 'One.' });
    const { io, stdin, code, prompted } = typed(['a']);
    await prompted(1);
    stdin.write(`${up}\r`);
    await io.stdout.until('One.');
    await io.stderr.until('1.5 s');
    stdin.end();
    expect([await code, asked()]).toEqual([0, [['user: a'], ['user: a']]]);
  });

  it('lines that are pasted are questions, and a line that was begun goes on', async () => {
    const { io, stdin, code, prompted } = typed();
    answering({ content: 'One.' }, { content: 'Two.' }, { content: 'Three.' });
    await prompted(1);
    stdin.write('a\rb\rc');
    await io.stdout.until('Two.');
    await io.stderr.until('1.5 s', 2);
    stdin.write('d\r');
    await io.stdout.until('Three.');
    stdin.end();
    expect(await code).toBe(0);
    expect(asked()[2]?.at(-1)).toBe('user: cd');
  });

  it('lines are read plainly where it is a dumb one', async () => {
    answering({ content: 'One.' });
    const { io, stdin, code } = typed([], { TERM: 'dumb' });
    stdin.end('a\n');
    expect([await code, io.stdout.text, io.stderr.text]).toEqual([0, 'One.\n', '1.5 s\n']);
  });
});
