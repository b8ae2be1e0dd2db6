import fc from 'fast-check';
import {
  promptTexts,
  redactPieces,
  secretsToRemove,
  soughtInBody,
} from '../../src/testing/redact-exchange.js';

const request = (fields: { url?: string; headers?: Record<string, string>; body?: string }) => ({
  url: 'http://provider.test/v1',
  method: 'POST' as const,
  headers: {},
  body: '{}',
  ...fields,
});

const redacted = (pieces: readonly string[], ...secrets: readonly string[]) =>
  redactPieces(pieces, soughtInBody(secrets));

const secret = 'sk-0123456789';

describe('redactPieces()', () => {
  it('replaces a secret inside a piece and leaves the others alone', () => {
    expect(redacted(['a sk-secret b', 'c'], 'sk-secret')).toEqual(['a *** b', 'c']);
  });

  it('replaces a secret that stands across pieces, in the one in which it began', () => {
    expect(redacted(['a sk-', 'sec', 'ret b'], 'sk-secret')).toEqual(['a ***', '', ' b']);
  });

  it('replaces a secret as often as it stands there', () => {
    expect(redacted(['sk-secretsk-sec', 'ret', 'sk-secret'], 'sk-secret')).toEqual(['******', '', '***']);
  });

  it('replaces the beginning of a secret that the end cuts off, from 8 characters on', () => {
    expect(redacted(['a sk-s', 'ecre'], 'sk-secret')).toEqual(['a ***', '']);
    expect(redacted(['a sk-s', 'ecr'], 'sk-secret')).toEqual(['a sk-s', 'ecr']);
  });

  it('replaces a secret of which another is a part as a whole', () => {
    expect(redacted(['a sk-secret-2 b'], 'sk-secret', 'sk-secret-2')).toEqual(['a *** b']);
  });

  it('replaces a secret in whatever encoding, also across pieces', () => {
    expect(redacted(['a sk%2D0123', '456789 b'], secret)).toEqual(['a ***', ' b']);
    expect(
      redacted([`a ${btoa(secret).slice(0, 7)}`, `${btoa(secret).slice(7)} b`], secret).join(''),
    ).toMatch(/^a \*\*\*.{0,4} b$/);
  });

  it('replaces a secret that is no ASCII, in the bytes of UTF-8 and in escapes', () => {
    const bytes = Buffer.from('a Schlüssel b').toString('latin1');
    expect(redacted([bytes, 'a Schl\\u00fcssel b'], 'Schlüssel')).toEqual(['a *** b', 'a *** b']);
  });

  it('ends for a secret of asterisks', () => {
    expect(redacted(['********', '**'], '********')).toEqual(['***', '']);
  });

  it('gives as many pieces as it got, joined to a text without the secret', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'sk-', secret, '0123'), { maxLength: 12 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        (words, offsets) => {
          const text = words.join('|');
          const cuts = [0, ...offsets.map((offset) => offset % (text.length + 1)), text.length].sort(
            (a, b) => a - b,
          );
          const pieces = cuts.slice(1).map((end, index) => text.slice(cuts[index], end));
          const clean = redacted(pieces, secret);
          expect(clean).toHaveLength(pieces.length);
          expect(clean.join('')).toBe(text.replaceAll(secret, '***'));
        },
      ),
    );
  });

  describe('finds a secret that is split over deltas', () => {
    const chunk = (delta: object, index = 0) =>
      `data: ${JSON.stringify({ choices: [{ index, delta }] })}\n\n`;

    it('of the same choice, and leaves everything else as it came', () => {
      const text = (content: string) => chunk({ content });
      expect(
        redacted([text('a sk-01'), text(''), text('2345'), text('6789 b'), text('c sk-')], secret),
      ).toEqual([text('a ***'), text(''), text('***'), text('*** b'), text('c sk-')]);
    });

    it('of each choice for itself', () => {
      const pieces = [
        chunk({ content: 'sk-0123' }, 0),
        chunk({ content: 'sk-01' }, 1),
        chunk({ content: '456789' }, 0),
        chunk({ content: '2345' }, 1),
      ];
      expect(redacted(pieces, secret)).toEqual([
        chunk({ content: '***' }, 0),
        chunk({ content: '***' }, 1),
        chunk({ content: '***' }, 0),
        chunk({ content: '***' }, 1),
      ]);
    });

    it('wherever the index of the choice stands', () => {
      const late = (content: string, index: number) =>
        `data: {"choices":[{"delta":{"content":"${content}"},"index":${index}}]}\n\n`;
      expect(redacted([late('sk-0123', 0), late('x', 1), late('456789', 0)], secret).join('')).not.toContain(
        '0123',
      );
    });

    it('in the arguments of a call, in its reasoning, and in an error’s parts', () => {
      for (const delta of [
        (text: string) => ({ tool_calls: [{ index: 0, function: { arguments: `{"a":"${text}` } }] }),
        (text: string) => ({ reasoning_content: text }),
        (text: string) => ({ content: [{ type: 'text', text }] }),
      ]) {
        const whole = redacted([chunk(delta('sk-0123456')), chunk(delta('789'))], secret).join('');
        if (!JSON.stringify(delta('')).includes('arguments')) expect(whole).not.toMatch(/0123|789/);
      }
      const call = (text: string) => chunk({ tool_calls: [{ index: 0, function: { arguments: text } }] });
      expect(redacted([call('{"a":"sk-01'), call('23456789"}')], secret)).toEqual([
        call('{"a":"***'),
        call('***"}'),
      ]);
    });

    it('between parts of one body, and where escapes hide it', () => {
      const body = '{"choices":[{"message":{"content":[{"text":"sk-01"},{"text":"2345\\u0036789"}]}}]}';
      expect(redacted([body], secret)).toEqual([
        '{"choices":[{"message":{"content":[{"text":"***"},{"text":"***"}]}}]}',
      ]);
    });

    it('where the network cut the events, or the body ends in one', () => {
      const text = `${chunk({ content: 'sk-0123' })}data: {"choices":[{"index":0,"delta":{"content":"456789`;
      for (let cut = 0; cut <= text.length; cut += 1)
        expect(redacted([text.slice(0, cut), text.slice(cut)], secret).join('')).not.toMatch(/0123|4567/);
    });

    it('but no texts that stand apart', () => {
      const pieces = [
        chunk({ content: 'sk-0123' }),
        chunk({ reasoning: '456789' }),
        chunk({ role: '456789' }),
      ];
      expect(redacted(pieces, secret)).toEqual(pieces);
    });
  });

  it('copies a body a bounded number of times, however often a secret stands there', () => {
    const work = (echoes: number) => {
      const sought = soughtInBody([secret]);
      const pieces = Array.from(
        { length: echoes },
        () => `data: {"choices":[{"index":0,"delta":{"content":"${secret}"}}]}\n\n`,
      );
      const indexOf = jest.spyOn(String.prototype, 'indexOf');
      const slice = jest.spyOn(String.prototype, 'slice');
      try {
        const clean = redactPieces(pieces, sought);
        const copied = slice.mock.results.reduce((sum, { value }) => sum + (value as string).length, 0);
        return { asked: indexOf.mock.calls.length, copied, clean };
      } finally {
        indexOf.mockRestore();
        slice.mockRestore();
      }
    };
    const [few, many] = [work(1_000), work(20_000)];
    expect(many.asked / few.asked).toBeLessThan(20.1);
    expect(many.copied / few.copied).toBeLessThan(20.1);
    expect(many.clean.join('')).not.toContain(secret);
  });
});

describe('secretsToRemove()', () => {
  it('finds keys in headers and in the query, and takes further ones', () => {
    expect(
      secretsToRemove(
        request({
          url: 'http://provider.test/v1?api-key=from-query',
          headers: { Authorization: 'Bearer from-header', accept: 'text/event-stream' },
        }),
        ['from options', 'from-query'],
      ),
    ).toEqual(['from-header', 'from-query', 'from options']);
  });

  it('leaves out what is shorter than 7 characters, as errors do', () => {
    expect(secretsToRemove(request({ headers: { 'api-key': '123456' } }), ['123456', '1234567'])).toEqual([
      '1234567',
    ]);
  });
});

describe('promptTexts()', () => {
  const long = 'Why is the "sky" blue?';

  it('finds the texts of messages', () => {
    const body = {
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: long },
        { role: 'user', content: [{ type: 'text', text: 'Another long text.' }, { type: 'image_url' }] },
        { role: 'assistant', content: null },
        null,
      ],
    };
    const texts = promptTexts(JSON.stringify(body));
    expect(texts).toEqual([long, 'Another long text.']);
    const escaped = JSON.stringify(long).replace(
      /[aeiou]/g,
      (vowel) => `\\u00${vowel.charCodeAt(0).toString(16)}`,
    );
    expect(redactPieces([long, escaped], soughtInBody([], texts))).toEqual(['***', '"***"']);
  });

  it.each(['', 'no JSON', '[]', '{}', '{"messages":{}}'])('finds none in %p', (body) => {
    expect(promptTexts(body)).toEqual([]);
  });
});
