import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { of, VirtualTimeScheduler } from 'rxjs';
import { version } from '../../package.json';
import { main } from '../../src/cli/main.js';
import { type MockAnswer, type MockProvider, startMockProvider } from '../../src/mock-provider/index.js';
import { whenStill } from '../support/when-still.js';
import { type FakeIo, fakeIo, type FakeIoOptions } from './fake-io.js';

let mock: MockProvider;

beforeEach(async () => {
  mock = await startMockProvider({ pace: 0 });
});

afterEach(() => mock.close());

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(argv: readonly string[], options: FakeIoOptions = {}): Promise<Outcome> {
  const io = fakeIo(options);
  const code = await main(argv, io);
  return { code, stdout: io.stdout.text, stderr: io.stderr.text };
}

/** Runs the command against the mock provider. */
function ask(argv: readonly string[], options: FakeIoOptions = {}): Promise<Outcome> {
  return run(['--base-url', mock.baseUrl, '--model', 'm', ...argv], options);
}

function answering(...answers: MockAnswer[]): void {
  mock.enqueue(...answers);
}

const messages = () => mock.requests.map(({ body }) => body.messages);

describe('the answer', () => {
  it('is streamed to stdout, and the time goes to stderr', async () => {
    answering({ content: 'Hello there.' });
    expect(await ask(['Hi'])).toEqual({ code: 0, stdout: 'Hello there.\n', stderr: '1.5 s\n' });
    expect(mock.requests[0]?.body).toEqual({
      model: 'm',
      messages: [{ role: 'user', content: 'Hi' }],
      stream: true,
    });
  });

  it('is shown before it is complete', async () => {
    answering({ content: ['Hello', { wait: Infinity }] });
    const io = fakeIo();
    const code = main(['--base-url', mock.baseUrl, '--model', 'm', 'Hi'], io);
    await io.stdout.until('Hello');
    io.interrupts.next();
    expect(await code).toBe(130);
  });

  it('has one line feed at its end, whether the model sent one or not', async () => {
    answering({ content: 'one\n' }, { content: [] });
    expect((await ask(['Hi'])).stdout).toBe('one\n');
    expect((await ask(['Hi'])).stdout).toBe('');
  });

  it('comes at once with --aggregate, and not where it breaks', async () => {
    answering({ content: ['Hel', 'lo'] }, { content: ['Hel', { cut: 'close' }] });
    expect(await ask(['--aggregate', 'Hi'])).toMatchObject({ code: 0, stdout: 'Hello\n' });
    expect(await ask(['--aggregate', 'Hi'])).toMatchObject({ code: 1, stdout: '' });
  });

  it('is a line of JSON for each event with --json', async () => {
    answering(
      { status: 503, headers: { 'retry-after-ms': '0' } },
      { content: ['Hel', 'lo \u009b'], finishReason: 'length' },
    );
    const { code, stdout, stderr } = await ask(['--json', '--usage', 'Hi']);
    expect(code).toBe(0);
    expect(stdout).toContain('lo \\u009b');
    const item = (text: string) => ({
      type: 'output_item_done',
      item: { type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] },
    });
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      {
        type: 'retrying',
        attempt: 1,
        delay: 0,
        error: {
          name: 'UnexpectedStatusError',
          message: 'The provider returned status 503.',
          status: 503,
          requestId: 'req-mock-1',
          retryAfter: 0,
          retryable: true,
        },
      },
      item('Hel'),
      item('lo \u009b'),
      {
        type: 'completed',
        responseId: 'chatcmpl-mock-2',
        model: 'm',
        finishReason: 'length',
        usage: {
          inputTokens: 1,
          cachedInputTokens: 0,
          outputTokens: 2,
          reasoningOutputTokens: 0,
          totalTokens: 3,
        },
        endedBy: 'done',
      },
    ]);
    expect(stderr).toBe('503, retrying in 0 ms\n1 tokens in, 2 out, 1.5 s, finish reason length\n');
  });

  it('is one message and the end with --json --aggregate', async () => {
    answering({ content: ['Hel', 'lo'] });
    const { stdout } = await ask(['--json', '--aggregate', 'Hi']);
    expect(stdout.split('\n').map((line) => line.slice(0, 30))).toEqual([
      '{"type":"output_item_done","it',
      '{"type":"completed","responseI',
      '',
    ]);
    expect(stdout).toContain('"text":"Hello"');
  });

  it('commands a terminal nothing, and is left as it is elsewhere', async () => {
    const content = ['a\u001b[3', '1mb\u001b]0;title', '\u0007c\u202e\u2066\r\n'];
    answering({ content }, { content });
    expect((await ask(['Hi'], { terminals: ['stdout'] })).stdout).toBe('abc\n');
    expect((await ask(['Hi'])).stdout).toBe(content.join(''));
  });
});

describe('the request', () => {
  it('holds the arguments as one prompt, the system text and the parameters', async () => {
    const params = ['temperature=0', 'stop=["a","b"]', 'user=me', 'metadata={"a":"="}'];
    await ask(['--system', 'Be brief.', ...params.flatMap((param) => ['--param', param]), 'Why', 'so?']);
    expect(mock.requests[0]?.body).toEqual({
      model: 'm',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Why so?' },
      ],
      stream: true,
      temperature: 0,
      stop: ['a', 'b'],
      user: 'me',
      metadata: { a: '=' },
    });
  });

  it('takes the prompt from stdin where no argument gives one', async () => {
    await ask([], { stdin: ' two\nlines\n' });
    expect(messages()).toEqual([[{ role: 'user', content: ' two\nlines' }]]);
  });

  it('holds stdin after the prompt that is an argument', async () => {
    await ask(['Summarise', 'this'], { stdin: 'two\nlines\n' });
    await ask(['Hi'], { terminals: ['stdin'], stdin: 'not read' });
    expect(messages()).toEqual([
      [{ role: 'user', content: 'Summarise this\n\ntwo\nlines' }],
      [{ role: 'user', content: 'Hi' }],
    ]);
  });

  it('does without a stdin that is silent for 3 s, and says so', async () => {
    const scheduler = new VirtualTimeScheduler();
    const io = fakeIo({ stdin: new Readable({ read: () => {} }), scheduler });
    const code = main(['--base-url', mock.baseUrl, '--model', 'm', 'Hi'], io);
    scheduler.flush();
    expect([await code, messages()]).toEqual([0, [[{ role: 'user', content: 'Hi' }]]]);
    expect(io.stderr.text).toBe(
      'No input on stdin for 3 s: sending the prompt alone. Add - to wait for stdin, or < /dev/null to skip it.\n1.5 s\n',
    );
  });

  it('asks the default question with --demo, unless there is another, and leaves stdin alone', async () => {
    await ask(['--demo'], { stdin: 'not read' });
    await ask(['--demo', 'Another?']);
    expect(messages()).toEqual([
      [{ role: 'user', content: 'Why is the sky blue?' }],
      [{ role: 'user', content: 'Another?' }],
    ]);
  });

  it('goes where the environment says, with its key and its model', async () => {
    const env = { OPENAI_BASE_URL: mock.baseUrl, OPENAI_API_KEY: 'k', OPENAI_MODEL: 'from-env' };
    await run(['Hi'], { env });
    await run(['--model', 'named', 'Hi'], { env });
    await run(['--provider', 'openai', '--base-url', mock.baseUrl, 'Hi'], {
      env: { OPENAI_API_KEY: 'k' },
    });
    await run(['--provider', 'groq', '--base-url', mock.baseUrl, '--model', 'g', 'Hi'], {
      env: { ...env, GROQ_API_KEY: 'groq-key' },
    });
    expect(mock.requests.map(({ body, headers }) => [body.model, headers.authorization])).toEqual([
      ['from-env', 'Bearer k'],
      ['named', 'Bearer k'],
      ['gpt-4o-mini', 'Bearer k'],
      ['g', 'Bearer groq-key'],
    ]);
  });
});

describe('the embedded provider', () => {
  it('answers where none is configured, and stderr says so', async () => {
    expect(await run(['--demo', '--pace', '0'])).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^The sky is blue because .*\n$/) as string,
      stderr:
        'This answer comes from the embedded mock provider. ' +
        'To use a real model, set OPENAI_API_KEY, --provider or --base-url.\n5 tokens in, 64 out, 1.5 s\n',
    });
  });

  it('answers a --demo whatever the environment holds, so that a demonstration costs nothing', async () => {
    const env = { OPENAI_API_KEY: 'k', OPENAI_BASE_URL: mock.baseUrl };
    expect((await run(['--demo', '--pace', '0'], { env })).stderr).toContain('embedded');
    expect(mock.requests).toEqual([]);
  });

  it('answers where the variables are blank', async () => {
    const env = { OPENAI_API_KEY: ' ', OPENAI_BASE_URL: '' };
    expect((await run(['--demo', '--pace', '0'], { env })).stderr).toContain('embedded');
  });
});

describe('--replay', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'replay-'));
  });

  afterEach(() => rm(directory, { recursive: true }));

  async function recording(text: string): Promise<string> {
    const file = join(directory, 'recorded.sse');
    await writeFile(file, text);
    return file;
  }

  const chunk = (content: string, finish = 'null') =>
    `data: {"choices":[{"delta":{"content":"${content}"},"finish_reason":${finish}}]}`;

  it.each([
    ['LF', '\n'],
    ['CRLF', '\r\n'],
    ['CR', '\r'],
  ])('plays a recorded stream with %s line ends, whatever the prompt and the environment', async (_, end) => {
    const file = await recording(
      [': hello', '', chunk('Grüße'), '', '', chunk(' 🌍', '"stop"'), '', 'data: [DONE]', '', ''].join(end),
    );
    const env = { OPENAI_API_KEY: 'k', OPENAI_BASE_URL: mock.baseUrl };
    expect(await run(['--demo', '--replay', file, '--pace', '0'], { env, terminals: ['stdin'] })).toEqual({
      code: 0,
      stdout: 'Grüße 🌍\n',
      stderr: '1.5 s\n',
    });
    expect(mock.requests).toEqual([]);
  });

  it('says how many events were no JSON', async () => {
    const file = await recording(`${chunk('a', '"stop"')}\n\ndata: oops\n\ndata: {oops\n\ndata: [DONE]\n\n`);
    const { code, stdout, stderr } = await run(['--replay', file, '--pace', '0']);
    expect([code, stdout]).toEqual([0, 'a\n']);
    expect(stderr).toBe('2 events were not JSON and were skipped.\n1.5 s\n');
  });

  it('says that a recording is cut off', async () => {
    const { code, stdout, stderr } = await run([
      '--replay',
      await recording(`${chunk('a')}\n\n${chunk('b').slice(0, -1)}`),
    ]);
    expect([code, stdout]).toEqual([1, 'a\n']);
    expect(stderr).toBe(
      '1.5 s\nError: The stream ended without a finish reason or [DONE]: the output is incomplete.\n',
    );
  });

  it('says which file cannot be read', async () => {
    const file = join(directory, 'none.sse');
    expect(await run(['--replay', file])).toEqual({
      code: 1,
      stdout: '',
      stderr: `Error: Could not read the file ${file} (ENOENT).\n`,
    });
  });
});

describe('on stderr', () => {
  it('stand reasoning, where it is asked for, and tool calls', async () => {
    const content = [{ reasoning: 'Hm.' }, 'So:', { toolCall: { name: 'find', arguments: { a: 1 } } }];
    answering({ content }, { content });
    expect(await ask(['--show-reasoning', 'Hi'])).toEqual({
      code: 0,
      stdout: 'So:\n',
      stderr: 'Hm.\n\nTool call: find {"a":1}\n1.5 s, finish reason tool_calls\n',
    });
    expect((await ask(['--aggregate', 'Hi'])).stderr).toBe(
      'Tool call: find {"a":1}\n1.5 s, finish reason tool_calls\n',
    );
  });

  it('stands each retry, as it happens', async () => {
    answering(
      { status: 429, headers: { 'retry-after-ms': '3' } },
      { noAnswer: 'close' },
      { content: 'At last.' },
    );
    const { code, stdout, stderr } = await ask(['Hi']);
    expect([code, stdout]).toEqual([0, 'At last.\n']);
    expect(stderr).toMatch(
      /^429, retrying in 3 ms\nno answer \((?:UND_ERR_SOCKET|ECONNRESET)\), retrying in [34]\d\d ms\n1\.5 s\n$/,
    );
  });

  it('turns a spinner on a terminal until the first token', async () => {
    answering({ status: 429, headers: { 'retry-after-ms': '0' } }, { content: 'Hello' });
    const { stderr } = await ask(['Hi'], { terminals: ['stderr'] });
    expect(
      stderr.split('\n').map((line) => line.replace(/(?:\r[-\\|/] waiting for the answer)+/g, '<spin>')),
    ).toEqual(['<spin>\r\u001b[K429, retrying in 0 ms', '<spin>\r\u001b[K1.5 s', '']);
  });

  it('no spinner turns on a dumb terminal', async () => {
    const { stderr } = await ask(['Hi'], { terminals: ['stderr'], env: { TERM: 'dumb' } });
    expect(stderr).toBe('1.5 s\n');
  });
});

describe('what others wrote commands a terminal nothing', () => {
  const hostile = '\u001b[2J\u009b31m\u001b]0;t\u0007\u202e\u2066\r\n\u2028Error: forged\ud800';
  const harmless = /^[\n\x20-\x7e…\ufffd]*$/;

  it.each<[string, MockAnswer]>([
    ['its error', { status: 401, error: { message: hostile, code: hostile } }],
    [
      'its error in the stream',
      { content: ['a', { raw: `data: ${JSON.stringify({ error: { message: hostile } })}\n\n` }] },
    ],
    ['its page', { body: hostile, headers: { 'content-type': 'text/html' } }],
    ['its media type', { body: 'x', headers: { 'content-type': 'text/\u009b31m' } }],
    ['its finish reason', { content: 'a', finishReason: hostile }],
  ])('of a provider: %s', async (_, answer) => {
    answering(answer);
    const { stdout, stderr } = await ask(['Hi'], { terminals: ['stdout'] });
    expect(stdout).toMatch(harmless);
    expect(stderr).toMatch(harmless);
    expect(stderr).not.toMatch(/^Error: forged/m);
  });

  it.each<[string, string[]]>([
    [
      'the base URL',
      ['--base-url', `http://127.0.0.1:1/${hostile}`, '--model', 'm', '--max-retries', '0', 'Hi'],
    ],
    ['a base URL that is none', ['--base-url', hostile, '--model', 'm', 'Hi']],
    ['a provider', ['--provider', hostile, 'Hi']],
    ['an option', [`--${hostile}`]],
    ['a parameter', ['--param', hostile, 'Hi']],
    ['a file', ['--replay', hostile]],
    ['a file of answers', ['mock', '--fixture', hostile]],
    ['a port', ['mock', '--port', hostile]],
  ])('of the command line: %s', async (_, argv) => {
    const { code, stdout, stderr } = await run(argv, { env: { OPENAI_API_KEY: 'k' } });
    expect(code).toBeGreaterThan(0);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^Error: /);
    expect(stderr).toMatch(harmless);
    expect(stderr).not.toMatch(/^Error: forged/m);
  });

  it.each(['OPENAI_BASE_URL', 'OPENAI_REQUEST_MAX_RETRIES', 'OPENAI_STREAM_IDLE_TIMEOUT_MS'])(
    'of the environment: %s',
    async (name) => {
      const env = { OPENAI_API_KEY: 'k', OPENAI_MODEL: 'm', [name]: hostile };
      const { code, stderr } = await run(['--max-retries', '0', 'Hi'], { env });
      expect(code).toBeGreaterThan(0);
      expect(stderr).toMatch(harmless);
      expect(stderr).not.toMatch(/^Error: forged/m);
    },
  );

  it('in --json it is escaped, and says the same', async () => {
    answering({ content: [`a${hostile}`], finishReason: hostile });
    const { stdout } = await ask(['--json', 'Hi']);
    expect(stdout).toMatch(/^[\n\x20-\x7e]*$/);
    const [delta] = stdout.split('\n');
    expect(JSON.parse(delta ?? '')).toMatchObject({ item: { content: [{ text: `a${hostile}` }] } });
  });
});

describe('an error is one sentence, with the words of the provider, and status 1', () => {
  it.each<[string, MockAnswer, string, string]>([
    [
      'a refused request',
      { status: 401, error: { message: 'Wrong\nkey \u001b[31mk-123.', code: 'invalid_api_key' } },
      '',
      'The provider returned status 401 (invalid_api_key). Check the API key. It said: Wrong key k-123.',
    ],
    [
      'the last of the retries',
      { status: 503, body: '<html><title>503 Service\nUnavailable</title></html>' },
      '',
      'The provider returned status 503 after 1 attempt. It said: 503 Service Unavailable',
    ],
    [
      'a page that is no stream',
      { body: '<html>Log in</html>', headers: { 'content-type': 'text/html' } },
      '',
      'The provider returned status 200 with text/html instead of an event stream. Check the base URL. It said: Log in',
    ],
    [
      'an error inside the stream',
      { content: ['Hel', { chunk: { error: { message: 'Overloaded.', code: 'overloaded' } } }] },
      'Hel\n',
      'The provider reported an error inside the stream (code overloaded). It said: Overloaded.',
    ],
    [
      'a stream that ends too early',
      { content: ['Hel'], finishReason: null, done: false },
      'Hel\n',
      'The stream ended without a finish reason or [DONE]: the output is incomplete.',
    ],
    ['silence', { content: ['Hel', { wait: Infinity }] }, 'Hel\n', 'idle timeout waiting for SSE'],
  ])('for %s', async (_, answer, text, sentence) => {
    answering(answer);
    const { code, stdout, stderr } = await ask(['--max-retries', '0', '--idle-timeout', '50', 'Hi']);
    expect([code, stdout]).toEqual([1, text]);
    expect(stderr.replace(/^1\.5 s\n/, '')).toBe(`Error: ${sentence}\n`);
  });

  it.each(['close', 'reset'] as const)('for a connection that breaks mid-word (%s)', async (cut) => {
    answering({ content: ['Hel', { cut }] });
    const { code, stdout, stderr } = await ask(['Hi']);
    expect([code, stdout]).toEqual([1, 'Hel\n']);
    expect(stderr).toMatch(/^Error: The event stream broke off \((?:UND_ERR_SOCKET|ECONNRESET)\)\.\n$/);
  });

  it('for a provider that is not there', async () => {
    await mock.close();
    const { code, stdout, stderr } = await ask(['--max-retries', '0', 'Hi']);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toBe(
      `Error: Could not reach ${new URL(mock.baseUrl).origin} (ECONNREFUSED). Is it running?\n`,
    );
  });

  it('does not take an empty --base-url for OpenAI', async () => {
    const env = { OPENAI_API_KEY: 'k' };
    for (const argv of [
      ['--model', 'm'],
      ['--provider', 'openai'],
    ])
      expect(await run(['--base-url', ' ', ...argv, 'Hi'], { env })).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('--base-url is empty.') as string,
      });
    expect((await run(['--base-url', 'https:///v1', '--model', 'm', 'Hi'], { env })).stderr).toContain(
      'it has no host, or one that is not written as the URL standard parses it',
    );
  });

  it('for a base URL that is none', async () => {
    expect((await run(['--base-url', 'nowhere', '--model', 'm', 'Hi'])).stderr).toBe(
      'Error: --base-url is invalid: it is not an absolute URL (relative URLs work only in browsers).\n',
    );
  });

  it('for a key that is missing', async () => {
    expect(await run(['--provider', 'xai', '--model', 'm', 'Hi'], { env: { XAI_API_KEY: '' } })).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'Error: xai needs an API key: set the environment variable XAI_API_KEY. ' +
        'Create a key at https://console.x.ai.\n',
    });
  });
});

describe('a wrong command line ends with status 2 and a sentence:', () => {
  it.each<[string, readonly string[], FakeIoOptions, string]>([
    ['no prompt', [], { terminals: ['stdin'] }, 'Pass a prompt as an argument or on stdin.'],
    ['a blank stdin', [], { stdin: ' \n' }, 'The prompt is empty: pass one as an argument or on stdin.'],
    [
      'an unknown provider',
      ['--provider', 'toString', 'Hi'],
      {},
      'Unknown provider "toString". Use --base-url for any other; the built-in ones are openai, openrouter, gemini, mistral, deepseek, xai, groq, anthropic, together, fireworks, cerebras, moonshot, zai, dashscope, minimax, nvidia, huggingface, ollama, lmstudio, vllm, llamacpp, litellm.',
    ],
    [
      'a replay of a provider',
      ['--replay', 'f', '--provider', 'xai'],
      {},
      '--replay plays a file and sends no request: remove --provider.',
    ],
    [
      'no model',
      ['--provider', 'groq', 'Hi'],
      { env: { OPENAI_MODEL: 'm' } },
      'No model given. Set one with --model.',
    ],
    ['no number', ['--max-retries', 'many', 'Hi'], {}, '--max-retries must be a whole number, 0 or more.'],
    ['no time', ['--idle-timeout', '0', 'Hi'], {}, '--idle-timeout must be a whole number, 1 or more.'],
    [
      'a parameter without a value',
      ['--param', 'a', 'Hi'],
      {},
      '--param must have the form KEY=VALUE, such as temperature=0.',
    ],
    [
      'a parameter of the turn',
      ['--param', 'stream=false', 'Hi'],
      {},
      'params.stream is set by the turn and cannot be overridden.',
    ],
    [
      'a wrong variable',
      ['Hi'],
      { env: { OPENAI_REQUEST_MAX_RETRIES: 'x' } },
      'The environment variable OPENAI_REQUEST_MAX_RETRIES must be a whole number of at least 0.',
    ],
    [
      'a replay at an address',
      ['--replay', 'f', '--base-url', 'http://x'],
      {},
      '--replay plays a file and sends no request: remove --base-url.',
    ],
    [
      'a provider misspelt',
      ['--provider', 'opnai', 'Hi'],
      {},
      'Unknown provider "opnai". Did you mean openai?',
    ],
    ['an option misspelt', ['--modle', 'm', 'Hi'], {}, 'Unknown option --modle. Did you mean --model?'],
    ['an option that is none', ['--verbose', 'Hi'], {}, 'Unknown option --verbose.'],
    ['a letter that is none', ['-x', 'Hi'], {}, 'Unknown option -x.'],
    ['an option of all objects', ['--__proto__', 'Hi'], {}, 'Unknown option --__proto__.'],
    [
      'an option of mock',
      ['--port', '1', 'Hi'],
      {},
      '--port is for mock: rxjs-chat-completions mock --port.',
    ],
    [
      'a parameter as an option',
      ['--max-tokens=5', 'Hi'],
      {},
      'Unknown option --max-tokens: use --param max_tokens=VALUE.',
    ],
    [
      'a key, which is not repeated',
      ['--api-key', 'sk-12345678', 'Hi'],
      {},
      'Unknown option --api-key: set the key in the environment (OPENAI_API_KEY), where process lists do not show it.',
    ],
    ['an option without its value', ['Hi', '--system'], {}, '--system needs a value.'],
    [
      'an option where a value should be',
      ['--system', '--json', 'Hi'],
      {},
      '--system needs a value. If the value starts with a dash, write --system=VALUE.',
    ],
    [
      'reasoning twice',
      ['--json', '--show-reasoning', 'Hi'],
      {},
      '--json already includes the reasoning: remove --show-reasoning.',
    ],
    [
      'stdin twice',
      ['--chat', '-'],
      {},
      'With --chat, each line of stdin is already a question: remove the -.',
    ],
    ['a value for a flag', ['--json=1', 'Hi'], {}, '--json takes no value.'],
  ])('%s', async (_, argv, options, sentence) => {
    expect(await run(argv, options)).toEqual({
      code: 2,
      stdout: '',
      stderr: `Error: ${sentence}\nTry rxjs-chat-completions --help.\n`,
    });
  });
});

describe('the limits of the command line', () => {
  it('come before those of the environment', async () => {
    const env = { OPENAI_REQUEST_MAX_RETRIES: '0' };
    const busy: MockAnswer = { status: 503, headers: { 'retry-after-ms': '0' } };
    answering(busy, busy, busy);
    expect((await ask(['Hi'], { env })).stderr).toContain('after 1 attempt.');
    expect((await ask(['--max-retries', '1', 'Hi'], { env })).stderr).toContain('after 2 attempts.');
  });
});

it('prints its help and its version', async () => {
  const { code, stdout } = await run(['--help', '--json']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Usage: rxjs-chat-completions /);
  for (const option of [
    'provider',
    'base-url',
    'model',
    'system',
    'param',
    'json',
    'aggregate',
    'max-retries',
    'chat',
    'show-reasoning',
  ])
    expect(stdout).toContain(`  --${option} `);
  expect(await run(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

describe('mock', () => {
  /** Starts the provider, uses it and ends it with Ctrl-C. */
  async function serving(argv: readonly string[], use: (baseUrl: string) => Promise<void>): Promise<Outcome> {
    const io = fakeIo();
    const code = main(['mock', ...argv], io);
    await io.stdout.until('\n');
    await use(io.stdout.text.trim());
    io.interrupts.next();
    return { code: await code, stdout: io.stdout.text, stderr: io.stderr.text };
  }

  it('serves at the base URL that it prints, to pages of no other origin, until Ctrl-C', async () => {
    const { code, stdout, stderr } = await serving(['--pace', '0'], async (baseUrl) => {
      expect(await run(['--base-url', baseUrl, '--model', 'm', 'Why is the sky blue?'])).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^The sky is blue/) as string,
      });
      const models = await fetch(`${baseUrl}/models`);
      expect([models.status, models.headers.get('access-control-allow-origin')]).toEqual([200, null]);
      await models.text();
    });
    expect(code).toBe(130);
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1\n$/);
    expect(stderr).toBe('Mock provider: accepts any model and any key. Press Ctrl-C to stop.\n');
    await expect(fetch(`${stdout.trim()}/models`)).rejects.toThrow();
  });

  it('serves pages of any origin with --cors', async () => {
    await serving(['--cors'], async (baseUrl) => {
      const models = await fetch(`${baseUrl}/models`);
      expect([models.status, models.headers.get('access-control-allow-origin')]).toEqual([200, '*']);
      await models.text();
    });
  });

  it('takes its answers from a file', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'cli-mock-'));
    const file = join(directory, 'script.json');
    try {
      await writeFile(file, '[{"content": "one"}, {"content": "two"}]');
      await serving(['--fixture', file], async (baseUrl) => {
        for (const stdout of ['one\n', 'two\n', 'one\n'])
          expect(await run(['--base-url', baseUrl, '--model', 'm', 'Hi'])).toMatchObject({ code: 0, stdout });
      });
      await writeFile(file, '{');
      expect(await run(['mock', '--fixture', file])).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(/^Error: The file .* is not JSON\.\n$/) as string,
      });
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('says that a port is taken', async () => {
    expect(await run(['mock', '--port', String(mock.port)])).toEqual({
      code: 1,
      stdout: '',
      stderr: `Error: Port ${mock.port} is already in use.\n`,
    });
  });

  it.each([
    [['--port', '65536'], '--port must be 65535 or less.'],
    [['--port', 'x'], '--port must be a whole number, 0 or more.'],
    [['me'], 'mock takes no prompt. To ask a question that starts with "mock", put it in quotes.'],
    [['--model', 'm'], '--model does not apply to the mock command.'],
  ])('is refused with %j', async (argv, message) => {
    const { code, stderr } = await run(['mock', ...argv]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`Error: ${message}`) as string]);
  });

  it('has the same help and version, and is a word of a prompt elsewhere', async () => {
    expect((await run(['mock', '--help'])).stdout).toContain('rxjs-chat-completions mock [--port N]');
    expect((await run(['mock', '--version'])).stdout).toBe(`${version}\n`);
    for (const argv of [['mock my cat'], ['--', 'mock', 'my', 'cat']]) expect((await ask(argv)).code).toBe(0);
    expect(messages()).toEqual([0, 1].map(() => [{ role: 'user', content: 'mock my cat' }]));
  });
});

describe('Ctrl-C', () => {
  async function interruptedAt(argv: readonly string[], at: (io: FakeIo) => Promise<unknown>) {
    const io = fakeIo({ terminals: ['stderr'] });
    const code = main(['--base-url', mock.baseUrl, '--model', 'm', ...argv], io);
    await at(io);
    io.interrupts.next();
    return { code: await code, stdout: io.stdout.text, stderr: io.stderr.text };
  }

  it('aborts the request inside the answer, ends the line and gives status 130', async () => {
    answering({ content: ['Hel', { wait: Infinity }] });
    const { code, stdout, stderr } = await interruptedAt(['Hi'], (io) => io.stdout.until('Hel'));
    expect([code, stdout, stderr.endsWith('\r\u001b[K')]).toEqual([130, 'Hel\n', true]);
    await mock.whenAborted();
  });

  it('aborts the request before the headers', async () => {
    answering({ delay: Infinity });
    const { code, stdout } = await interruptedAt(['Hi'], () => mock.whenRequested());
    expect([code, stdout]).toEqual([130, '']);
    await mock.whenAborted();
  });

  it('ends the wait for a retry', async () => {
    answering({ status: 503, headers: { 'retry-after': '50' } });
    const { code } = await interruptedAt(['Hi'], (io) => io.stderr.until('retrying in 50 s'));
    expect([code, mock.requests.length]).toEqual([130, 1]);
  });

  it('ends the wait for stdin', async () => {
    const io = fakeIo();
    const code = main(['--model', 'm'], { ...io, stdin: new Readable({ read: () => {} }) });
    io.interrupts.next();
    expect(await code).toBe(130);
    expect([io.stdout.text, io.stderr.text]).toEqual(['', '']);
  });

  it('sends nothing where it came first', async () => {
    const io = { ...fakeIo(), interrupts: of(undefined) };
    expect(await main(['--base-url', mock.baseUrl, '--model', 'm', 'Hi'], io)).toBe(130);
    expect(mock.requests).toEqual([]);
  });
});

describe('a reader of stdout', () => {
  class Closing extends Writable {
    constructor(private readonly failure: string) {
      super();
    }
    override _write(_: unknown, __: BufferEncoding, written: (error: Error) => void): void {
      written(Object.assign(new Error(this.failure), { code: this.failure }));
    }
  }

  it('that leaves ends the turn quietly', async () => {
    answering({ content: ['a', { wait: Infinity }] });
    const io = { ...fakeIo(), stdout: new Closing('EPIPE') };
    expect(await main(['--base-url', mock.baseUrl, '--model', 'm', 'Hi'], io)).toBe(0);
    await mock.whenAborted();
    expect(io.stderr.text).toBe('');
  });

  it('that fails otherwise is an error', async () => {
    answering({ content: ['a', { wait: Infinity }] });
    const io = { ...fakeIo(), stdout: new Closing('ENOSPC') };
    expect(await main(['--base-url', mock.baseUrl, '--model', 'm', 'Hi'], io)).toBe(1);
    expect(io.stderr.text).toBe('Error: Could not write to stdout (ENOSPC).\n');
  });

  it('that is slow slows the provider down', async () => {
    let given = 0;
    const piece = 'x'.repeat(64 * 1024);
    function* endless() {
      for (;;) {
        given += 1;
        yield piece;
      }
    }
    answering({ content: endless() });
    const io = fakeIo();
    const stuck = new Writable({ write: () => {} });
    const code = main(['--base-url', mock.baseUrl, '--model', 'm', 'Hi'], { ...io, stdout: stuck });
    while (given === 0) await new Promise((resolve) => setImmediate(resolve));
    await whenStill(() => given, 1_000);
    expect(given).toBeGreaterThan(0);
    expect(given).toBeLessThan(1_000);
    io.interrupts.next();
    expect(await code).toBe(130);
  });
});
