import fc from 'fast-check';
import { promptTexts, redactPieces, secretsToRemove } from '../../src/testing/redact-exchange.js';

const request = (fields: { url?: string; headers?: Record<string, string>; body?: string }) => ({
  url: 'http://provider.test/v1',
  method: 'POST' as const,
  headers: {},
  body: '{}',
  ...fields,
});

describe('redactPieces()', () => {
  it('replaces a secret inside a piece and leaves the others alone', () => {
    expect(redactPieces(['a sk-secret b', 'c'], ['sk-secret'])).toEqual(['a *** b', 'c']);
  });

  it('replaces a secret that stands across pieces, in the one in which it began', () => {
    expect(redactPieces(['a sk-', 'sec', 'ret b'], ['sk-secret'])).toEqual(['a ***', '', ' b']);
  });

  it('replaces a secret as often as it stands there', () => {
    expect(redactPieces(['sk-secretsk-sec', 'ret', 'sk-secret'], ['sk-secret'])).toEqual([
      '******',
      '',
      '***',
    ]);
  });

  it('replaces the beginning of a secret that the end cuts off, from 8 characters on', () => {
    expect(redactPieces(['a sk-s', 'ecre'], ['sk-secret'])).toEqual(['a ***', '']);
    expect(redactPieces(['a sk-s', 'ecr'], ['sk-secret'])).toEqual(['a sk-s', 'ecr']);
  });

  it('replaces a secret of which another is a part as a whole', () => {
    expect(redactPieces(['a sk-secret-2 b'], ['sk-secret-2', 'sk-secret'])).toEqual(['a *** b']);
  });

  it('ends for a secret of asterisks', () => {
    expect(redactPieces(['******', '**'], ['******'])).toEqual(['***', '**']);
  });

  it('gives as many pieces as it got, joined to a text without the secret', () => {
    const secret = 'sk-0123456789';
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
          const redacted = redactPieces(pieces, [secret]);
          expect(redacted).toHaveLength(pieces.length);
          expect(redacted.join('')).toBe(text.replaceAll(secret, '***'));
        },
      ),
    );
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
        ['from options'],
      ),
    ).toEqual(['from%20options', 'from options', 'from+options', 'from-header', 'from-query']);
  });

  it('leaves out what is shorter than 6 characters', () => {
    expect(secretsToRemove(request({ headers: { 'api-key': '12345' } }), ['123456'])).toEqual(['123456']);
  });
});

describe('promptTexts()', () => {
  const long = 'Why is the "sky" blue?';

  it('finds the texts of messages as they are and as they stand in JSON', () => {
    const body = {
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: long },
        { role: 'user', content: [{ type: 'text', text: 'Another long text.' }, { type: 'image_url' }] },
        { role: 'assistant', content: null },
        null,
      ],
    };
    expect(promptTexts(JSON.stringify(body))).toEqual([
      'Why is the \\"sky\\" blue?',
      long,
      'Another long text.',
    ]);
  });

  it.each(['', 'no JSON', '[]', '{}', '{"messages":{}}'])('finds none in %p', (body) => {
    expect(promptTexts(body)).toEqual([]);
  });
});
