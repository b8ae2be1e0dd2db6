import { newPart } from '../../../src/response/chunks/new-part.js';

const partsOf = (...texts: readonly string[]): readonly string[] => texts.map(newPart());

describe('newPart()', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['is what was added', ['Hel', 'Hello', 'Hello there.'], ['Hel', 'lo', ' there.']],
    ['is nothing where nothing was added', ['Hel', 'Hello', 'Hello', ''], ['Hel', 'lo', '', '']],
    ['is all of it where a second value goes on instead', ['Hel', 'lo', 'Hel'], ['Hel', 'lo', 'Hel']],
    ['is all of it where a third value does', ['a', 'ab', 'c', 'abc'], ['a', 'b', 'c', 'abc']],
    ['is all of it where one came again, which proves nothing', ['a', 'a', 'a', 'bc'], ['a', '', '', 'bc']],
    ['is all of it where one came again after it grew', ['a', 'ab', 'ab', 'cde'], ['a', 'b', '', 'cde']],
    ['is nothing where a snapshot goes back', ['a', 'ab', 'abc', 'ab', 'abcd'], ['a', 'b', 'c', '', 'd']],
    ['is what lies beyond where one was rewritten', ['a', 'ab', 'abc', 'aXcd'], ['a', 'b', 'c', 'd']],
    ['is all of the first', ['Hello'], ['Hello']],
    ['is nothing of nothing', ['', '', 'a'], ['', '', 'a']],
  ])('%s', (_, texts, parts) => {
    expect(partsOf(...texts)).toEqual(parts);
  });

  it('keeps half characters as they are', () => {
    expect(partsOf('a\ud83d', 'a\ud83d\ude00')).toEqual(['a\ud83d', '\ude00']);
  });
});
