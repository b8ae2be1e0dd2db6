import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { type MockProvider, startMockProvider } from '../../src/mock-provider/index.js';

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

function start(argv: readonly string[]) {
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [cli, ...argv], { env: { PATH } });
  children.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const outcome = new Promise<Outcome>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, outcome };
}

const toMock = () => ['--base-url', mock.baseUrl, '--model', 'm'];

describe('the command', () => {
  it('answers by itself where no provider is configured', async () => {
    const { child, outcome } = start(['--demo', '--pace', '0']);
    const { code, stdout, stderr } = await outcome;
    expect([code, child.exitCode]).toEqual([0, 0]);
    expect(stdout).toMatch(/^The sky is blue because .* red is left\.\n$/);
    expect(stderr).toMatch(
      /^The embedded mock provider answers\..*\n5 tokens in, 64 out, \d+(?:\.\d)? m?s\n$/,
    );
  });

  it('takes the prompt from a pipe', async () => {
    mock.enqueue({ content: 'Hello.' });
    const { child, outcome } = start(toMock());
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
        'Error: The provider answered with status 404 (model_not_found). ' +
        'Check the base URL and the model. It said: No such model.\n',
    });
    expect(await start(['--json', '--max-retries', 'x', 'Hi']).outcome).toMatchObject({
      code: 2,
      stdout: '',
    });
  });
});
