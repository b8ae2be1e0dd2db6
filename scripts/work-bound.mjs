// Measures what the worst answers cost with the default limits: CPU seconds and peak memory (RSS), each answer in a
// process of its own, over a real server and `nodeTransport`, plain or compressed. Not part of CI: it is about time.
//
//   npm run check:work            a table
//   npm run check:work -- NAME    the cases whose names contain NAME
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { lastValueFrom, tap } from 'rxjs';

const MiB = 1024 * 1024;
const times = (text, size) => text.repeat(Math.max(1, Math.floor(size / text.length)));
const inField = (value) => `{"choices":[{"index":0,"delta":{"content":"ok"}}],"x":${value}}`;
const inDelta = (field) => `{"choices":[{"index":0,"delta":{${field}}}]}`;
const keys = (count, of = (at) => `"k${at}":1`) => Array.from({ length: count }, (_, at) => of(at)).join();
const most = 490_000;

const event = (data) => ({ type: 'text/event-stream', body: `data: ${data}\n\ndata: [DONE]\n\n` });
const stream = (body) => ({ type: 'text/event-stream', body });
const json = (body) => ({ type: 'application/json', body });
const call = (text) =>
  inDelta(`"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":${text}}}]`);

const answers = {
  '64 MiB of {},': () => event(inField(`[${times('{},', 64 * MiB)}0]`)),
  '31 MiB of {},': () => event(inField(`[${times('{},', 31 * MiB)}0]`)),
  '31 MiB of {}, in JSON': () => json(inField(`[${times('{},', 31 * MiB)}0]`)),
  '31 MiB of [[[[': () => event(times('[', 31 * MiB)),
  '490,000 keys': () => event(inField(`{${keys(most)}}`)),
  '490,000 keys in JSON': () => json(inField(`{${keys(most)}}`)),
  '490,000 keys, cut before the end': () => stream(`data: ${inField(`{${keys(most)}}`)}`),
  '490,000 keys, broken': () => event(inField(`{${keys(most)}}`) + 'x'),
  '320,000 shapes': () => event(inField(`[${keys(320_000, (at) => `{"k${at}":1}`)}]`)),
  '320,000 shapes of reasoning details': () =>
    event(inDelta(`"reasoning_details":[${keys(320_000, (at) => `{"k${at}":1}`)}]`)),
  '490,000 keys of a signature': () =>
    event(inDelta(`"thinking_blocks":{${keys(most, (at) => `"k${at}":"x"`)}}`)),
  '490,000 keys of a call': () =>
    event(inDelta(`"tool_calls":[{"index":0,"function":{"name":"f"},${keys(most)}}]`)),
  '80,000 entries of calls': () =>
    event(
      inDelta(
        `"tool_calls":[${keys(80_000, (at) => `{"index":${at},"function":{"name":"f","arguments":"{}"}}`)}]`,
      ),
    ),
  'arguments of 31 MiB of {},': () => event(call(JSON.stringify(`[${times('{},', 31 * MiB)}0]`))),
  'arguments as an object of 490,000 keys': () => event(call(`{${keys(most)}}`)),
  'arguments parsed for each of 100,000 entries': () =>
    event(
      inDelta(
        `"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":${JSON.stringify(`{"a":{${keys(200_000)}`)}}},${keys(100_000, (at) => `{"index":0,"id":"d${at}","function":{"name":"f"}}`)}]`,
      ),
    ),
  'an image of 28 MiB': () => event(inField(`"data:image/png;base64,${times('QUJD', 28 * MiB)}"`)),
  'text of 31 MiB': () => event(inDelta(`"content":"${times('word, ', 31 * MiB)}"`)),
  'text of 31 MiB in JSON': () =>
    json(`{"choices":[{"message":{"content":"${times('word, ', 31 * MiB)}"}}]}`),
  'text of 31 MiB of escapes': () => event(inDelta(`"content":"${times('\\u00e9\\n', 31 * MiB)}"`)),
  'CJK of 31 Mi characters': () => event(inDelta(`"content":"${times('水', 31 * MiB)}"`)),
  'a number of 31 MiB': () => event(inField(times('9', 31 * MiB))),
  '2 MiB of tabs in a string': () => event(inDelta(`"content":"${times('\t', 2 * MiB - 99)}"`)),
  '31 MiB of tabs in a string': () => event(inDelta(`"content":"${times('\t', 31 * MiB)}"`)),
  '2 MiB of chunks, a line each': () => event(times(`${inField('0')}\ndata: `, 2 * MiB) + '{}'),
  '2 MiB of {}': () => event('x' + times('{}', 2 * MiB - 99)),
  '2 MiB of broken values': () => event(times('{x}', 2 * MiB - 99)),
  '31 MiB of blanks': () => event(times(' ', 31 * MiB)),
  'lines of data': () => stream(times('data:\n', 8 * MiB)),
  'lines of data that end with CR': () => stream(times('data:\r', 8 * MiB)),
  comments: () => stream(times(':\n', 8 * MiB)),
  'lines that are none': () => stream(times('x\n', 8 * MiB)),
  'blank lines and one CR a read': () => stream(times('\n'.repeat(16_383) + '\r', 8 * MiB)),
};
const encodings = {
  plain: (body) => body,
  gzip: (body) => gzipSync(body),
  br: (body) => brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
};

const [mode, name, encoding] = process.argv.slice(2);
if (mode === '--serve') await serve();
else if (mode === '--read') await read();
else await table(mode ?? '');

/** The answers come from a process of their own, which says where. */
async function serve() {
  const { type, body } = answers[name]();
  const bytes = encodings[encoding](Buffer.from(body));
  const server = createServer((request, response) => {
    response.writeHead(200, {
      'content-type': type,
      ...(encoding !== 'plain' && { 'content-encoding': encoding }),
    });
    response.end(bytes);
    response.on('close', () => server.close(() => process.exit()));
  });
  server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port, size: bytes.length }));
}

async function read() {
  const { fork } = await import('node:child_process');
  const { streamChatCompletions, reduceTurn, emptyTurn } = await import('../dist/cjs/index.js').then(
    (m) => m.default ?? m,
  );
  const { nodeTransport } = await import('../dist/cjs/node/index.js').then((m) => m.default ?? m);
  const server = fork(process.argv[1], ['--serve', name, encoding], { execArgv: [] });
  const { port, size } = await new Promise((resolve) => server.once('message', resolve));
  const provider = { name: 'work', baseUrl: `http://127.0.0.1:${port}/v1` };
  const before = process.cpuUsage();
  let turn = emptyTurn;
  const end = await lastValueFrom(
    streamChatCompletions('Hi', { model: 'm', provider, transport: nodeTransport() }).pipe(
      tap((event) => (turn = reduceTurn(turn, event))),
    ),
  ).then(
    ({ type }) => type,
    ({ message }) => /\((max\w+)\)/.exec(message)?.[1] ?? message,
  );
  const { user, system } = process.cpuUsage(before);
  const peak = process.resourceUsage().maxRSS / 1024;
  console.log(JSON.stringify({ size, seconds: (user + system) / 1e6, peak, end }));
  process.exit();
}

function table(part) {
  let isOver = false;
  console.log('| Answer | on the wire | CPU | peak memory | ends as |\n| --- | --- | --- | --- | --- |');
  for (const each of Object.keys(answers).filter((other) => other.includes(part))) {
    const way = each.startsWith('64 MiB') ? 'br' : each.startsWith('31 MiB') ? 'gzip' : 'plain';
    const { stdout, stderr } = spawnSync(process.execPath, [process.argv[1], '--read', each, way], {
      encoding: 'utf8',
    });
    if (stdout === '') throw new Error(stderr);
    const { size, seconds, peak, end } = JSON.parse(stdout);
    isOver ||= seconds > 2 || peak > 300;
    const packed = way === 'plain' ? '' : ` (${way})`;
    const wire =
      size < 10_000
        ? `${size} bytes`
        : size < MiB
          ? `${Math.round(size / 1024)} KiB`
          : `${(size / MiB).toFixed(1)} MiB`;
    console.log(
      `| ${each} | ${wire}${packed} | ${seconds.toFixed(2)} s | ${Math.round(peak)} MiB | ${end} |`,
    );
  }
  if (isOver) {
    console.error('An answer costs more than 2 s or 300 MiB.');
    process.exitCode = 1;
  }
}
