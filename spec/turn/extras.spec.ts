import { callExtras, extrasKeeper, isWithinDepth, joinExtras, messageExtras } from '../../src/turn/extras.js';

const nested = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);

describe('callExtras', () => {
  const call = { id: 'a', index: 0, type: 'function', function: { name: 'f', arguments: '{}' } };

  it.each<[string, Record<string, unknown>]>([
    ['a call', call],
    ['a fragment', { index: 0, function: { arguments: '{' } }],
    ['a call of a custom tool', { id: 'a', type: 'custom', custom: { name: 'f', input: 'x' } }],
    [
      'fields that say nothing',
      { ...call, extra_content: null, signature: '', function: { name: 'f', strict: null } },
    ],
    ['nothing', {}],
  ])('is undefined for %s', (_, entry) => {
    expect(callExtras(entry)).toBeUndefined();
  });

  it('is whatever else stands there, as it came', () => {
    const said = {
      extra_content: { google: { thought_signature: 'c2ln' } },
      provider_specific_fields: { thought_signature: 'c2ln' },
      progress: 0,
      is_final: false,
      parts: [],
    };
    expect(callExtras({ ...call, ...said })).toEqual(said);
  });

  it('is what stands beside the name and the arguments, in its place', () => {
    expect(callExtras({ ...call, function: { ...call.function, thought_signature: 'c2ln' } })).toEqual({
      function: { thought_signature: 'c2ln' },
    });
    expect(callExtras({ note: 'n', custom: { name: 'f', input: 'x', thought_signature: 'c2ln' } })).toEqual({
      note: 'n',
      custom: { thought_signature: 'c2ln' },
    });
  });

  it('takes __proto__ for a name like any other', () => {
    const extras = callExtras(
      JSON.parse('{"id":"a","__proto__":{"polluted":true}}') as Record<string, unknown>,
    );
    expect(JSON.stringify(extras)).toBe('{"__proto__":{"polluted":true}}');
    expect(Object.getPrototypeOf(extras)).toBe(Object.prototype);
  });
});

describe('messageExtras', () => {
  it.each<[string, unknown]>([
    ['thinking_blocks', [{ type: 'thinking', thinking: 'Hm.', signature: 'c2ln' }]],
    ['reasoning_opaque', 'b3BhcXVl'],
    ['reasoning_signature', 'c2ln'],
    ['reasoning_items', [{ encrypted_content: 'ZW5j' }]],
    ['signature', 'c2ln'],
    ['thought_signature', 'c2ln'],
    ['encrypted_content', 'ZW5j'],
    ['cot_id', 'c-1'],
    ['extra_content', { google: { thought_signature: 'c2ln' } }],
    ['provider_specific_fields', { thought_signatures: ['c2ln'] }],
  ])('keeps %s', (name, value) => {
    expect(messageExtras({ role: 'assistant', content: 'Hi', [name]: value })).toEqual({ [name]: value });
  });

  it.each<[string, unknown]>([
    ['content', 'Hi'],
    ['reasoning', 'Hm.'],
    ['reasoning_content', 'Hm.'],
    ['reasoning_text', 'Hm.'],
    ['reasoning_details', [{ type: 'reasoning.text' }]],
    ['thinking', 'Hm.'],
    ['annotations', [{ type: 'url_citation' }]],
    ['audio', { id: 'audio_1' }],
    ['channel', 'analysis'],
    ['executed_tools', [{ index: 0 }]],
    ['logprobs', {}],
    ['tool_call_generating', true],
    ['reasoning_opaque', ''],
    ['reasoning_opaque', null],
    ['reasoning_tokens', 7],
    ['thinking_blocks', []],
    ['provider_specific_fields', {}],
  ])('leaves out %s: %j', (name, value) => {
    expect(messageExtras({ [name]: value })).toBeUndefined();
  });

  it('leaves flags and figures out, which are about one delta, and not those in lists', () => {
    expect(messageExtras({ extra_content: { google: { thought: true } } })).toBeUndefined();
    expect(
      messageExtras({
        extra_content: { google: { thought: true, at: 1, thought_signature: 'c2ln' } },
        thinking_blocks: [{ type: 'thinking', index: 0, last: true }],
      }),
    ).toEqual({
      extra_content: { google: { thought_signature: 'c2ln' } },
      thinking_blocks: [{ type: 'thinking', index: 0, last: true }],
    });
  });
});

describe('joinExtras', () => {
  it.each<[string, Record<string, unknown>, Record<string, unknown>, Record<string, unknown>]>([
    ['fields of both', { a: 1 }, { b: 2 }, { a: 1, b: 2 }],
    ['the later of two values', { a: 'one', b: 1 }, { a: 'two', b: false }, { a: 'two', b: false }],
    ['the earlier, where the later says nothing', { a: 'one', b: 1 }, { a: '', b: null }, { a: 'one', b: 1 }],
    [
      'records, field by field',
      { extra_content: { google: { thought_signature: 's' } } },
      { extra_content: { google: { other: 't' }, vertex: 'v' } },
      { extra_content: { google: { thought_signature: 's', other: 't' }, vertex: 'v' } },
    ],
    [
      'blocks that came in pieces',
      { thinking_blocks: [{ type: 'thinking', thinking: 'Look', signature: null }] },
      { thinking_blocks: [{ type: 'thinking', thinking: ' up.', signature: '' }] },
      { thinking_blocks: [{ type: 'thinking', thinking: 'Look up.', signature: '' }] },
    ],
    [
      'a block and the signature that ends it, then another',
      { thinking_blocks: [{ type: 'thinking', thinking: 'one', signature: null }] },
      {
        thinking_blocks: [
          { type: 'thinking', thinking: '', signature: 'c2ln' },
          { type: 'redacted_thinking', data: 'ZW5j' },
          { type: 'thinking', thinking: 'two', signature: null },
        ],
      },
      {
        thinking_blocks: [
          { type: 'thinking', thinking: 'one', signature: 'c2ln' },
          { type: 'redacted_thinking', data: 'ZW5j' },
          { type: 'thinking', thinking: 'two', signature: null },
        ],
      },
    ],
  ])('gives %s', (_, before, added, expected) => {
    expect(joinExtras(Object.freeze(before), Object.freeze(added))).toEqual(expected);
  });

  it('is the other where there is only one, and empty where there is none', () => {
    const extras = { a: 1 };
    expect(joinExtras(undefined, extras)).toBe(extras);
    expect(joinExtras(extras, undefined)).toBe(extras);
    expect(joinExtras(undefined, undefined)).toEqual({});
  });

  it('holds 32 fields, and copies none of a record that has more', () => {
    const fields = (count: number, from = 0) =>
      Object.fromEntries(Array.from({ length: count }, (_, place) => [`f${from + place}`, 'x']));
    expect(joinExtras(fields(31), fields(2, 31))).toEqual(fields(32));
    expect(joinExtras(fields(32), { f0: 'y' })).toEqual({ ...fields(32), f0: 'y' });
    const many = fields(33);
    expect(joinExtras(many, { f0: 'y' })).toBe(many);
  });

  it('takes __proto__ for a name like any other', () => {
    const said = JSON.parse('{"__proto__":{"polluted":true}}') as Record<string, unknown>;
    const joined = joinExtras({ a: 1 }, said);
    expect(JSON.stringify(joined)).toBe('{"a":1,"__proto__":{"polluted":true}}');
    expect(Object.getPrototypeOf(joined)).toBe(Object.prototype);
  });
});

describe('of an object with more than 1,024 fields', () => {
  const fields = (count: number): Record<string, unknown> =>
    Object.fromEntries(Array.from({ length: count }, (_, place) => [`signature${place}`, 'x']));

  it.each<[string, typeof callExtras, (said: Record<string, unknown>) => Record<string, unknown>]>([
    ['a call', callExtras, (said) => said],
    ['the function of a call', callExtras, (said) => ({ function: said })],
    ['a custom tool', callExtras, (said) => ({ custom: said })],
    ['a message', messageExtras, (said) => said],
    ['a field of a message', messageExtras, (said) => ({ extra_content: said })],
    ['a field of that', messageExtras, (said) => ({ extra_content: { google: said } })],
  ])('nothing is kept: %s', (_, extrasOf, entryOf) => {
    expect(extrasOf(entryOf(fields(1_024)))).toEqual(entryOf(fields(1_024)));
    expect(extrasOf(entryOf(fields(1_025)))).toBeUndefined();
  });

  it('what stands beside it is', () => {
    expect(callExtras({ note: 'n', function: fields(1_025) })).toEqual({ note: 'n' });
    expect(messageExtras({ signature: 's', extra_content: fields(1_025) })).toEqual({ signature: 's' });
  });
});

describe('extrasKeeper', () => {
  it('keeps fields as they came', () => {
    const fields = { a: [{ b: 1 }] };
    expect(extrasKeeper().keep(fields)).toBe(fields);
    expect(extrasKeeper().keep(undefined)).toBeUndefined();
  });

  it('keeps 4,194,304 characters of one answer, names included, and nothing after them', () => {
    const keeper = extrasKeeper();
    const half = { a: 'x'.repeat(2_097_151) };
    expect(keeper.keep(half)).toBe(half);
    expect(keeper.keep(half)).toBe(half);
    expect(keeper.keep({ a: '' })).toBeUndefined();
    const other = extrasKeeper();
    other.keep(half);
    expect(other.keep({ ab: 'x'.repeat(2_097_151) })).toBeUndefined();
    expect(other.keep({ a: 'x' })).toBeUndefined();
  });

  it('leaves out, by itself, what is nested more than 100 levels deep', () => {
    const keeper = extrasKeeper();
    for (const depth of [100, 100_000]) expect(keeper.keep({ a: nested(depth) })).toBeUndefined();
    expect(keeper.keep({ a: nested(99) })).toEqual({ a: nested(99) });
  });
});

describe('isWithinDepth', () => {
  it.each<[unknown, boolean]>([
    ['x', true],
    [null, true],
    [nested(100), true],
    [nested(101), false],
  ])('of %j is %s', (value, expected) => {
    expect(isWithinDepth(value)).toBe(expected);
  });
});
