import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { chunkPattern } from '../../../src/response/chunks/chunk-pattern.js';

/** A chunk whose delta says something; what is said stands as JSON. */
const chunk = (said: string, rest = '"logprobs":null') =>
  `{"id":"a","choices":[{"index":0,"delta":{"content":${said}},${rest}}],"usage":null}`;
const padded = (said: string, padding: string, end = '') =>
  `{"choices":[{"index":0,"delta":{"content":${said}}}],"obfuscation":${padding}${end}}`;

/** OpenRouter's reasoning, which stands in the chunk twice. */
const thought = (said: string, again = said, rest = '"index":0,"format":null') =>
  `{"choices":[{"delta":{"content":"","reasoning":${said},"reasoning_details":[{"type":"reasoning.text","text":${again},${rest}}]}}],"usage":null}`;

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

function learnt(...chunks: readonly string[]) {
  const pattern = chunkPattern();
  for (const data of chunks) pattern.learn(data);
  return pattern;
}

describe('chunkPattern', () => {
  describe('reads', () => {
    it.each([
      ['a text', '" there"', ' there'],
      ['a text of 12 characters', '"abcdefghijkl"', 'abcdefghijkl'],
      ['a text of 13 characters', '"abcdefghijklm"', 'abcdefghijklm'],
      ['a long text', `"${'long '.repeat(100)}"`, 'long '.repeat(100)],
      ['escapes', '"\\n\\u00e9\\t"', '\né\t'],
      ['escapes in a long text', `"${'long '.repeat(10)}\\n"`, `${'long '.repeat(10)}\n`],
      ['an escaped quote', '"a\\"b"', 'a"b'],
      ['quotes alone', '"\\"\\""', '""'],
      ['a backslash at the end', '"a\\\\"', 'a\\'],
      ['a backslash before an escaped quote', '"\\\\\\"b"', '\\"b'],
      ['the name of its own field', '"\\"content\\":\\"x\\""', '"content":"x"'],
    ])('%s', (_, said, text) => {
      const pattern = learnt(chunk('"Hi"'));
      expect(pattern.textOf(chunk(said))).toBe(text);
    });

    it('one chunk after another', () => {
      const pattern = learnt(chunk('"Hi"'));
      expect(['"a"', '"b"', '"c"'].map((said) => pattern.textOf(chunk(said)))).toEqual(['a', 'b', 'c']);
    });

    it.each([
      ['a blank after the colon', (said: string) => `{"choices": [{"delta": {"content": ${said}}}]}`],
      [
        'a role beside it',
        (said: string) => `{"choices":[{"delta":{"role":"assistant","content":${said}}}]}`,
      ],
      [
        'fields beside it that say nothing',
        (said: string) =>
          `{"choices":[{"delta":{"content":${said},"refusal":null,"tool_calls":[],"reasoning":""}}]}`,
      ],
      [
        'a field behind it that is named text, as what it repeats would be',
        (said: string) => `{"choices":[{"delta":{"content":${said}},"text":"x"}]}`,
      ],
      [
        'padding that stands before it',
        (said: string) => `{"obfuscation":"x","choices":[{"delta":{"content":${said}}}]}`,
      ],
    ])('a text with %s', (_, write) => {
      const pattern = learnt(write('"a"'));
      expect(pattern.textOf(write('"b"'))).toBe('b');
      expect(pattern.key).toBe('content');
    });

    it.each(['content', 'reasoning_content', 'reasoning', 'thinking', 'reasoning_text'])(
      'the text of %s',
      (key) => {
        const write = (said: string) => `{"choices":[{"delta":{"${key}":${said}}}]}`;
        const pattern = learnt(write('"a"'));
        expect([pattern.textOf(write('"b"')), pattern.key]).toEqual(['b', key]);
      },
    );

    it.each(['"uvwxy"', '"x"', '""', '"abcdefghijklmnopqrst"'])(
      'a text whose chunk is padded with %s',
      (padding) => {
        const pattern = learnt(padded('"a"', '"xyz"', ',"n":1'));
        expect(pattern.textOf(padded('"b"', padding, ',"n":1'))).toBe('b');
      },
    );
  });

  describe('reads reasoning that is told again in its details:', () => {
    it.each([
      ['a text', '" there"', ' there'],
      ['a long text', `"${'long '.repeat(100)}"`, 'long '.repeat(100)],
      ['escapes', '"\\n\\u00e9\\""', '\né"'],
      ['the name of its own field', '"\\"text\\":\\"x\\""', '"text":"x"'],
    ])('%s', (_, said, text) => {
      const pattern = learnt(thought('"Hm"'));
      expect([pattern.textOf(thought(said)), pattern.key]).toEqual([text, 'reasoning']);
      expect(pattern.detailsOf(text)).toEqual([{ type: 'reasoning.text', text, index: 0, format: null }]);
    });

    it('a summary', () => {
      const write = (said: string) =>
        `{"choices":[{"delta":{"reasoning":${said},"reasoning_details":[{"summary":${said}}]}}]}`;
      const pattern = learnt(write('"a"'));
      expect(pattern.textOf(write('"b"'))).toBe('b');
      expect(pattern.detailsOf('b')).toEqual([{ summary: 'b' }]);
    });

    it('with details of their own for each', () => {
      const pattern = learnt(thought('"Hm"'));
      const [first, second] = ['a', 'a'].map((text) => pattern.detailsOf(text)[0]);
      expect(first).toEqual(second);
      expect(first).not.toBe(second);
    });

    it('and other texts have no details', () => {
      const pattern = learnt(thought('"Hm"'));
      pattern.learn(chunk('"a"'));
      expect([pattern.textOf(chunk('"b"')), pattern.key, pattern.detailsOf('b')]).toEqual([
        'b',
        'content',
        [],
      ]);
    });

    it.each([
      ['another text in the details', thought('"b"', '"c"')],
      ['a longer text in the details', thought('"b"', '"bb"')],
      ['the same text, written in another way', thought('"b"', '"\\u0062"')],
      ['a text in the details that does not end', thought('"b"').slice(0, -60)],
      ['more in the details', thought('"b"', '"b"', '"index":1,"format":null')],
    ])('but not %s', (_, data) => {
      expect(learnt(thought('"Hm"')).textOf(data)).toBeUndefined();
    });

    it.each([
      ['details in which the text is another', thought('"a"', '"x"')],
      ['two details', thought('"a"').replace('}]}}]', '},{"type":"x"}]}}]')],
      ['a detail that holds more than values', thought('"a"', '"a"', '"more":{}')],
      ['a detail whose text is written twice', thought('"a"', '"a"', '"text":"b"')],
      ['the text again beside the details', '{"choices":[{"delta":{"reasoning":"a","text":"a"}}]}'],
      [
        'the text again outside of the delta',
        '{"choices":[{"delta":{"reasoning":"a"},"text":"a","reasoning_details":[{"text":"a"}]}]}',
      ],
      [
        'details of a text that is none of reasoning',
        '{"choices":[{"delta":{"content":"a","reasoning_details":[{"text":"a"}]}}]}',
      ],
      [
        'details that are no list',
        '{"choices":[{"delta":{"reasoning":"a","reasoning_details":{"text":"a"}}}]}',
      ],
      [
        'a detail that is none',
        '{"choices":[{"delta":{"reasoning":"a","reasoning_details":[["text","a"]]}}]}',
      ],
    ])('nor a chunk like the last one, where that has %s', (_, data) => {
      expect(learnt(data).textOf(data)).toBeUndefined();
    });
  });

  it('reads escapes in a text whose chunk is padded', () => {
    expect(learnt(padded('"a"', '"xyz"')).textOf(padded('"\\n"', '"x"'))).toBe('\n');
  });

  describe('leaves to be parsed', () => {
    it.each([
      ['an empty text', chunk('""')],
      ['a text that is null', chunk('null')],
      ['a number', chunk('12')],
      ['a text that does not end', '{"id":"a","choices":[{"index":0,"delta":{"content":"abc'],
      ['a text that ends in an escaped quote', '{"id":"a","choices":[{"index":0,"delta":{"content":"abc\\"'],
      ['a text with a raw line feed', chunk('"a\nb"')],
      ['a long text with a raw line feed', chunk(`"${'long '.repeat(10)}\n"`)],
      ['a text with an escape that is none', chunk('"\\x"')],
      ['another beginning', chunk('"a"').replace('"id":"a"', '"id":"b"')],
      ['another end', chunk('"a"', '"logprobs":[]')],
      ['an end that is cut', chunk('"a"').slice(0, -1)],
      ['nothing', ''],
    ])('%s', (_, data) => {
      expect(learnt(chunk('"Hi"')).textOf(data)).toBeUndefined();
    });

    it.each([
      ['another name between text and padding', padded('"b"', '"x"').replace('obfuscation', 'obfuscatioN')],
      ['padding with an escape', padded('"b"', '"\\n"')],
      ['padding with a raw line feed', padded('"b"', '"\n"')],
      ['padding that is no text', padded('"b"', '1')],
      ['padding that does not end', padded('"b"', '"x').slice(0, -1)],
      ['no padding', padded('"b"', '"x"').replace(',"obfuscation":"x"', '')],
      ['another end', padded('"b"', '"x"', ',"n":2')],
    ])('a padded chunk with %s', (_, data) => {
      expect(learnt(padded('"a"', '"xyz"')).textOf(data)).toBeUndefined();
    });

    it('everything before it has learnt, and after it has learnt no chunk', () => {
      expect(learnt().textOf(chunk('"a"'))).toBeUndefined();
      expect(learnt().textOf('"a"')).toBeUndefined();
      expect([learnt().key, learnt().detailsOf('a')]).toEqual(['content', []]);
      expect(learnt(chunk('"a"'), '[DONE]').textOf(chunk('"a"'))).toBeUndefined();
    });

    it('a chunk of more than 16,384 characters, and what is like it', () => {
      const rest = `"x":"${'x'.repeat(16_384 - chunk('"a"', '"x":""').length)}"`;
      expect(learnt(chunk('"a"', rest)).textOf(chunk('"b"', rest))).toBe('b');
      expect(learnt(chunk('"ab"', rest)).textOf(chunk('"b"', rest))).toBeUndefined();
    });

    it.each([
      ['no JSON', 'junk "content":"a"'],
      ['a list', '[{"choices":[{"delta":{"content":"a"}}]}]'],
      ['no text', '{"choices":[{"delta":{"content":""}}]}'],
      ['no choices', '{"choices":{"delta":{"content":"a"}}}'],
      ['two choices', '{"choices":[{"delta":{"content":"a"}},{"delta":{}}]}'],
      ['no choice', '{"choices":[null],"content":"a"}'],
      ['a choice that is none', '{"choices":["content"],"content":"a"}'],
      ['another choice', '{"choices":[{"index":1,"delta":{"content":"a"}}]}'],
      ['no delta', '{"choices":[{"content":"a"}]}'],
      ['a text elsewhere', '{"content":"a","choices":[{"delta":{}}]}'],
      ['a text elsewhere before that of the delta', '{"content":"a","choices":[{"delta":{"content":"a"}}]}'],
      ['a text that is written twice', '{"choices":[{"delta":{"content":"a","content":"b"}}]}'],
      ['a call beside the text', '{"choices":[{"delta":{"content":"a","tool_calls":[{}]}}]}'],
      ['reasoning beside the text', '{"choices":[{"delta":{"content":"a","reasoning":"b"}}]}'],
      [
        'details that are none beside a text elsewhere',
        '{"choices":[{"delta":{"reasoning":"a","reasoning_details":[null]}}],"text":"a"}',
      ],
      [
        'a refusal beside reasoning that is told again',
        '{"choices":[{"delta":{"reasoning":"a","reasoning_details":[{"text":"a"}],"refusal":"b"}}]}',
      ],
      ['padding inside a choice', '{"choices":[{"delta":{"content":"a"},"obfuscation":"x"}]}'],
    ])('a chunk like the last one, where that has %s', (_, data) => {
      expect(learnt(data).textOf(data)).toBeUndefined();
    });
  });

  it.each([
    ['of 12 characters', 'a'.repeat(12)],
    ['of 13 characters', 'a'.repeat(13)],
    ['that is long', 'a'.repeat(100)],
  ])('gives a text %s that holds nothing of its chunk in memory', (_, text) => {
    const long = (said: string) => chunk(said, `"x":"${'x'.repeat(10_000)}"`);
    const pattern = learnt(long('"Hi"'));
    const heapUsed = () => {
      collectGarbage();
      return process.memoryUsage().heapUsed;
    };
    const before = heapUsed();
    // Each from bytes of its own, as from the network.
    const texts = Array.from({ length: 300 }, () =>
      pattern.textOf(Buffer.from(long(`"${text}"`)).toString()),
    );
    expect(heapUsed() - before).toBeLessThan(1_000_000);
    expect(texts).toEqual(Array<string>(300).fill(text));
  });

  describe('stops learning where it does not pay:', () => {
    const numbered = (said: string, n: number) => chunk(said, `"n":${n}`);
    const unlike = (count: number) => Array.from({ length: count }, (_, n) => numbered('"a"', n));

    it('after eight chunks of which none was like the one before', () => {
      expect(learnt(...unlike(8)).textOf(numbered('"b"', 7))).toBe('b');
      expect(learnt(...unlike(9)).textOf(numbered('"b"', 8))).toBeUndefined();
    });

    it('goes on for one more with every two chunks that it has read', () => {
      const pattern = learnt(...unlike(8));
      pattern.textOf(numbered('"b"', 7));
      pattern.textOf(numbered('"c"', 7));
      pattern.learn(numbered('"d"', 8));
      expect(pattern.textOf(numbered('"e"', 8))).toBe('e');
      pattern.learn(numbered('"f"', 9));
      expect(pattern.textOf(numbered('"g"', 9))).toBeUndefined();
    });

    it('after eight too, however many it had read before', () => {
      const pattern = learnt(chunk('"Hi"'));
      for (let n = 0; n < 100; n += 1) pattern.textOf(chunk('"Hi"'));
      for (const data of unlike(8)) pattern.learn(data);
      expect(pattern.textOf(numbered('"b"', 7))).toBe('b');
      pattern.learn(numbered('"a"', 8));
      expect(pattern.textOf(numbered('"b"', 8))).toBeUndefined();
    });
  });
});
