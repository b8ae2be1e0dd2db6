import fc from 'fast-check';
import { StreamError } from '../../../src/turn/errors.js';
import { isEndMark, piecesOf } from '../../../src/response/chunks/pieces.js';
import { parsedBy } from '../../support/parsed.js';

const a = '{"a":1}';
const b = '{"b":[2]}';
const cut = '{"c":"x';

/** Each piece of the data, with `?` before one that is no JSON. */
const read = (data: string) =>
  piecesOf(data).map(({ data: piece, value }) => (value === undefined ? `?${piece}` : JSON.stringify(value)));

describe('piecesOf', () => {
  it.each<[string, string, readonly string[]]>([
    ['a whole value', a, [a]],
    ['a list', '[1]', ['[1]']],
    ['a value in several lines', '{\n"a":\n1\n}', [a]],
    ['blanks around it', `\n ${a}\n\n`, [a]],
    ['two values, a line each', `${a}\n${b}`, [a, b]],
    ['two values and blank lines', `${a}\n\n \n${b}\n`, [a, b]],
    ['two values in one line', `${a}${b}`, [a, b]],
    ['two values with a blank between them', `${a} ${b}`, [a, b]],
    ['a value in several lines, and another', `{\n"a":1\n}\n${b}`, [a, b]],
    ['the name of the field, twice', `data: ${a}`, [a]],
    ['the name of the field in each line', `data: ${a}\ndata: ${b}\n`, [a, b]],
    ['a value that was cut, and another', `${cut}\n${a}`, [`?${cut}\n`, a]],
    ['a value, and another that was cut', `${a}\n${cut}`, [a, `?${cut}`]],
    ['lines that are none, together', `x\ny\n${a}\nz\n`, ['?x\ny\n', a, '?z\n']],
    ['a comment before a value', `: ping\n${a}`, ['?: ping\n', a]],
    ['the end mark between two values', `${a}\n[DONE]\n${b}`, [a, '?[DONE]\n', b]],
    ['the end mark behind a value', `${a}[DONE]`, [a, '?[DONE]']],
    ['braces inside a string', '{"a":"}{"}{"b":1}', ['{"a":"}{"}', '{"b":1}']],
    ['braces inside strings, a line each', '{"a":"}{"}\n{"b":"}{"}\n{}', ['{"a":"}{"}', '{"b":"}{"}', '{}']],
    ['braces inside strings, in one line', '{"a":"}{"}{"b":"}{"}', ['{"a":"}{"}', '{"b":"}{"}']],
    ['a control character inside a string', '{"a":"\t\u001b[0m\0"}', ['{"a":"\\t\\u001b[0m\\u0000"}']],
    ['one beside an escaped quote', '{"a":"\\"\t"}', ['{"a":"\\"\\t"}']],
    ['a line feed inside a string', '{"a":"x\n{}\ny"}', ['{"a":"x\\n{}\\ny"}']],
    ['one between the tokens of two values', `{\t"a":1}\n{"b":"\t"}`, [a, '{"b":"\\t"}']],
    ['one alone in a string', '{"a":"\t"}', ['{"a":"\\t"}']],
    ['one behind an escape', '{"a":"\\n\t"}', ['{"a":"\\n\\t"}']],
    ['one in a string, and one between the tokens', '{\t"a":"\t"}', ['{"a":"\\t"}']],
    ['three values in several lines each', '{\n"a":1\n}\n'.repeat(3), [a, a, a]],
    ['a value in several lines and the end mark', '{\n"a":1\n}\n[DONE]', [a, '?[DONE]']],
    ['two values in one line, and text behind them', `${a}${b}x`, [a, `?${b}x`]],
    ['two values in one line behind a line of text', `x\n${a}${b}\n`, ['?x\n', a, b]],
    [
      'a value in several lines between others, and text behind them',
      `${a}\n{\n"b":[2]\n}\n${a}\nx`,
      [a, b, a, '?x'],
    ],
    ['values that are none, together', `{x}{y}${a}`, ['?{x}{y}', a]],
    ['values that are none in one line, with the line before', `x\n{y}{z}\n${a}`, ['?x\n{y}{z}\n', a]],
    ['blank lines behind a value as nothing', `x\n${a}\n \n`, ['?x\n', a]],
    ['the name of the field without a blank, and with two', `data:${a}\ndata:  ${b}`, [a, b]],
    ['nothing', '', ['?']],
    ['white space', ' \n', ['? \n']],
    ['a text', 'not json', ['?not json']],
    ['a number', '7', ['?7']],
    ['a value that was cut, alone', cut, [`?${cut}`]],
    ['a control character outside a string', '{\u0001}', ['?{\u0001}']],
    ['a control character in a string that was cut', '{"a":"\t', ['?{"a":"\t']],
  ])('reads %s', (_, data, expected) => {
    expect(read(data)).toEqual(expected);
  });

  it('finds any values however they are put together', () => {
    const values = fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { minLength: 1 });
    const gaps = fc.constantFrom('\n', '\n\n', '', ' ', '\ndata: ');
    fc.assert(
      fc.property(values, gaps, fc.boolean(), (list, gap, isPretty) => {
        const data = list.map((value) => JSON.stringify(value, null, isPretty ? 2 : 0)).join(gap);
        // Pretty-printed values have lines that are values themselves, if they are not told apart.
        if (isPretty && list.length > 1) return;
        expect(piecesOf(data).map(({ value }) => value)).toEqual(JSON.parse(JSON.stringify(list)));
      }),
    );
  });

  it('looks at no more than 1,024 pieces that look like JSON and are none', () => {
    const broken = '{x}\n'.repeat(1_023);
    expect(read(`${broken}${a}`).at(-1)).toBe(a);
    expect(piecesOf(`${broken}{x}\n${a}`)).toEqual([{ data: `${broken}{x}\n${a}`, value: undefined }]);
  });

  it.each([
    ['braces', '{}'],
    ['opening braces', '{'],
    ['pairs of braces the wrong way round', '}{'],
    ['quotes', '"'],
    ['escaped quotes', '\\"'],
    ['line feeds', '\n'],
    ['blanks after braces', '}   '],
    ['control characters', '\t'],
    ['lists', '['],
    ['end marks', '[DONE]\n'],
    ['values', '{},'],
    ['values that are broken', '{x}\n'],
    ['values whose brackets a quote hides', '"\n[{},{}]\n'],
  ])('parses what it is given a few times at the most, whatever it is: %s', (_, unit) => {
    for (const start of ['{"', '{"a', 'x\n', '']) {
      const data = start + unit.repeat(250_000 / unit.length);
      const { calls, characters } = parsedBy(() => piecesOf(data, Infinity));
      expect(calls).toBeLessThan(70_000);
      expect(characters).toBeLessThan(5 * data.length);
    }
  });

  it('neither mends nor takes apart what is longer than 2,097,152 characters', () => {
    const limit = 2_097_152;
    const mended = `{"a":"\t${'x'.repeat(limit - 9)}"}`;
    const apart = `${a}\n{"b":"${'x'.repeat(limit - a.length - 1 - 8)}"}`;
    expect([mended.length, apart.length]).toEqual([limit, limit]);
    for (const [data, pieces] of [
      [mended, 1],
      [apart, 2],
    ] as const) {
      expect(piecesOf(data).map(({ value }) => value !== undefined)).toEqual(Array(pieces).fill(true));
      const longer = data.replace('x', 'xx');
      const { calls } = parsedBy(() =>
        expect(piecesOf(longer)).toEqual([{ data: longer, value: undefined }]),
      );
      expect(calls).toBe(1);
    }
  });

  it('does not parse again what is known to be no JSON', () => {
    expect(parsedBy(() => piecesOf('{x', undefined, true)).calls).toBe(0);
    expect(piecesOf('{"a":"\t"}', undefined, true)).toEqual([{ data: '{"a":"\t"}', value: { a: '\t' } }]);
  });

  it('takes apart no more values than an event may hold, those that a quote hides from the whole too', () => {
    const data = (values: number) => `x"\n[${'0,'.repeat(values - 1)}0]\n`;
    expect(read(data(50)).map((piece) => piece.slice(0, 1))).toEqual(['?', '[']);
    expect(piecesOf(data(50), 50)).toHaveLength(2);
    expect(piecesOf(data(51), 50)).toEqual([{ data: data(51), value: undefined }]);
  });

  it('errors where the data holds more values than an event may', () => {
    expect(() => piecesOf(`{"a":[${'0,'.repeat(9)}0]}`, 10)).toThrow(
      new StreamError({
        message: 'An event or a JSON response contains more than 10 values (maxEventValues).',
      }),
    );
  });

  it.each(['', '\n'])(
    'reads 65,536 values of one event, parted by %j, and leaves the rest in one piece',
    (seam) => {
      const pieces = piecesOf(`{}${seam}`.repeat(70_000));
      expect(pieces).toHaveLength(65_537);
      expect(pieces.slice(0, 65_536).every(({ value }) => value !== undefined)).toBe(true);
      expect(pieces.at(-1)).toEqual({ data: `{}${seam}`.repeat(70_000 - 65_536), value: undefined });
    },
  );
});

describe('isEndMark', () => {
  it.each([
    ['[DONE]', true],
    [' [DONE]\n', true],
    ['data: [DONE]', true],
    ['data:[DONE]', true],
    ['data:  [DONE]', true],
    ['[DONE]'.padEnd(63), true],
    ['[DONE]'.padEnd(64), false],
    ['[DONE]x', false],
    ['x[DONE]', false],
    ['', false],
  ])('of %j is %s', (data, expected) => {
    expect(isEndMark(data)).toBe(expected);
  });
});
