import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventsOf } from '../../src/mock-provider/answers-from-file.js';
import { answersFromFile, type MockProvider, startMockProvider } from '../../src/mock-provider/index.js';

const text = (pieces: readonly Uint8Array[]) => pieces.map((piece) => Buffer.from(piece).toString('utf8'));

describe('a recording', () => {
  it.each([
    ['LF', '\n'],
    ['CRLF', '\r\n'],
    ['CR', '\r'],
  ])('with %s line ends is cut after each blank line and nowhere else', (_, end) => {
    const events = [
      `event: a${end}data: Grüße 🌍${end}${end}`,
      `: comment${end}${end}${end}`,
      `data: [DONE]${end}`,
    ];
    expect(text(eventsOf(Buffer.from(events.join(''))))).toEqual(events);
  });

  it('keeps bytes that are no text', () => {
    const bytes = Uint8Array.from([0xff, 0x0a, 0x0a, 0x00, 0xc3]);
    expect(eventsOf(bytes).map((piece) => [...piece])).toEqual([
      [0xff, 0x0a, 0x0a],
      [0x00, 0xc3],
    ]);
  });

  it('may be empty', () => {
    expect(eventsOf(new Uint8Array())).toEqual([]);
  });
});

describe('a file of answers', () => {
  let directory: string;
  let mock: MockProvider | undefined;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'answers-'));
  });

  afterEach(async () => {
    await mock?.close();
    mock = undefined;
    await rm(directory, { recursive: true });
  });

  async function written(name: string, content: string): Promise<string> {
    const file = join(directory, name);
    await writeFile(file, content);
    return file;
  }

  async function served(name: string, content: string): Promise<() => Promise<Response>> {
    const running = await startMockProvider({
      pace: 0,
      answers: await answersFromFile(await written(name, content)),
    });
    mock = running;
    const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], stream: true });
    return () => fetch(`${running.baseUrl}/chat/completions`, { method: 'POST', body });
  }

  it('that is a recording is sent byte for byte, to every request', async () => {
    const recording = 'data: {"a":1}\r\n\r\n: x\n\ndata: [DONE]';
    const ask = await served('turn.sse', recording);
    for (let count = 0; count < 2; count += 1) {
      const response = await ask();
      expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
      expect(await response.text()).toBe(recording);
    }
  });

  it('that is JSON gives its answers in turn, and then from the beginning again', async () => {
    const ask = await served(
      'script.json',
      JSON.stringify([
        { status: 429, retryAfter: { wait: 2_000 } },
        { error: { message: 'No.', type: 't' } },
        { object: 'chat.completion', choices: [] },
      ]),
    );
    const seen: unknown[] = [];
    for (let count = 0; count < 4; count += 1) {
      const response = await ask();
      seen.push([response.status, response.headers.get('retry-after'), await response.json()]);
    }
    expect(seen).toEqual([
      [429, '2', { error: expect.objectContaining({ type: 'requests' }) as unknown }],
      [500, null, { error: { message: 'No.', type: 't', code: null, param: null } }],
      [200, null, { object: 'chat.completion', choices: [] }],
      [429, '2', expect.anything()],
    ]);
  });

  it('can tell of a stall without end', async () => {
    const ask = await served('stall.json', '{"content": ["a", {"wait": 1e999}]}');
    const reader = (await ask()).body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await mock?.whenAborted();
  });

  it.each([
    ['is not there', 'none.json', undefined, /^Could not read the file .*none\.json \(ENOENT\)\.$/],
    ['is not JSON', 'a.json', '{', /^The file .*a\.json is not JSON\.$/],
    ['holds no objects', 'a.json', '[1]', /^The file .*a\.json contains an answer that is not an object\.$/],
    [
      'misspells a part of an answer',
      'a.json',
      '{"contnet": "x"}',
      /^The file .*a\.json has an answer with an unknown property "contnet"\.$/,
    ],
  ])('that %s is refused with a sentence', async (_, name, content, message) => {
    const file = content === undefined ? join(directory, name) : await written(name, content);
    await expect(answersFromFile(file)).rejects.toThrow(message);
  });
});
