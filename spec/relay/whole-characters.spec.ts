import fc from 'fast-check';
import { from, NEVER, startWith } from 'rxjs';
import { wholeCharacters } from '../../src/relay/whole-characters.js';
import { received, testScheduler } from '../support/marbles.js';

const joined = (values: readonly unknown[]) => received(from(values).pipe(wholeCharacters<unknown>()));

describe('wholeCharacters', () => {
  it('keeps the first half of a character until the second comes', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-c-|', { a: 'Hi \ud83d', b: '\ude00!', c: 'x' });
      expectObservable(source.pipe(wholeCharacters())).toBe('-a-b-c-|', { a: 'Hi ', b: '😀!', c: 'x' });
      expectSubscriptions(source.subscriptions).toBe('    ^------!');
    });
  });

  it('gives up a half to which no other comes, at the end and before what is no string', () => {
    expect(joined(['a\ud83d'])).toEqual(['a', '\ud83d']);
    expect(joined(['\ud83d', 7, 'b'])).toEqual(['\ud83d', 7, 'b']);
    expect(joined(['\ud83d', 'b'])).toEqual(['\ud83db']);
  });

  it('gives nothing for an empty string, and passes other values as they are', () => {
    const bytes = new Uint8Array([1]);
    const values = joined(['', bytes, undefined, null]);
    expect(values).toEqual([bytes, undefined, null]);
    expect(values[0]).toBe(bytes);
  });

  it('holds nothing back that is whole', () => {
    expect(received(NEVER.pipe(startWith('a😀'), wholeCharacters()))).toEqual(['a😀']);
  });

  it('makes the bytes of the pieces those of the text, however it is cut', () => {
    const encode = (text: string) => Buffer.from(text);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.array(fc.nat()), (text, cuts) => {
        const places = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length];
        const pieces = places.slice(1).map((end, index) => text.slice(places[index], end));
        const bytes = (joined(pieces) as string[]).map(encode);
        expect(Buffer.concat(bytes)).toEqual(encode(text));
      }),
    );
  });
});
