import fc from 'fast-check';
import { fitting, oneLine, printable, printableJson } from '../../src/cli/printable.js';

const E = '\u001b';

describe('printable', () => {
  it.each([
    ['plain text, line feeds and tabs', 'Grüße 🌍\n\tx', 'Grüße 🌍\n\tx'],
    ['colours', `a${E}[1;31mb${E}[0mc`, 'abc'],
    ['cursor movement', `a${E}[2J${E}[1;1Hb${E}[?25lc`, 'abc'],
    ['a title, ended by BEL', `a${E}]0;title\u0007b`, 'ab'],
    ['a link, ended by ST', `${E}]8;;http://x${E}\\text${E}]8;;${E}\\`, 'text'],
    ['the clipboard, in C1', 'a\u009d52;c;AAAA\u009cb', 'ab'],
    ['a C1 control sequence', 'a\u009b31mb\u0085c', 'abc'],
    ['DCS, PM, APC and SOS', `a${E}Pq${E}\\b${E}^x${E}\\c${E}_x${E}\\d${E}Xx${E}\\e`, 'abcde'],
    ['a character set', `a${E}(0b${E}cc`, 'abc'],
    ['overwriting', 'good\rbad\b\b\u007f', 'goodbad'],
    ['a string that never ends, up to the end of its line', `a${E}]0;title\nb`, 'a\nb'],
    ['a string that is cancelled', `a${E}]0;t\u0018b`, 'ab'],
    ['a string that another sequence ends', `a${E}]0;t${E}[31mb`, 'ab'],
    ['a control sequence that is broken off', `a${E}[3\nb${E}[${E}[1mc`, 'a\nbc'],
    ['an escape before a line feed', `a${E}\nb`, 'a\nb'],
    ['embeddings and overrides of direction', 'a\u202ab\u202bc\u202cd\u202de\u202ef', 'abcdef'],
    ['isolates of direction', 'a\u2066b\u2067c\u2068d\u2069e', 'abcde'],
    ['marks of direction', 'a\u200eb\u200fc\u061cd', 'abcd'],
    ['spaces of no width, invisible operators', 'a\u200bb\u2060c\ufeffd\u2064e\u206af', 'abcdef'],
    ['tags', 'a\u{e0041}b\u{e007f}c\u{e0001}', 'abc'],
    ['separators of lines and paragraphs', 'a\u2028b\u2029c', 'a\nb\nc'],
    ['halves of characters', 'a\ud83cb\udf0dc', 'a\ufffdb\ufffdc'],
    ['text in Hebrew, Persian and Hindi', 'שלום, می\u200cخواهم, क्\u200dष', 'שלום, می\u200cخواهم, क्\u200dष'],
    ['emoji of several characters', '👩\u200d🚀 ❤\ufe0f 👍🏽 🇳🇴', '👩\u200d🚀 ❤\ufe0f 👍🏽 🇳🇴'],
    ['a soft hyphen', 'Donau\u00addampf', 'Donau\u00addampf'],
  ])('handles %s', (_, text, seen) => {
    expect(printable()(text)).toBe(seen);
  });

  it('gives the same wherever the text is cut', () => {
    const part = fc.constantFrom(
      E,
      '[',
      ']',
      '0;',
      '\u0007',
      '\\',
      '\u009b',
      'm',
      'P',
      '\n',
      '\r',
      'text',
      '\ud83c',
      '\udf0d',
      '\u202e',
    );
    fc.assert(
      fc.property(fc.array(fc.array(part)), (pieces) => {
        const texts = pieces.map((parts) => parts.join(''));
        const clean = printable();
        expect(texts.map(clean).join('')).toBe(printable()(texts.join('')));
      }),
    );
  });

  it('shows a character whose halves come one by one', () => {
    const clean = printable();
    expect([clean('a\ud83c'), clean('\udf0db')]).toEqual(['a', '🌍b']);
  });

  it('lets no control character, no half of a character and none that is not seen through', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const seen = printable()(text);
        expect(seen).not.toMatch(/[^\P{Cc}\n\t]/u);
        expect(seen).not.toMatch(/[\p{Cs}\p{Bidi_Control}\u200b\u2028\u2029\ufeff]/u);
      }),
    );
  });

  it('changes nothing else', () => {
    const letters = fc
      .string({ unit: 'grapheme' })
      .filter((text) => !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text));
    fc.assert(fc.property(letters, (text) => expect(printable()(text)).toBe(text)));
  });
});

describe('oneLine', () => {
  it('is one line, with nothing in it that commands a terminal', () => {
    expect(oneLine(` a\r\n\n b\t${E}[31mc\u2028d\u202e `)).toBe('a b c d');
  });

  it('is shortened between two characters', () => {
    expect(oneLine('🌍🌍🌍🌍', 3)).toBe('🌍🌍…');
    expect(oneLine('🌍🌍🌍', 3)).toBe('🌍🌍🌍');
  });
});

describe('printableJson', () => {
  it('is JSON of the same value, with every such character escaped', () => {
    const harmful = `${E}[31m\u009b\u007f\u202e\u2066\u200e\u061c\u200b\u2028\u2029\ufeff\u{e0041}\ud83c`;
    const json = printableJson({ [harmful]: `a${harmful}🌍` });
    expect(json).toMatch(/^[\x20-\x7e🌍]*$/u);
    expect(JSON.parse(json)).toEqual({ [harmful]: `a${harmful}🌍` });
  });
});

describe('fitting', () => {
  it.each([
    ['what fits', 'abcde', 5, 'abcde'],
    ['what does not', 'abcdef', 5, 'abcd…'],
    ['ideographs of two columns', '漢字漢', 6, '漢字漢'],
    ['ideographs that do not fit', '漢字漢字', 6, '漢字…'],
    ['emoji', '🌍🌍🌍', 5, '🌍🌍…'],
    ['characters of no width', 'e\u0301e\u0301e\u0301', 3, 'e\u0301e\u0301e\u0301'],
    ['several lines and commands', 'a\n\u001b[2Jb', 5, 'a b'],
    ['a terminal that does not know its width', 'x'.repeat(81), 0, `${'x'.repeat(79)}…`],
  ])('shows %s', (_, text, columns, seen) => {
    expect(fitting(text, columns)).toBe(seen);
  });
});
