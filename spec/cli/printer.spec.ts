import { outlet } from '../../src/cli/outlet.js';
import { jsonPrinter, textPrinter } from '../../src/cli/printer.js';
import type { ResponseEvent, ResponseItem } from '../../src/turn/events.js';
import { Capture, type FakeIoOptions } from './fake-io.js';

const text = (text: string): ResponseItem => ({
  type: 'message',
  role: 'assistant',
  content: [{ type: 'output_text', text }],
});
const reasoning = (text: string): ResponseItem => ({
  type: 'reasoning',
  content: [{ type: 'reasoning_text', text }],
});
const call = (args: string): ResponseItem => ({
  type: 'function_call',
  call_id: 'c',
  name: 'find',
  arguments: args,
});

interface Options extends Pick<FakeIoOptions, 'env' | 'terminals'> {
  readonly showReasoning?: boolean;
}

/** What stands on each stream, and on a screen that shows both in the order of the writes. */
async function printed(
  items: readonly ResponseItem[],
  { env = {}, terminals = ['stdout', 'stderr'], showReasoning = true }: Options = {},
) {
  let screen = '';
  const captured = (name: 'stdout' | 'stderr') => {
    const stream = new Capture(terminals.includes(name));
    let seen = 0;
    stream.on('text', () => {
      screen += stream.text.slice(seen);
      seen = stream.text.length;
    });
    return stream;
  };
  const [stdout, stderr] = [captured('stdout'), captured('stderr')];
  const { signal } = new AbortController();
  const print = textPrinter(
    { stdout: outlet(stdout, signal), stderr: outlet(stderr, signal), io: { stdout, stderr, env } },
    showReasoning,
  );
  for (const item of items) await print.event({ type: 'output_item_done', item });
  await print.end();
  return { stdout: stdout.text, stderr: stderr.text, screen };
}

const dim = (text: string) => `\u001b[2m${text}\u001b[22m`;

describe('reasoning', () => {
  const items = [reasoning('Let me'), reasoning(' think.'), text('Hel'), text('lo')];

  it('stands dimmed on stderr, a blank line before the answer', async () => {
    expect(await printed(items)).toEqual({
      stdout: 'Hello\n',
      stderr: `${dim('Let me')}${dim(' think.')}\n\n`,
      screen: `${dim('Let me')}${dim(' think.')}\n\nHello\n`,
    });
  });

  it('leaves stdout to the answer where that is no terminal', async () => {
    const { stdout } = await printed([text('Hel'), reasoning('hm'), text('lo')], { terminals: ['stderr'] });
    expect(stdout).toBe('Hello\n');
  });

  it('begins and ends lines where both stand on one terminal', async () => {
    const { screen } = await printed([text('Hel'), reasoning('hm\n'), text('lo'), reasoning('so')], {
      env: { NO_COLOR: '1' },
    });
    expect(screen).toBe('Hel\nhm\n\nlo\nso\n');
  });

  it.each<[string, Options]>([
    ['NO_COLOR', { env: { NO_COLOR: '1' } }],
    ['a dumb terminal', { env: { TERM: 'dumb' } }],
    ['a file', { terminals: ['stdout'] }],
  ])('has no style with %s', async (_, options) => {
    expect((await printed(items, options)).stderr).toBe('Let me think.\n\n');
  });

  it('is dimmed where NO_COLOR is empty', async () => {
    expect((await printed(items, { env: { NO_COLOR: '' } })).stderr).toContain(dim('Let me'));
  });

  it('is left out unless it is asked for', async () => {
    expect(await printed(items, { showReasoning: false })).toMatchObject({ stdout: 'Hello\n', stderr: '' });
  });

  it('commands a terminal nothing, wherever it is cut', async () => {
    const hostile = ['a\u001b[3', '1mb\u001b]0;title', '\u0007c\u202e\r'].map(reasoning);
    expect((await printed(hostile, { env: { NO_COLOR: '1' } })).stderr).toBe('abc\n');
  });
});

describe('a tool call', () => {
  it('is a line on stderr, after the answer so far', async () => {
    const { stdout, stderr, screen } = await printed([reasoning('hm'), text('So:'), call('{"a":1}')], {
      env: { NO_COLOR: '1' },
    });
    expect([stdout, stderr]).toEqual(['So:\n', 'hm\n\nTool call: find {"a":1}\n']);
    expect(screen).toBe('hm\n\nSo:\nTool call: find {"a":1}\n');
  });

  it('of a custom tool shows its input', async () => {
    const item: ResponseItem = { type: 'custom_tool_call', call_id: 'c', name: 'run', input: 'ls\n-l' };
    expect((await printed([item])).stderr).toBe('Tool call: run ls -l\n');
  });

  it('fits the width of the terminal, and commands it nothing', async () => {
    const { stderr } = await printed([call(`\u001b[2J\u202e\n${'x'.repeat(1_000_000)}`)]);
    expect(stderr).toBe(`Tool call: find ${'x'.repeat(23)}…\n`);
    expect(stderr.trimEnd()).toHaveLength(40);
  });

  it('is shown in longer lines where there is no terminal', async () => {
    const stdout = new Capture(false);
    const stderr = new Capture(false);
    stderr.columns = undefined;
    const { signal } = new AbortController();
    const io = { stdout, stderr, env: {} };
    const print = textPrinter({ stdout: outlet(stdout, signal), stderr: outlet(stderr, signal), io }, false);
    await print.event({ type: 'output_item_done', item: call('x'.repeat(300)) });
    expect(stderr.text.trimEnd()).toHaveLength(200);
  });
});

it('a refusal is the answer', async () => {
  const refusal: ResponseItem = {
    type: 'message',
    role: 'assistant',
    content: [{ type: 'refusal', refusal: 'No.' }],
  };
  expect((await printed([refusal])).stdout).toBe('No.\n');
});

it('with --json each event is a line, and nothing else is', async () => {
  const stdout = new Capture(true);
  const stderr = new Capture(true);
  const { signal } = new AbortController();
  const print = jsonPrinter({
    stdout: outlet(stdout, signal),
    stderr: outlet(stderr, signal),
    io: { stdout, stderr, env: {} },
  });
  const events: ResponseEvent[] = [reasoning('hm'), call('{}')].map((item) => ({
    type: 'output_item_done',
    item,
  }));
  for (const event of events) await print.event(event);
  await print.end();
  expect(stdout.text).toBe(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  expect(stderr.text).toBe('');
});
