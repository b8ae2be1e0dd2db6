import { joinDetails } from '../../src/turn/reasoning-details.js';

const text = (said: string, more: object = {}) => ({ type: 'reasoning.text', text: said, index: 0, ...more });

const joinOne = (details: readonly unknown[], piece: unknown) => joinDetails(details, [piece]);

/** What pieces that arrive one by one are put together to. */
const joined = (...pieces: readonly unknown[]) => pieces.reduce<readonly unknown[]>(joinOne, []);

describe('joinDetails', () => {
  it.each<[string, readonly unknown[], readonly unknown[]]>([
    ['one detail', [text('Hm')], [text('Hm')]],
    ['text in pieces', [text('one '), text('two '), text('three')], [text('one two three')]],
    [
      'a summary in pieces',
      [
        { type: 'reasoning.summary', summary: 'one ' },
        { type: 'reasoning.summary', summary: 'two' },
      ],
      [{ type: 'reasoning.summary', summary: 'one two' }],
    ],
    [
      'a signature that comes with the last piece',
      [text('one '), text('two', { signature: 's' })],
      [text('one two', { signature: 's' })],
    ],
    [
      'a signature that comes by itself',
      [text('one'), { type: 'reasoning.text', index: 0, signature: 's' }],
      [text('one', { signature: 's' })],
    ],
    [
      'a later piece whose other fields are null',
      [text('one ', { id: 'r', format: 'f' }), text('two', { id: null, format: null })],
      [text('one two', { id: 'r', format: 'f' })],
    ],
    [
      'thinking, as LiteLLM sends it, with a signature that is null until it comes',
      [
        { type: 'thinking', thinking: 'one ', signature: null },
        { type: 'thinking', thinking: 'two', signature: null },
        { type: 'thinking', thinking: '', signature: 's' },
      ],
      [{ type: 'thinking', thinking: 'one two', signature: 's' }],
    ],
    [
      'a signature that is empty until it comes, and an id that is empty after it came',
      [text('one ', { signature: '', id: 'r' }), text('two', { signature: 's', id: '' })],
      [text('one two', { signature: 's', id: 'r' })],
    ],
    [
      'a signature that comes by itself after entries of other types or indices',
      [
        text('one'),
        { type: 'reasoning.encrypted', data: 'x', index: 0 },
        { type: 'reasoning.text', index: 0, signature: 's' },
      ],
      [text('one', { signature: 's' }), { type: 'reasoning.encrypted', data: 'x', index: 0 }],
    ],
  ])('puts %s together', (_, pieces, expected) => {
    expect(joined(...pieces)).toStrictEqual(expected);
    expect(joinDetails([], pieces)).toStrictEqual(expected);
  });

  it.each<[string, readonly unknown[]]>([
    ['other types', [text('one'), { type: 'reasoning.summary', summary: 'two', index: 0 }]],
    ['other indices', [text('one'), text('two', { index: 1 })]],
    [
      'encrypted parts',
      [
        { type: 'reasoning.encrypted', data: 'a', index: 0 },
        { type: 'reasoning.encrypted', data: 'b', index: 0 },
      ],
    ],
    ['what is no object', [null, 'a', 'b', 7, [], []]],
    ['text after a signature, which ends a block', [text('one', { signature: 's' }), text('two')]],
    ['blocks that are signed each', [text('one', { signature: 's' }), text('two', { signature: 't' })]],
    [
      'a signature and what it is not of',
      [
        text('one'),
        { type: 'reasoning.text', index: 1, signature: 's' },
        { type: 'other', index: 0, signature: 't' },
      ],
    ],
    ['blocks whose ids differ', [text('one', { id: 'a' }), text('two', { id: 'b' })]],
  ])('keeps %s apart', (_, pieces) => {
    expect(joined(...pieces)).toStrictEqual(pieces);
    expect(joinDetails([], pieces)).toStrictEqual(pieces);
  });

  it('joins to the last entry only', () => {
    const other = text('two', { index: 1 });
    expect(joined(text('one'), other, text('three'))).toStrictEqual([text('one'), other, text('three')]);
  });

  it('looks 32 entries back for what a signature is of', () => {
    const others = (count: number) => Array.from({ length: count }, (_, data) => ({ type: 'e', data }));
    const signature = { type: 'reasoning.text', index: 0, signature: 's' };
    expect(joined(text('one'), ...others(31), signature)).toStrictEqual([
      text('one', { signature: 's' }),
      ...others(31),
    ]);
    expect(joined(text('one'), ...others(32), signature)).toStrictEqual([
      text('one'),
      ...others(32),
      signature,
    ]);
  });

  describe('holds no more than it can carry on', () => {
    const apart = (count: number, from = 0) =>
      Array.from({ length: count }, (_, index) => ({ type: 'reasoning.encrypted', index: from + index }));

    it.each<[string, (details: readonly unknown[]) => readonly unknown[]]>([
      ['that come at once', (details) => joinDetails([], details)],
      ['that come one by one', (details) => joined(...details)],
    ])('keeps the first 4,096 entries %s', (_, join) => {
      expect(join(apart(4_096))).toStrictEqual(apart(4_096));
      expect(join(apart(4_097))).toStrictEqual(apart(4_096));
    });

    it('does not join to the last entry what went on with one that was left out', () => {
      const full = joined(...apart(4_095), text('the last'));
      expect(joinDetails(full, [...apart(1), text(' of another')])).toBe(full);
    });

    it('does not copy the list again for what is left out', () => {
      const full = joinDetails([], apart(4_096));
      expect(apart(100, 4_096).reduce(joinOne, full)).toBe(full);
    });

    it('joins nothing to an entry of more than 32 fields', () => {
      const fields = (count: number) =>
        Object.fromEntries(Array.from({ length: count }, (_, place) => [`field${place}`, place]));
      const most = text('one ', fields(29));
      const more = text('one ', fields(30));
      expect(joined(most, text('two'))).toStrictEqual([{ ...most, text: 'one two' }]);
      expect(joined(more, text('two'))).toStrictEqual([more, text('two')]);
    });
  });

  it('leaves what it was given as it was', () => {
    const before = Object.freeze([Object.freeze(text('one'))]);
    const added = Object.freeze([Object.freeze(text('two'))]);
    expect(joinDetails(before, added)).toStrictEqual([text('onetwo')]);
    expect([before, added]).toStrictEqual([[text('one')], [text('two')]]);
  });

  it('takes __proto__ and constructor for names like any other', () => {
    const parse = (said: string): unknown =>
      JSON.parse(`{"type":"t","text":"${said}","__proto__":{"polluted":"${said}"},"constructor":"${said}"}`);
    const [detail] = joined(parse('a'), parse('b'));
    expect(JSON.stringify(detail)).toBe(
      '{"type":"t","text":"ab","__proto__":{"polluted":"b"},"constructor":"b"}',
    );
    expect(Object.getPrototypeOf(detail)).toBe(Object.prototype);
    expect('polluted' in {}).toBe(false);
  });
});
