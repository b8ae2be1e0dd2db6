import fc from 'fast-check';
import { isEndMark, piecesOf } from '../../../src/response/chunks/pieces.js';

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
  ])('costs what the length of the data does: %s', (_, unit) => {
    const cost = (size: number) => {
      const data = `{"${unit.repeat(size / unit.length)}`;
      const before = process.cpuUsage();
      piecesOf(data);
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    // One that grew with the square of it would take minutes.
    expect(cost(250_000)).toBeLessThan(4_000_000);
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
    ['[DONE]x', false],
    ['x[DONE]', false],
    ['', false],
  ])('of %j is %s', (data, expected) => {
    expect(isEndMark(data)).toBe(expected);
  });
});
