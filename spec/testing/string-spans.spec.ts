import { stringSpans } from '../../src/testing/string-spans.js';

const stringsOf = (text: string) =>
  Array.from(stringSpans(text), ([place, spans]) => [place, spans.map((span) => text.slice(...span))]);

describe('stringSpans()', () => {
  it('finds the strings of JSON by their place', () => {
    expect(stringsOf('{"a":"1","b":{"a":"2"},"c":["3",4,"5"],"d":null,"e":"6"}')).toEqual([
      ['.a', ['1']],
      ['.b/.a', ['2']],
      ['.c/', ['3', '5']],
      ['.e', ['6']],
    ]);
  });

  it('keeps apart what has another index, wherever that stands, and nothing else in a list', () => {
    const text = '[{"index":1,"a":"1"},{"a":"2","index":2},{"index":1,"a":"3"},{"a":"4"},{"a":"5"}]';
    expect(stringsOf(text)).toEqual([
      ['/1.a', ['1', '3']],
      ['/2.a', ['2']],
      ['/.a', ['4', '5']],
    ]);
  });

  it('joins the events of a stream, also one that breaks off, with what is escaped as it stands', () => {
    expect(stringsOf('data: {"a":"\\"1\\\\"}\n\ndata: {"a":["2"\n\ndata: {"a":"3\\u00')).toEqual([
      ['.a', ['"1\\\\'.replace('"', '\\"'), '3\\u00']],
      ['.a/', ['2']],
    ]);
  });

  it('takes neither names nor what stands outside of JSON for strings', () => {
    expect(stringsOf('event: "a"\ndata: {"b":1}\n: "c"\n}]"d"')).toEqual([]);
  });

  it('leaves out what is nested deeper than 16', () => {
    const nested = (depth: number) => `${'['.repeat(depth)}"a"${']'.repeat(depth)}`;
    expect(stringsOf(nested(16))).toHaveLength(1);
    expect(stringsOf(nested(17))).toHaveLength(0);
  });

  it('reads 64 characters of a name', () => {
    const [[place]] = stringsOf(`{"${'a'.repeat(1_000)}":"b"}`) as [[string]];
    expect(place.length).toBeLessThan(66);
  });
});
