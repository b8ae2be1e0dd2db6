import { eventsOf } from '../../src/cli/configuration.js';

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
