import type { EventSourceMessage } from 'eventsource-parser';
import fc from 'fast-check';
import { from, map, NEVER, type Observable, of, range, take } from 'rxjs';
import { encodeEventStream } from '../../src/relay/encode-event-stream.js';
import type { ServerSentMessage } from '../../src/relay/server-sent-message.js';
import { decodeEventStream } from '../../src/response/decode-event-stream.js';
import { cutAt } from '../conformance/cuts.js';
import { record } from '../conformance/record-events.js';
import { anyText, cutOffsets } from '../properties/streams.js';
import { failureOf, received, testScheduler } from '../support/marbles.js';

const messages: Record<string, ServerSentMessage> = {
  a: { data: 'Hel' },
  b: { data: 'line\nline', event: 'error', id: '7' },
};
const texts = {
  a: 'data: Hel\n\n',
  b: 'event: error\nid: 7\ndata: line\ndata: line\n\n',
  p: ': ping\n\n',
};

const encoded = (...of: readonly ServerSentMessage[]) => received(from(of).pipe(encodeEventStream()));

const utf8 = (source: Observable<string>) => source.pipe(map((text) => new TextEncoder().encode(text)));

describe('encodeEventStream', () => {
  it('writes each message as one text, with its name and id, and its data line by line', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('                                     -a---b-|', messages);
      expectObservable(source.pipe(encodeEventStream())).toBe('-a---b-|', texts);
      expectSubscriptions(source.subscriptions).toBe('         ^------!');
    });
  });

  it("passes the source's error on", () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('                                     -a-#', messages, 'broken');
      expectObservable(source.pipe(encodeEventStream())).toBe('-a-#', texts, 'broken');
      expectSubscriptions(source.subscriptions).toBe('         ^--!');
    });
  });

  it('fills silence with comments', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold(
        '                                                                 --a---------b--|',
        messages,
      );
      expectObservable(source.pipe(encodeEventStream({ heartbeat: 4, scheduler }))).toBe(
        '--a---p---p-b--|',
        texts,
      );
      expectSubscriptions(source.subscriptions).toBe('                                     ^--------------!');
    });
  });

  it('fills silence of 15 seconds by default', () => {
    testScheduler().run(({ expectObservable }) => {
      expectObservable(NEVER.pipe(encodeEventStream()), '^ 31s !').toBe('15s p 14999ms p', texts);
    });
  });

  it('unsubscribes from the source, and rests, with its subscriber', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-', messages);
      const text = source.pipe(encodeEventStream({ heartbeat: 4, scheduler }));
      expectObservable(text, '                        ^-----!').toBe('-a---p-', texts);
      expectSubscriptions(source.subscriptions).toBe('^-----!');
      scheduler.schedule(() => expect(scheduler.actions).toHaveLength(0), 7);
    });
  });

  it('stops an endless synchronous source', () => {
    const endless = range(0, Infinity).pipe(map(() => messages['a']!));
    expect(received(endless.pipe(encodeEventStream(), take(2)))).toEqual([texts.a, texts.a]);
  });

  it.each([0, -1, NaN, '15'])('throws at a heartbeat of %p', (heartbeat) => {
    expect(() => encodeEventStream({ heartbeat: heartbeat as number })).toThrow(TypeError);
  });

  it('writes what is empty: data and an id, which a client then forgets; a name that is empty is none', () => {
    expect(encoded({ data: '' }, { data: '', event: '', id: '' })).toEqual([
      'data: \n\n',
      'id: \ndata: \n\n',
    ]);
  });

  it('ends the lines of data at CR and CRLF as at LF, so that no data becomes a field', () => {
    expect(encoded({ data: 'a\rid: 1\r\nevent: x\n\r\r\n' })).toEqual([
      'data: a\ndata: id: 1\ndata: event: x\ndata: \ndata: \ndata: \n\n',
    ]);
  });

  describe('errors, after what came before, at', () => {
    it.each<[string, object, string]>([
      ['a name with a line feed', { event: 'x\ndata: 4Fh2mQx9Zr' }, 'event'],
      ['a name with a carriage return', { event: '4Fh2mQx9Zr\r' }, 'event'],
      ['a name that is no string', { event: ['4Fh2mQx9Zr'] }, 'event'],
      ['an id with a line feed', { id: '4Fh2mQx9Zr\n' }, 'id'],
      ['an id with a carriage return', { id: '\r4Fh2mQx9Zr' }, 'id'],
      ['an id with a NUL', { id: '4Fh2mQx9Zr\0' }, 'id'],
      ['an id that is no string', { id: 7 }, 'id'],
      ['data that is no string', { data: { said: '4Fh2mQx9Zr' } }, 'data'],
    ])('%s: a TypeError that names the field and holds nothing of it', (_, fields, name) => {
      const source = of<ServerSentMessage[]>({ data: 'a' }, { data: 'x', ...fields }, { data: 'b' });
      const { events, error } = record<string>(source.pipe(encodeEventStream()));
      expect(events).toEqual(['data: a\n\n']);
      expect(error).toBeInstanceOf(TypeError);
      expect((error as TypeError).message).toMatch(
        new RegExp(`^The ${name} of a server-sent event must be a string`),
      );
      expect((error as TypeError).stack).not.toContain('4Fh2mQx9Zr');
    });

    it('it, and unsubscribes from the source', () => {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold<ServerSentMessage>('-x-a', { ...messages, x: { data: '', id: '\0' } });
        expectObservable(source.pipe(encodeEventStream())).toBe(
          '-#',
          texts,
          failureOf(of({ data: '', id: '\0' }).pipe(encodeEventStream())),
        );
        expectSubscriptions(source.subscriptions).toBe('^!');
      });
    });
  });

  describe('read by decodeEventStream()', () => {
    const lines = (text: string) => text.replace(/\r\n|\r/g, '\n');
    /** UTF-8 has no halves of surrogate pairs. */
    const wellFormed = (text: string) =>
      new TextDecoder('utf-8', { ignoreBOM: true }).decode(new TextEncoder().encode(text));
    const field = anyText.map((text) => text.replace(/[\r\n\0]/g, ''));
    const message = fc.record({
      data: anyText.map(lines).map(wellFormed),
      event: fc.option(
        field.map(wellFormed).filter((name) => name !== ''),
        { nil: undefined },
      ),
      id: fc.option(field.map(wellFormed), { nil: undefined }),
    });

    it('is the same messages, however the bytes are cut', () => {
      fc.assert(
        fc.property(fc.array(message, { maxLength: 6 }), cutOffsets, (written, offsets) => {
          const text = received(from(written).pipe(encodeEventStream())).join('');
          const read = from(cutAt(new TextEncoder().encode(text), offsets)).pipe(decodeEventStream());
          expect(record<EventSourceMessage>(read)).toEqual({ events: written, error: undefined, ended: 1 });
        }),
      );
    });

    it('is the same messages but for line ends in data, an empty name and halves of surrogate pairs', () => {
      const any = fc.record({
        data: anyText,
        event: fc.option(field, { nil: undefined }),
        id: fc.option(field, { nil: undefined }),
      });
      fc.assert(
        fc.property(fc.array(any, { maxLength: 6 }), (written) => {
          const read = utf8(from(written).pipe(encodeEventStream())).pipe(decodeEventStream());
          expect(received(read)).toEqual(
            written.map(({ data, event, id }) => ({
              data: wellFormed(lines(data)),
              event: event === undefined || event === '' ? undefined : wellFormed(event),
              id: id === undefined ? undefined : wellFormed(id),
            })),
          );
        }),
      );
    });

    it('is never more messages than were written, whatever stands in them', () => {
      const inject = fc
        .array(fc.constantFrom('data: x', '\n', '\r', '\r\n', 'id: 1', 'event: y', ': c', '\0', ' '), {
          maxLength: 8,
        })
        .map((parts) => parts.join(''));
      const hostile = fc.record({ data: inject, event: inject, id: inject });
      fc.assert(
        fc.property(hostile, (written) => {
          const { events, error } = record(
            utf8(of(written).pipe(encodeEventStream())).pipe(decodeEventStream()),
          );
          if (error === undefined)
            expect(events).toEqual([
              { ...written, data: lines(written.data), event: written.event || undefined },
            ]);
          else expect(events).toEqual([]);
        }),
      );
    });
  });
});
