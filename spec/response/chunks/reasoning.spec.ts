import {
  reasoningDetails,
  reasoningText,
  textOfDetails,
  thinkingText,
} from '../../../src/response/chunks/reasoning.js';

describe('reasoningText', () => {
  it.each(['reasoning_content', 'reasoning', 'thinking', 'reasoning_text'])('reads %s', (alias) => {
    expect(reasoningText({ [alias]: ' Hm\n' })).toBe(' Hm\n');
  });

  it.each<[string, Record<string, unknown>]>([
    ['the same twice', { reasoning: 'Hm', reasoning_content: 'Hm' }],
    ['the same three times', { thinking: 'Hm', reasoning: 'Hm', reasoning_content: 'Hm' }],
    ['an empty alias before it', { reasoning_content: '', reasoning: 'Hm' }],
    ['null before it', { reasoning_content: null, reasoning: 'Hm' }],
    ['an alias of another type before it', { reasoning_content: true, reasoning: 'Hm' }],
    ['an object with text', { reasoning: { text: 'Hm' } }],
    ['an object with content', { reasoning: { content: 'Hm' } }],
    ['an object with empty text and content', { reasoning: { text: '', content: 'Hm' } }],
    ['an object with text and content', { reasoning: { text: 'Hm', content: 'Hm' } }],
    ['a list of texts', { reasoning: ['H', { text: 'm' }, null, true] }],
    ['an object with a summary', { reasoning: { summary: 'Hm' } }],
    [
      'an object with a list of summaries',
      { reasoning: { summary: [{ text: 'H' }, 'm', null, { text: 7 }] } },
    ],
  ])('reads %s as one text', (_, delta) => {
    expect(reasoningText(delta)).toBe('Hm');
  });

  it.each([undefined, null, '', true, {}, { text: 7 }, [], [[]], { text: { text: 'x' } }, Infinity])(
    'reads %j as none',
    (reasoning) => {
      expect(reasoningText({ reasoning })).toBe('');
    },
  );

  it('reads a token that looks like a number, which came as one', () => {
    expect(reasoningText({ reasoning: 42 })).toBe('42');
  });

  it('reads own properties only', () => {
    expect(reasoningText(Object.create({ reasoning: 'x' }) as Record<string, unknown>)).toBe('');
    expect(reasoningText({ reasoning: Object.create({ text: 'x' }) as object })).toBe('');
  });
});

describe('reasoningDetails', () => {
  const nested = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);

  it('is the list as it came', () => {
    const details = [{ type: 'reasoning.encrypted', data: 'x', more: [{ a: [1] }] }, null, 7, 'odd'];
    expect(reasoningDetails({ reasoning_details: details })).toEqual(details);
  });

  it.each([undefined, null, 'x', 7, {}])('is empty where it is %j', (details) => {
    expect(reasoningDetails({ reasoning_details: details })).toEqual([]);
  });

  it('leaves out those that are nested more than 100 levels deep, which JSON could not write again', () => {
    expect(reasoningDetails({ reasoning_details: [nested(100)] })).toEqual([nested(100)]);
    const flat = { type: 'reasoning.text', text: 'Hm' };
    for (const depth of [101, 100_000])
      expect(reasoningDetails({ reasoning_details: [nested(depth), flat, { data: nested(depth) }] })).toEqual(
        [flat],
      );
  });
});

describe('textOfDetails', () => {
  it('joins texts and summaries, and passes over the rest', () => {
    expect(
      textOfDetails([
        { type: 'reasoning.text', text: 'one ' },
        { type: 'reasoning.encrypted', data: 'x' },
        null,
        'x',
        { type: 'reasoning.summary', summary: 'two' },
        { type: 'reasoning.text', text: null, summary: ' three' },
      ]),
    ).toBe('one two three');
  });

  it('does not add a summary to the text that it sums up', () => {
    expect(textOfDetails([{ text: 'Hm', summary: 'Hm' }])).toBe('Hm');
  });
});

describe('thinkingText', () => {
  it.each<[string, Record<string, unknown>]>([
    ['a text (Anthropic)', { type: 'thinking', thinking: 'Hm', signature: 's' }],
    [
      'a list of text parts (Mistral)',
      { type: 'thinking', thinking: [{ type: 'text', text: 'H' }, { text: 'm' }] },
    ],
    ['under reasoning', { type: 'reasoning', reasoning: 'Hm' }],
    ['under text', { type: 'reasoning', text: 'Hm' }],
    ['under content', { type: 'reasoning', content: [{ type: 'reasoning_text', text: 'Hm' }] }],
    ['a summary', { type: 'reasoning', summary: [{ type: 'summary_text', text: 'H' }, { text: 'm' }] }],
    ['under two names', { type: 'thinking', thinking: 'Hm', text: 'Hm' }],
  ])('reads %s', (_, part) => {
    expect(thinkingText(part)).toBe('Hm');
  });

  it('reads a part that says nothing as none', () => {
    expect(thinkingText({ type: 'thinking', signature: 's' })).toBe('');
  });
});
