import fc from 'fast-check';
import { oneLine, printable } from '../../src/cli/printable.js';

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
  ])('handles %s', (_, text, seen) => {
    expect(printable()(text)).toBe(seen);
  });

  it('gives the same wherever the text is cut', () => {
    const part = fc.constantFrom(E, '[', ']', '0;', '\u0007', '\\', '\u009b', 'm', 'P', '\n', '\r', 'text');
    fc.assert(
      fc.property(fc.array(fc.array(part)), (pieces) => {
        const texts = pieces.map((parts) => parts.join(''));
        const clean = printable();
        expect(texts.map(clean).join('')).toBe(printable()(texts.join('')));
      }),
    );
  });

  it('lets no control character through', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(printable()(text)).not.toMatch(/[^\P{Cc}\n\t]/u);
      }),
    );
  });
});

describe('oneLine', () => {
  it('is one line, with nothing in it that commands a terminal', () => {
    expect(oneLine(` a\r\n\n b\t${E}[31mc `)).toBe('a b c');
  });

  it('is shortened between two characters', () => {
    expect(oneLine('🌍🌍🌍🌍', 3)).toBe('🌍🌍…');
    expect(oneLine('🌍🌍🌍', 3)).toBe('🌍🌍🌍');
  });
});
