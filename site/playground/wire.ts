import {
  commentChunk,
  doneChunk,
  errorChunk,
  finishChunk,
  type MarbleAnswer,
  textChunk,
} from 'rxjs-chat-completions/testing';
import type { Label } from '../../scripts/marbles/labels.js';
import { type Attempt, type Item, limits, sorted } from './drawing.js';

/** One network read. */
export interface Read {
  readonly letter: string;
  readonly chunks: readonly Chunk[];
}

/** One event on the wire: its bytes, the code that makes them, and how it is drawn. */
export interface Chunk {
  readonly text: string;
  readonly code: string;
  readonly label: Label;
}

/** An attempt in marbles, as `marbleTransport` takes it. */
export interface WireAnswer {
  readonly answer: MarbleAnswer;
  readonly head: Label;
  readonly reads: readonly Read[];
}

const words = 'The sky is blue because air scatters blue light more than red. '.split(/(?<= )/);

const wire = (...lines: string[]): Label => ({ tone: 'wire', lines });

/** Text as it stands in a program. */
export const quoted = (text: string): string =>
  `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;

const textOf = (text: string): Chunk => ({
  text: textChunk(text),
  code: `textChunk(${quoted(text)})`,
  label: wire('data:', text.replaceAll(' ', '␣')),
});

const garbage = 'data: {"choices": [{\n\n';

/** The events of an item, each with its time; none where it is no part of the body. */
function chunksOf(item: Item): readonly (readonly [number, Chunk])[] {
  const one = (text: string, code: string, label: Label) => [[item.at, { text, code, label }] as const];
  switch (item.kind) {
    case 'text':
      return [[item.at, textOf(item.text)]];
    case 'flood':
      return Array.from({ length: item.count }, (_, index) => [
        item.at + index * item.every,
        textOf(words[index % words.length] ?? ''),
      ]);
    case 'comment':
      return one(commentChunk('keep-alive'), "commentChunk('keep-alive')", wire(':'));
    case 'garbage':
      return one(garbage, quoted(garbage), wire('{"cho…'));
    case 'error':
      return one(errorChunk(), 'errorChunk()', { tone: 'warning', lines: ['error'] });
    case 'finish':
      return one(finishChunk(), 'finishChunk()', wire('data:', 'stop'));
    case 'done':
      return one(doneChunk(), 'doneChunk()', wire('[DONE]'));
    default:
      return [];
  }
}

/** Letters that are names as well, so that a program can list them. */
const letterAt = (index: number): string => {
  for (const [first, count] of [
    [0x61, 26],
    [0x41, 26],
    [0x3b1, 25],
  ] as const) {
    if (index < count) return String.fromCodePoint(first + index);
    index -= count;
  }
  return String.fromCodePoint(0x4e00 + index);
};

const wait = (milliseconds: number): string => (milliseconds > 0 ? ` ${milliseconds}ms ` : '');

/** What was drawn, in marbles. A read takes a frame, so what is drawn at one time is one read. */
export function toWire(attempt: Attempt): WireAnswer {
  const items = sorted(attempt);
  const head = items.find(({ kind }) => kind === 'headers' || kind === 'refused');
  if (head === undefined) return { answer: { response: '-' }, head: wire('…'), reads: [] };
  if (head.kind !== 'headers') {
    return { answer: { response: `${wait(head.at)}#`.trim() }, head: wire('refused'), reads: [] };
  }
  const { status, retryAfter } = head;
  const ending = items.find(({ kind, at }) => at >= head.at && (kind === 'cut' || kind === 'end'));
  const last = ending?.at ?? Infinity;
  const byTime = new Map<number, Chunk[]>();
  const body = items.slice(0, ending === undefined ? undefined : items.indexOf(ending)).flatMap(chunksOf);
  for (const [at, chunk] of body.filter(([at]) => at >= head.at && at <= last).slice(0, limits.chunks)) {
    byTime.set(at, [...(byTime.get(at) ?? []), chunk]);
  }
  let time = head.at;
  let marbles = '';
  const reads: Read[] = [];
  for (const [at, chunks] of [...byTime].sort(([a], [b]) => a - b)) {
    const letter = letterAt(reads.length);
    marbles += wait(at - time) + letter;
    time = at + 1;
    reads.push({ letter, chunks });
  }
  // An answer without a stream ends with its headers, unless something of it is drawn.
  if (ending !== undefined) marbles += wait(ending.at - time) + (ending.kind === 'cut' ? '#' : '|');
  else if (status >= 300 && reads.length === 0) marbles += '|';
  const headers = retryAfter === undefined ? undefined : { 'retry-after': String(retryAfter) };
  return {
    answer: {
      response: `${wait(head.at)}r`.trim(),
      ...(status !== 200 && { status }),
      ...(headers && { headers }),
      body: marbles.trim() === '' ? '-' : marbles.trim(),
      ...(reads.length > 0 && {
        frames: Object.fromEntries(
          reads.map(({ letter, chunks }) => [letter, chunks.map(({ text }) => text).join('')]),
        ),
      }),
    },
    head: {
      tone: status < 300 ? 'completed' : 'warning',
      lines: [String(status), ...(retryAfter === undefined ? [] : [`retry-after: ${retryAfter}`])],
    },
    reads,
  };
}
