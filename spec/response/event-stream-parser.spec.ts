import { setImmediate } from 'node:timers/promises';
import type { EventSourceMessage } from 'eventsource-parser';
import { concat, defer, from, of, repeat, tap } from 'rxjs';
import { StreamError } from '../../src/turn/errors.js';
import { decodeEventStream } from '../../src/response/decode-event-stream.js';
import {
  defaultMaxEventSize,
  type EventStreamOptions,
  eventStreamParser,
} from '../../src/response/event-stream-parser.js';
import { pieces } from '../conformance/cuts.js';
import { record } from '../conformance/record-events.js';
import { collectGarbage } from '../support/heap.js';

const utf8 = (text: string) => new TextEncoder().encode(text);
const toBytes = (part: string | Uint8Array) => (typeof part === 'string' ? utf8(part) : part);

/** What each push gave. */
function pushed(
  parts: readonly (string | Uint8Array)[],
  options: EventStreamOptions & { onComment?: () => void } = {},
): (readonly EventSourceMessage[])[] {
  const parser = eventStreamParser(options);
  return parts.map((part) => parser.push(toBytes(part)));
}

const dataOf = (batches: readonly (readonly EventSourceMessage[])[]) =>
  batches.map((events) => events.map(({ data }) => data));

const bytewise = (part: string | Uint8Array) => pieces(toBytes(part), 1);

describe('eventStreamParser()', () => {
  describe('dispatches', () => {
    it('an event with its type and id, at the push that brings its blank line', () => {
      expect(pushed(['event: delta\nid: 7\nda', 'ta: a\n', '\n'])).toEqual([
        [],
        [],
        [{ event: 'delta', id: '7', data: 'a' }],
      ]);
    });

    it('every event that a push completes, in order', () => {
      expect(dataOf(pushed(['data: 1\n\ndata: 2\n\ndata: 3\n\nda', 'ta: 4\n\n']))).toEqual([
        ['1', '2', '3'],
        ['4'],
      ]);
    });

    it('nothing of a block that no blank line ends', () => {
      expect(dataOf(pushed(['data: 1\n\ndata: 2\n']))).toEqual([['1']]);
    });

    it('it at the end, where it is asked for', () => {
      const parser = eventStreamParser();
      expect(parser.push(utf8('data: 1\n\nid: 7\ndata: 2\nda'))).toEqual([{ data: '1' }]);
      expect(parser.push(utf8('ta: 3'))).toEqual([]);
      expect(parser.end()).toEqual([{ id: '7', data: '2\n3' }]);
      expect(eventStreamParser().end()).toEqual([]);
    });

    it('what a line that is no field stands for, where it is asked about', () => {
      const asked: string[] = [];
      const parser = eventStreamParser({
        eventOf: (line) => {
          asked.push(line);
          return line === 'b' ? { data: 'B' } : undefined;
        },
      });
      const given = parser.push(utf8('data: 1\n\na: x\nb\nretry: x\n: c\ndata: 2\n\nb'));
      expect(given.map(({ data }) => data)).toEqual(['1', 'B', '2']);
      expect(parser.end()).toEqual([{ data: 'B' }]);
      expect(asked).toEqual(['a: x', 'b', 'b']);
    });

    it('nothing of a block without data', () => {
      expect(pushed(['event: delta\nid: 7\n\n'])).toEqual([[]]);
    });

    it('no type or id of the event before', () => {
      expect(pushed(['event: delta\nid: 7\ndata: a\n\ndata: b\n\n'])[0]?.[1]).toEqual({ data: 'b' });
    });

    it('several data lines as one, joined with line feeds', () => {
      expect(dataOf(pushed(['data: {\ndata:  "a":\ndata\ndata:1}\n\n']))).toEqual([['{\n "a":\n\n1}']]);
    });

    it('a character that Unicode counts as a line break as what it is', () => {
      expect(dataOf(pushed(['data: a\u2028b\u0085c\n\n']))).toEqual([['a\u2028b\u0085c']]);
    });

    it('nothing for comments and unknown fields, which stand anywhere', () => {
      expect(dataOf(pushed([': ping\n\nfoo: 1\ndata: a\n: ping\nbar\ndata: b\n\n:\n\n']))).toEqual([
        ['a\nb'],
      ]);
    });

    it('nothing for a bad retry field', () => {
      expect(dataOf(pushed(['retry: soon\ndata: a\n\n']))).toEqual([['a']]);
    });
  });

  it('tells of each comment', () => {
    const onComment = jest.fn();
    pushed([': ping\n\n:', '\n\ndata: a\n: ping\n\n'], { onComment });
    expect(onComment).toHaveBeenCalledTimes(3);
  });

  describe('reads UTF-8', () => {
    it('however a character is cut', () => {
      expect(dataOf(pushed(bytewise('data: é你👩‍👧\n\n'))).flat()).toEqual(['é你👩‍👧']);
    });

    it('with U+FFFD for bytes that are none', () => {
      expect(dataOf(pushed(['data: a', new Uint8Array([0xff]), 'b\n\n'])).flat()).toEqual(['a\ufffdb']);
    });
  });

  describe('drops a byte order mark', () => {
    it.each([
      ['whole', (text: string) => [text]],
      ['cut', bytewise],
    ])('at the beginning, %s', (_, cut) => {
      expect(dataOf(pushed(cut('\ufeffdata: a\n\n'))).flat()).toEqual(['a']);
    });

    it('once: a second one belongs to a field name', () => {
      expect(dataOf(pushed(['\ufeff\ufeffdata: a\n\ndata: b\n\n']))).toEqual([['b']]);
    });

    it('only at the beginning', () => {
      expect(dataOf(pushed(['data: a\n\n', '\ufeffdata: b\n\n', 'data: c\n\n']))).toEqual([['a'], [], ['c']]);
    });

    it('that is one: the characters that its bytes are in Latin-1 stay', () => {
      expect(dataOf(pushed(['ï»¿data: a\n\ndata: b\n\n']))).toEqual([['b']]);
    });
  });

  describe('ends lines', () => {
    const lines = ['data: a', '', 'data: b', 'data: c', '', ''];

    it.each([
      ['LF', '\n'],
      ['CRLF', '\r\n'],
      ['CR', '\r'],
    ])('with %s, whole and byte by byte', (_, end) => {
      const text = lines.join(end);
      expect(dataOf(pushed([text])).flat()).toEqual(['a', 'b\nc']);
      expect(dataOf(pushed(bytewise(text))).flat()).toEqual(['a', 'b\nc']);
    });

    it('with CR at once, where the two that end an event come apart', () => {
      expect(dataOf(pushed(['data: a\r', '\r', 'data: b\r', '\r']))).toEqual([[], ['a'], [], ['b']]);
    });

    it('with CR at once, where the two that end an event come together', () => {
      expect(dataOf(pushed(['data: a\r\r', 'data: b\r\r']))).toEqual([['a'], ['b']]);
    });

    it('with CR at once, where more than two come together', () => {
      expect(dataOf(pushed(['data: a\r\r\r', 'data: b\r\r\r\r']))).toEqual([['a'], ['b']]);
    });

    it('with a mixture', () => {
      expect(dataOf(pushed(['data: a\r\n\rdata: b\n\r\n', 'data: c\n\r']))).toEqual([['a', 'b'], ['c']]);
    });

    it('with CRLF once, where it is cut', () => {
      expect(dataOf(pushed(['data: a\r', '\ndata: b\r', '\n\r', '\n']))).toEqual([[], [], ['a\nb'], []]);
    });

    it('with CRLF once, where nothing whole comes between its halves', () => {
      expect(dataOf(pushed(['data: a\r', '', '\n', 'data: b\n\n']))).toEqual([[], [], [], ['a\nb']]);
    });

    it('with CRLF CRLF once each, where it is cut in the middle of both', () => {
      expect(dataOf(pushed(['data: a\r', '\n\r', '\ndata: b\r', '\n', '\r', '\n']))).toEqual([
        [],
        ['a'],
        [],
        [],
        ['b'],
        [],
      ]);
    });

    it('with CR, where the first byte of a character follows alone', () => {
      expect(
        dataOf(pushed(['data: a\r', new Uint8Array([0xc3]), new Uint8Array([0xa9]), '\r\n\r\n'])).flat(),
      ).toEqual(['a']);
    });
  });

  // Seen through the operator, which is where a limit that is passed becomes an error.
  describe('bounds what is held: the data so far of an event and the line that is being read', () => {
    const maxEventSize = 32;
    const event = (size: number) => `${'data: '.padEnd(size, 'x')}\n\n`;
    const atLimit = event(maxEventSize);
    const beyond = event(maxEventSize + 1);
    const dataAtLimit = 'x'.repeat(maxEventSize - 'data: '.length);
    const passed = (...said: readonly string[]) => ({ said, error: undefined, ended: 1 });
    const failed = (...said: readonly string[]) => ({
      said,
      error: new StreamError({ message: 'An event of the stream is larger than 32 bytes (maxEventSize).' }),
      ended: 1,
    });
    const read = (
      reads: readonly (string | Uint8Array)[],
      options: EventStreamOptions = { maxEventSize },
    ) => {
      const { events, ...end } = record(from(reads.map(toBytes)).pipe(decodeEventStream(options)));
      return { said: events.map(({ data }) => data), ...end };
    };
    const cuts: readonly [string, (text: string) => readonly (string | Uint8Array)[]][] = [
      ['whole', (text) => [text]],
      ['byte by byte', bytewise],
      ['cut before its blank line', (text) => [text.slice(0, -2), text.slice(-2)]],
      ['cut before the end of its blank line', (text) => [text.slice(0, -1), text.slice(-1)]],
    ];

    it('to 32 MiB by default, which the events with images that providers send need', () => {
      expect(defaultMaxEventSize).toBe(33_554_432);
      expect(read([event(1_000_000)], {}).said.map(({ length }) => length)).toEqual([999_994]);
    });

    it.each(cuts)('so that an event at the limit passes, %s', (_, cut) => {
      expect(read(cut(atLimit))).toEqual(passed(dataAtLimit));
    });

    it.each(cuts)('so that one at the limit which nothing ended is there at the end, %s', (_, cut) => {
      const parser = eventStreamParser({ maxEventSize });
      for (const part of cut(atLimit.trimEnd())) parser.push(toBytes(part));
      expect(dataOf([parser.end()])).toEqual([[dataAtLimit]]);
    });

    it.each(cuts)('so that many events at the limit pass, %s', (_, cut) => {
      expect(read(cut(atLimit.repeat(9)))).toEqual(passed(...Array<string>(9).fill(dataAtLimit)));
    });

    it.each(cuts)('so that one beyond the limit is a StreamError without its text, %s', (_, cut) => {
      expect(read(cut(beyond))).toEqual(failed());
    });

    it.each(cuts)('so that what comes before one beyond the limit is given, %s', (_, cut) => {
      expect(read(cut(`data: a\n\n${beyond}`))).toEqual(failed('a'));
    });

    it.each(cuts)('so that nothing after one beyond the limit is given, %s', (_, cut) => {
      expect(read(cut(`${beyond}data: a\n\n`))).toEqual(failed());
    });

    it.each(cuts)('so that the lines of an event count by their sum, %s', (_, cut) => {
      expect(read(cut(`${'data: xxxxxxxxxx\n'.repeat(4)}\n`))).toEqual(failed());
      expect(read(cut(`${'data:\n'.repeat(24)}\n`))).toEqual(passed('\n'.repeat(23)));
    });

    it.each(cuts)('so that a comment beyond the limit is a StreamError too, %s', (_, cut) => {
      for (const [start, ...said] of [[''], ['data: a\n\n', 'a'], [': ping\n']] as const) {
        expect(read(cut(`${start}:${'x'.repeat(maxEventSize)}\n\n`))).toEqual({
          ...failed(...said),
          error: new StreamError({
            message: 'A comment of the stream is larger than 32 bytes (maxEventSize).',
          }),
        });
      }
    });

    it.each(cuts)('so that comments within it never are, however many they are, %s', (_, cut) => {
      expect(read(cut(': ping\n\n'.repeat(20) + atLimit))).toEqual(passed(dataAtLimit));
      expect(read(cut(`${': ping\n'.repeat(20)}${atLimit}`))).toEqual(passed(dataAtLimit));
    });

    it.each<[string, string, readonly string[]]>([
      ['comment', 'a comment', [': ping\n:', 'x'.repeat(40)]],
      ['event', 'a line of data', [': ping\ndata: ', 'x'.repeat(40)]],
      ['comment', 'a comment after whole lines of data', ['data: a\n', `:${'x'.repeat(40)}`]],
    ])('so that %s is said of %s which a later read makes too long', (what, _, reads) => {
      expect(read(reads).error).toEqual(
        new StreamError({
          message: `${what === 'event' ? 'An event' : 'A comment'} of the stream is larger than 32 bytes (maxEventSize).`,
        }),
      );
    });

    it.each<[string, string, readonly string[]]>([
      ['A comment', 'a comment', [`:${'x'.repeat(4_999)}`, 'd'.repeat(4_999), 'd'.repeat(4_999)]],
      [
        'An event',
        'a line of data after a comment',
        [`:${'x'.repeat(4_999)}`, `\ndata:${'x'.repeat(4_000)}`, 'x'.repeat(9_999)],
      ],
    ])('so that %s is too long, where %s comes in large reads', (what, _, reads) => {
      expect(read(reads, { maxEventSize: 10_000 }).error).toEqual(
        new StreamError({ message: `${what} of the stream is larger than 10000 bytes (maxEventSize).` }),
      );
    });

    describe('and lines without an event', () => {
      const tooMany = (message: string) => ({ said: [], error: new StreamError({ message }), ended: 1 });
      const ofNoData = tooMany(
        'Too many lines of the stream in a row contain no data (comments, blank lines) (maxEventSize).',
      );

      it.each([
        ['comments', ':\n', 1_040],
        ['comments that end with CR', ':\r', 1_040],
        ['blank lines', '\r\n', 1_040],
        ['fields without data', 'id: d\n', 1_040],
        ['lines that are none, which cost as much as 16', 'x\n', 60],
      ])('so that %s are 1,024 at the most, but for 16 of a read', (_, line, most) => {
        const event = 'data: a\n\n';
        expect(read([line.repeat(most), event])).toEqual(passed('a'));
        expect(read([line.repeat(most + 5), event])).toEqual(ofNoData);
        expect(read([...Array<string>(3).fill(line.repeat(most)), event])).toEqual(ofNoData);
        expect(read(Array<string>(9).fill(line.repeat(most) + event))).toEqual(
          passed(...Array<string>(9).fill('a')),
        );
      });

      it('so that signs of life are without end: each read of 5,000 has some', () => {
        const reads = [...Array<string>(5_000).fill(': ping\n\n'), 'data: a\n\n'];
        expect(read(reads)).toEqual(passed('a'));
      });

      it('so that no line is counted as data which only goes on with a d', () => {
        const reads = Array<string>(2_000).fill('d\ni');
        expect(read([...reads, 'd\ndata: a\n\n'])).toEqual(passed('a'));
      });

      it('so that each event counts its own: many may come in two reads each', () => {
        const options = { maxEventSize: 1_024 * 32 };
        const lines = Array.from({ length: 4 }, () => ['data\n'.repeat(700), '\n']).flat();
        expect(read(lines, options)).toEqual(passed(...Array<string>(4).fill('\n'.repeat(699))));
        const comments = Array.from({ length: 4 }, () => [':\n'.repeat(700), 'data: a\n\n']).flat();
        expect(read(comments, options)).toEqual(passed(...Array<string>(4).fill('a')));
      });

      it.each([
        ['in one read', (text: string) => [text]],
        ['byte by byte', bytewise],
      ])('so that lines of data, which are held, are 1,024 at the most, %s', (_, cut) => {
        const reads = (lines: number) => cut('data\n'.repeat(lines)).concat('\n');
        const options = { maxEventSize: 1_024 * 32 };
        expect(read(reads(1_024), options)).toEqual(passed('\n'.repeat(1_023)));
        expect(read(reads(1_025), options)).toEqual(
          tooMany('An event of the stream is larger than 32768 bytes (maxEventSize).'),
        );
      });
    });

    it('so that an event which never ends is not waited for', () => {
      let reads = 0;
      const endless = concat(
        of(utf8('data: ')),
        defer(() => of(utf8('x'))).pipe(
          tap(() => (reads += 1)),
          repeat(),
        ),
      );
      const { events, ...end } = record(endless.pipe(decodeEventStream({ maxEventSize })));
      expect({ said: events, ...end }).toEqual(failed());
      expect(reads).toBe(maxEventSize + 1 - 'data: '.length);
    });
  });

  it('holds a line that comes a few bytes at a time in little more than its text', () => {
    const parser = eventStreamParser();
    const heldOf = (count: number) => {
      const few = utf8('xyz');
      for (let read = 0; read < count; read += 1) parser.push(few);
      collectGarbage();
      return process.memoryUsage().heapUsed;
    };
    parser.push(utf8('data: '));
    const before = heldOf(10_000);
    const reads = 200_000;
    // By itself, each read would weigh ten times its text.
    expect(heldOf(reads) - before).toBeLessThan(3 * 3 * reads);
    expect(parser.push(utf8('\n\n'))[0]?.data).toHaveLength(3 * (10_000 + reads));
  });

  it('holds nothing of a read once it has given its events', async () => {
    const parser = eventStreamParser();
    const [given, still] = refsOf(parser.push(utf8('data: a\n\ndata: b\n\n')));
    // What a WeakRef names stays as long as the task in which it was made.
    await setImmediate();
    collectGarbage();
    expect([given?.deref(), still?.deref()]).toEqual([undefined, undefined]);
    expect(dataOf([parser.push(utf8('data: c\n\n'))])).toEqual([['c']]);
  });
});

const refsOf = (events: readonly EventSourceMessage[]) => events.map((event) => new WeakRef(event));
