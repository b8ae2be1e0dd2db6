import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { type MockAnswer, type MockProvider, startMockProvider } from '../../src/mock-provider/index.js';

let directory: string;
let cli: string;
let mock: MockProvider;
const children = new Set<ChildProcessWithoutNullStreams>();

// A process takes half a second to start, on a busy machine more.
jest.setTimeout(30_000);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cli-'));
  cli = join(directory, 'cli.cjs');
  await build({
    entryPoints: [join(__dirname, '../../src/cli/index.ts')],
    outfile: cli,
    bundle: true,
    platform: 'node',
    format: 'cjs',
  });
});

afterAll(() => rm(directory, { recursive: true }));

beforeEach(async () => {
  mock = await startMockProvider({ pace: 0 });
});

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
  await mock.close();
});

interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the command; stdin is empty unless it is left open. */
function start(argv: readonly string[], stdin: 'empty' | 'open' = 'empty') {
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [cli, ...argv], { env: { PATH } });
  children.add(child);
  if (stdin === 'empty') child.stdin.end();
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const outcome = new Promise<Outcome>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  /** Settles when the command has said this on stderr. */
  async function says(words: RegExp): Promise<void> {
    while (!words.test(stderr)) await new Promise((resolve) => child.stderr.once('data', resolve));
  }
  return { child, says, outcome };
}

const toMock = () => ['--base-url', mock.baseUrl, '--model', 'm'];

describe('the command', () => {
  it('answers by itself where no provider is configured', async () => {
    const { child, outcome } = start(['--demo', '--pace', '0']);
    const { code, stdout, stderr } = await outcome;
    expect([code, child.exitCode]).toEqual([0, 0]);
    expect(stdout).toMatch(/^The sky is blue because .* red is left\.\n$/);
    expect(stderr).toMatch(
      /^This answer comes from the embedded mock provider\..*\n5 tokens in, 64 out, \d+(?:\.\d)? m?s\n$/,
    );
  });

  it('takes the prompt from a pipe', async () => {
    mock.enqueue({ content: 'Hello.' });
    const { child, outcome } = start(toMock(), 'open');
    child.stdin.end('Grüße\n');
    expect(await outcome).toMatchObject({ code: 0, stdout: 'Hello.\n' });
    expect(mock.requests[0]?.body.messages).toEqual([{ role: 'user', content: 'Grüße' }]);
  });

  it('aborts the request at SIGINT and exits with 130', async () => {
    mock.enqueue({ content: ['Hel', { wait: Infinity }] });
    const { child, outcome } = start([...toMock(), 'Hi']);
    child.stdout.once('data', () => child.kill('SIGINT'));
    expect(await outcome).toEqual({ code: 130, signal: null, stdout: 'Hel\n', stderr: '' });
    await mock.whenAborted();
  });

  it('ends quietly when the reader of its output leaves', async () => {
    function* endless() {
      for (;;) yield 'word ';
    }
    mock.enqueue({ content: endless() });
    const { child, outcome } = start([...toMock(), 'Hi']);
    child.stdout.once('data', () => child.stdout.destroy());
    expect(await outcome).toMatchObject({ code: 0, signal: null, stderr: '' });
    await mock.whenAborted();
  });

  it('does not wait for a connection that the provider keeps open', async () => {
    mock.enqueue({ content: 'Hello.', endDelay: Infinity });
    expect(await start([...toMock(), 'Hi']).outcome).toMatchObject({ code: 0, stdout: 'Hello.\n' });
  });

  it('exits with 1 after an error and with 2 where the command line is wrong', async () => {
    mock.enqueue({ status: 404, error: { message: 'No such model.', code: 'model_not_found' } });
    expect(await start([...toMock(), 'Hi']).outcome).toEqual({
      code: 1,
      signal: null,
      stdout: '',
      stderr:
        'Error: The provider returned status 404 (model_not_found). ' +
        'Check the base URL and the model. It said: No such model.\n',
    });
    expect(await start(['--json', '--max-retries', 'x', 'Hi']).outcome).toMatchObject({
      code: 2,
      stdout: '',
    });
  });
});

describe('--chat', () => {
  const messages = (request: number) => mock.requests[request]?.body.messages;
  const user = (content: string) => ({ role: 'user', content });

  it('stops an answer at SIGINT and keeps what has come, and leaves at the next one', async () => {
    mock.enqueue({ content: ['Hel', { wait: Infinity }] }, { content: 'Two.' });
    const { child, says, outcome } = start(['--chat', ...toMock()], 'open');
    child.stdin.write('a\n');
    child.stdout.once('data', () => child.kill('SIGINT'));
    await mock.whenAborted();
    child.stdin.write('b\n');
    await mock.whenRequested(2);
    expect(messages(1)).toEqual([user('a'), { role: 'assistant', content: 'Hel' }, user('b')]);
    // The second answer has ended when its time is told.
    await says(/kept\.\n.*s\n$/);
    child.kill('SIGINT');
    expect(await outcome).toEqual({
      code: 130,
      signal: null,
      stdout: 'Hel\nTwo.\n',
      stderr: expect.stringMatching(/^Stopped\. The partial answer is kept\.\n.*s\n$/) as string,
    });
  });

  /** Runs the command between two looks at the settings of a terminal of its own. */
  function atTerminal(argv: readonly string[]) {
    const { PATH = '' } = process.env;
    const command = `trap : INT; stty -g; "${process.execPath}" "${cli}" ${argv.join(' ')}; echo "status $?"; stty -g`;
    const args =
      process.platform === 'darwin'
        ? ['-q', '/dev/null', 'sh', '-c', command]
        : ['-q', '-e', '-c', command, '/dev/null'];
    const child = spawn('script', args, { env: { PATH, SHELL: '/bin/sh', TERM: 'xterm' } });
    children.add(child);
    let screen = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (screen += text));
    const ended = new Promise<string>((resolve) => child.on('close', () => resolve(screen)));
    return {
      type: (keys: string) => child.stdin.write(keys),
      async shows(text: string, times = 1): Promise<void> {
        while (screen.split(text).length <= times)
          await new Promise((resolve) => child.stdout.once('data', resolve));
      },
      async settings(): Promise<{ before: string; after: string; status: string; text: string }> {
        const text = await ended;
        const lines = text.trim().split(/\r?\n/);
        const status = /status (\d+)/.exec(text)?.[1] ?? '';
        return { before: lines[0] ?? '', after: lines.at(-1) ?? '', status, text };
      },
    };
  }

  it('takes Ctrl-C from a terminal, and leaves the terminal as it was', async () => {
    mock.enqueue({ content: ['Hel', { wait: Infinity }] }, { content: 'Two.' });
    const terminal = atTerminal(['--chat', ...toMock()]);
    await terminal.shows('> ');
    terminal.type('a\r');
    await terminal.shows('Hel');
    terminal.type('\u0003');
    await terminal.shows('> ', 2);
    terminal.type('b\r');
    await terminal.shows('> ', 3);
    terminal.type('\u0003');
    const { before, after, status } = await terminal.settings();
    expect([status, after]).toEqual(['0', before]);
    expect(before).not.toBe('');
    expect(messages(1)).toEqual([user('a'), { role: 'assistant', content: 'Hel' }, user('b')]);
  });

  it.each<[string, MockAnswer, number]>([
    ['reasoning that breaks off', { content: [{ reasoning: 'Hm' }, { cut: 'reset' }] }, 1],
    ['reasoning that never ends', { content: [{ reasoning: 'Hm' }, { wait: Infinity }] }, 130],
  ])('leaves a terminal as it was after %s', async (_, answer, code) => {
    mock.enqueue(answer);
    const terminal = atTerminal(['--show-reasoning', ...toMock(), 'Hi']);
    await terminal.shows('Hm');
    if (code === 130) terminal.type('\u0003');
    const { before, after, status, text } = await terminal.settings();
    expect([status, after]).toEqual([String(code), before]);
    // A terminal shows Ctrl-C by itself.
    expect(text.replace('^C', '')).toContain('\u001b[2mHm\u001b[22m\r\n');
  });
});
