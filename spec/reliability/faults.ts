import { constants, gzipSync } from 'node:zlib';
import type { MockAnswer, WirePiece } from '../../src/mock-provider/index.js';
import { chunk, done, finishChunk, textChunk } from '../support/wire.js';
import type { Taint } from './taint.js';

/** Each unlike anything else in the process, so that it is known again wherever it turns up. */
export const taint: Taint = {
  key: 'sk-taint-4Fh2mQx9Zr',
  prompt: 'prompt-taint-7Kd3wLp5Vn',
  answer: 'answer-taint-9Bt6yGc1Js',
};

/** Where in an answer a fault strikes. */
export const stages = [
  'connect',
  'headers',
  'first byte',
  'mid-event',
  'mid-UTF-8',
  'before [DONE]',
  'after [DONE]',
] as const;

export type Stage = (typeof stages)[number];

/** The texts of a whole answer. */
export const texts: readonly string[] = ['1', '2', '🌍'].map((end) => `${taint.answer} ${end} `);

/** The arguments of the call in an answer that has one. */
export const callArguments = `{"path":"/data/${taint.answer}"}`;

/** The chunk of a piece of the call, from one character of its arguments to another. */
const callChunk = (from: number, to?: number): Uint8Array =>
  Buffer.from(
    chunk({
      choices: [
        {
          index: 0,
          delta: {
            tool_calls: [
              {
                index: 0,
                id: 'call',
                function: {
                  ...(from === 0 && { name: 'remove' }),
                  arguments: callArguments.slice(from, to),
                },
              },
            ],
          },
          finish_reason: null,
        },
      ],
    }),
  );

/** The body of an answer, cut where the stages are; with a call, its pieces stand between the texts. */
function bodyParts(hasCall: boolean): ReadonlyMap<Stage, Uint8Array> {
  const call = (from: number, to?: number) => (hasCall ? callChunk(from, to) : new Uint8Array());
  const [one, two, three] = texts.map((text) => Buffer.from(textChunk(text)));
  if (one === undefined || two === undefined || three === undefined) throw new Error('three texts');
  const inTwo = two.indexOf(taint.answer) + 20;
  const inEmoji = three.indexOf('🌍') + 2;
  return new Map<Stage, Uint8Array>([
    ['first byte', Buffer.concat([one, call(0, 10), two.subarray(0, inTwo)])],
    ['mid-event', Buffer.concat([two.subarray(inTwo), call(10, 20), three.subarray(0, inEmoji)])],
    ['mid-UTF-8', Buffer.concat([three.subarray(inEmoji), call(20), Buffer.from(finishChunk())])],
    ['before [DONE]', Buffer.from(done)],
    ['after [DONE]', new Uint8Array()],
  ]);
}

const parts = bodyParts(false);
const partsWithCall = bodyParts(true);
const bodyStages: readonly Stage[] = [...parts.keys()];

/** What is done to an answer at one place. */
export interface Fault {
  readonly name: string;
  readonly stages: readonly Stage[];
  /** What is on the wire at the place of the fault. */
  readonly pieces: Iterable<WirePiece>;
  /** Whether the rest of the answer follows. Default `false`: nothing more comes. */
  readonly goesOn?: boolean;
  /** Whether a limit has to end it. */
  readonly isSilent?: boolean;
  /** Whether the event that it strikes in is lost. */
  readonly spoils?: boolean;
  /** A text that it adds. */
  readonly adds?: string;
  /** Whether it goes on until the consumer has enough. */
  readonly isEndless?: boolean;
  /** Whether its Content-Length promises more than comes. */
  readonly isShort?: boolean;
  /** Whether the body has neither a length nor chunks, and so ends with its connection. */
  readonly isUnframed?: boolean;
  /** Whether a call is being written where it strikes. */
  readonly hasCall?: boolean;
  /** What the consumer, once a text of the fault has come, never lets go of, or never asks again. */
  readonly stalls?: 'demand' | 'iterator';
  /** Whether nobody listens at the address. */
  readonly isRefused?: boolean;
  readonly answer?: Pick<MockAnswer, 'encoding' | 'contentLength'>;
}

function* endlessly<T>(...pieces: readonly T[]): Generator<T> {
  for (;;) yield* pieces;
}

/** A sequence that can be asked for again. */
const again = <T>(sequence: () => Iterator<T>): Iterable<T> => ({ [Symbol.iterator]: sequence });

const addedText = `${taint.answer} huge ${'x'.repeat(48 * 1024)}`;
export const maxEventSize = 64 * 1024;

const betweenEvents: readonly Stage[] = ['first byte', 'before [DONE]', 'after [DONE]'];
const garbage = Uint8Array.from([0x00, 0xff, 0xfe, 0x80, ...Buffer.from(taint.answer), 0x0a, 0x0a]);
const providerError = chunk({ error: { message: `No more ${taint.answer}`, code: 'overloaded' } });

export const faults: readonly Fault[] = [
  { name: 'refused', stages: ['connect'], pieces: [], isRefused: true },
  { name: 'closed', stages, pieces: [{ cut: 'close' }] },
  { name: 'reset', stages, pieces: [{ cut: 'reset' }] },
  {
    name: 'closed, compressed',
    stages: bodyStages,
    pieces: [{ cut: 'close' }],
    answer: { encoding: 'gzip' },
  },
  { name: 'reset, compressed', stages: bodyStages, pieces: [{ cut: 'reset' }], answer: { encoding: 'gzip' } },
  { name: 'clean end', stages: bodyStages, pieces: [] },
  { name: 'clean end, compressed', stages: bodyStages, pieces: [], answer: { encoding: 'gzip' } },
  {
    name: 'ended short of its Content-Length',
    stages: bodyStages,
    pieces: [],
    isShort: true,
    answer: { contentLength: 100_000 },
  },
  { name: 'clean end, close-delimited', stages: bodyStages, pieces: [], isUnframed: true },
  { name: 'reset, close-delimited', stages: bodyStages, pieces: [{ cut: 'reset' }], isUnframed: true },
  { name: 'closed during a call', stages: bodyStages, pieces: [{ cut: 'close' }], hasCall: true },
  { name: 'clean end during a call', stages: bodyStages, pieces: [], hasCall: true },
  {
    name: 'clean end during a call, close-delimited',
    stages: bodyStages,
    pieces: [],
    hasCall: true,
    isUnframed: true,
  },
  {
    name: 'ended by `length` during a call',
    stages: ['mid-event', 'mid-UTF-8'],
    pieces: ['\n\n', finishChunk('length'), done],
    hasCall: true,
  },
  {
    name: 'ended by [DONE] only, during a call',
    stages: ['mid-event', 'mid-UTF-8'],
    pieces: ['\n\n', done],
    hasCall: true,
  },
  { name: 'silent for ever', stages, pieces: [{ wait: Infinity }], isSilent: true },
  {
    name: 'silent for ever, compressed',
    stages: bodyStages,
    pieces: [{ wait: Infinity }],
    isSilent: true,
    answer: { encoding: 'gzip' },
  },
  { name: 'slow', stages, pieces: [{ wait: 3 }], goesOn: true },
  {
    name: 'slow, compressed',
    stages: bodyStages,
    pieces: [{ wait: 3 }],
    goesOn: true,
    answer: { encoding: 'gzip' },
  },
  { name: 'garbage bytes', stages, pieces: [garbage], goesOn: true, spoils: true },
  { name: 'comments', stages: betweenEvents, pieces: [': a\n\n', ':\n', ': b\r\n\r\n'], goesOn: true },
  {
    name: 'endless comments',
    stages: betweenEvents,
    pieces: again(() => endlessly(': a\n\n')),
    isSilent: true,
  },
  {
    name: 'endless empty events',
    stages: betweenEvents,
    pieces: again(() => endlessly('data\n\n')),
    isEndless: true,
  },
  {
    name: 'an endless event',
    stages: bodyStages,
    pieces: again(() => endlessly('data: '.padEnd(16 * 1024, taint.answer))),
  },
  {
    name: 'endless text',
    stages: betweenEvents,
    pieces: again(() => endlessly(textChunk(taint.answer))),
    isEndless: true,
  },
  ...(['demand', 'iterator'] as const).map((stalls) => ({
    name: { demand: 'a demand held for ever', iterator: 'a dropped iterator' }[stalls],
    stages: betweenEvents,
    pieces: again(() => endlessly(textChunk(taint.answer))),
    stalls,
  })),
  {
    name: 'a huge event within the limit',
    stages: betweenEvents,
    pieces: [textChunk(addedText)],
    goesOn: true,
    adds: addedText,
  },
  { name: 'an error from the provider', stages: bodyStages, pieces: [`\n\n${providerError}`], goesOn: true },
];

/** The texts that are complete where a fault strikes. */
export const textsBefore = (stage: Stage): readonly string[] =>
  texts.slice(
    0,
    { 'mid-event': 1, 'mid-UTF-8': 2, 'before [DONE]': 3, 'after [DONE]': 3 }[stage as string] ?? 0,
  );

/** An answer with a fault in it. `strike` is asked when everything before the fault is on its way. */
export function faultyAnswer(fault: Fault, stage: Stage, strike: () => Promise<void>): MockAnswer {
  async function* struck(before: readonly WirePiece[], after: readonly WirePiece[]) {
    yield* before;
    await strike();
    yield* fault.pieces;
    if (fault.goesOn) yield* after;
  }
  // At this stage it is the connection that is faulty.
  if (stage === 'connect') return { body: [...parts.values()] };
  if (stage === 'headers') {
    const rest = Buffer.concat([...parts.values()]);
    const head = [
      'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n',
      `content-length: ${rest.length}\r\n`,
    ];
    return { wire: struck(head, ['\r\n', rest]) };
  }
  const at = bodyStages.indexOf(stage);
  const pieces = [...(fault.hasCall ? partsWithCall : parts).values()];
  if (fault.isUnframed) {
    const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n';
    return { wire: struck([head, ...pieces.slice(0, at)], pieces.slice(at)) };
  }
  return { ...fault.answer, body: struck(pieces.slice(0, at), pieces.slice(at)) };
}

/** A request that is answered wrongly as a whole. */
export interface WrongAnswer {
  readonly name: string;
  /** One for each attempt; the last one again for those that follow. */
  readonly answers: readonly MockAnswer[];
  readonly isSilent?: boolean;
  readonly isShort?: boolean;
}

const right: MockAnswer = { content: texts };
const said = { message: `About ${taint.answer}` };
const error = (status: number, more: MockAnswer = {}): MockAnswer => ({ status, error: said, ...more });
const page = `<html><body>${taint.answer}</body></html>`;
const html: MockAnswer = { body: page, headers: { 'content-type': 'text/html' } };
const forms = ['seconds', 'milliseconds', 'date', 'rfc850-date', 'asctime-date'] as const;
const broken: WirePiece[] = [`{"error":{"message":"${taint.answer}`];

export const wrongAnswers: readonly WrongAnswer[] = [
  ...[400, 401, 402, 403, 404, 413, 422, 418].map((status) => ({
    name: `${status}`,
    answers: [error(status)],
  })),
  { name: '307 to another origin', answers: [{ status: 307, headers: { location: 'http://127.0.0.2:9/' } }] },
  { name: '302', answers: [{ status: 302, headers: { location: '/v1/models' } }] },
  ...[429, 500, 502, 503, 529].flatMap((status) => [
    { name: `${status}, then success`, answers: [error(status), right] },
    { name: `${status} every time`, answers: [error(status)] },
  ]),
  { name: '502 as HTML every time', answers: [{ ...html, status: 502 }] },
  { name: '429, quota exhausted', answers: [error(429, { error: { ...said, code: 'insufficient_quota' } })] },
  ...forms.map((as) => ({
    name: `429 with a wait as ${as}, then success`,
    answers: [error(429, { retryAfter: { wait: 2_000, as } }), right],
  })),
  ...['0', '-1', 'soon', '1e400', ''].map((wait) => ({
    name: `429 with Retry-After "${wait}", then success`,
    answers: [error(429, { headers: { 'retry-after': wait } }), right],
  })),
  ...forms.map((as) => ({
    name: `503 with a wait of a day as ${as}`,
    answers: [error(503, { retryAfter: { wait: 86_400_000, as } })],
  })),
  { name: 'no response once, then success', answers: [{ noAnswer: 'reset' }, right] },
  { name: '503, then no response', answers: [error(503), { noAnswer: 'close' }] },
  ...[400, 429, 503].flatMap((status) => [
    {
      name: `${status}, its body reset`,
      answers: [{ status, body: [...broken, { cut: 'reset' } as const] }],
    },
    {
      name: `${status}, its body short of its Content-Length`,
      answers: [{ status, body: broken, contentLength: 10_000 }],
      isShort: true,
    },
    {
      name: `${status}, its body silent for ever`,
      answers: [{ status, body: [...broken, { wait: Infinity }] }],
      isSilent: true,
    },
    { name: `${status}, its body endless`, answers: [{ status, body: again(() => endlessly(page)) }] },
  ]),
  { name: '204', answers: [{ status: 204 }] },
  { name: '200 with an empty body', answers: [{ body: '', contentLength: 0 }] },
  { name: '200 with a page', answers: [html] },
  { name: '200 with an endless page', answers: [{ ...html, body: again(() => endlessly(page)) }] },
  { name: '200 with a JSON completion', answers: [{ json: jsonCompletion() }] },
  { name: '200 with a JSON error', answers: [{ json: { error: said } }] },
  { name: '200 with half a JSON document', answers: [{ ...html, body: broken }] },
  { name: 'a tool call, thinking and two choices', answers: [manyThings()] },
  { name: 'invalid gzip', answers: [{ body: page, headers: { 'content-encoding': 'gzip' } }] },
  {
    name: 'truncated gzip, clean end',
    answers: [{ body: halfGzip(), headers: { 'content-encoding': 'gzip' } }],
  },
  {
    name: 'gzip that decompresses to 16 MiB without an event',
    answers: [{ encoding: 'gzip', body: Buffer.alloc(16 * 1024 * 1024, 'data: ') }],
  },
  {
    name: 'an unknown encoding',
    answers: [{ body: page, headers: { 'content-encoding': 'x-none' } }],
  },
  { name: 'headers of 1 MiB', answers: [{ wire: ['HTTP/1.1 200 OK\r\n', 'x-a: b\r\n'.repeat(128 * 1024)] }] },
  { name: 'invalid chunks', answers: [{ wire: again(chunksThatAreNone) }] },
  { name: 'early hints before the response', answers: [{ wire: again(earlyHints) }] },
  { name: 'an HTTP/1.0 response', answers: [{ wire: ['HTTP/1.0 200 OK\r\n\r\n', ...parts.values()] }] },
];

function jsonCompletion(): object {
  return {
    object: 'chat.completion',
    choices: [{ index: 0, message: { role: 'assistant', content: texts.join('') }, finish_reason: 'stop' }],
  };
}

function manyThings(): MockAnswer {
  return {
    choices: [
      {
        content: [
          { reasoning: taint.answer },
          ...texts,
          { toolCall: { name: 'f', arguments: { a: taint.answer } } },
        ],
      },
      { content: [taint.answer] },
    ],
  };
}

function halfGzip(): Uint8Array {
  return gzipSync(Buffer.concat([...parts.values()].slice(0, 2)), { finishFlush: constants.Z_SYNC_FLUSH });
}

function* chunksThatAreNone(): Generator<WirePiece> {
  const [first = new Uint8Array()] = parts.values();
  yield 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
  yield `${first.length.toString(16)}\r\n${Buffer.from(first).toString()}\r\n`;
  yield `${taint.answer}\r\n`;
}

function* earlyHints(): Generator<WirePiece> {
  yield 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n';
  yield 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n';
  yield* parts.values();
}
