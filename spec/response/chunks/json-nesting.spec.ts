import { jsonNesting } from '../../../src/response/chunks/json-nesting.js';

/** How far a text is, read in pieces. */
const read = (...pieces: readonly string[]) => {
  const nesting = jsonNesting();
  for (const piece of pieces) nesting.read(piece);
  const { isOpen, isWhole, isInString } = nesting;
  return { isOpen, isWhole, isInString };
};

const nothing = { isOpen: false, isWhole: false, isInString: false };
const open = { ...nothing, isOpen: true };
const whole = { ...nothing, isWhole: true };
const inString = { ...open, isInString: true };

describe('jsonNesting()', () => {
  it.each([
    [[''], nothing],
    [[' 12, true'], nothing],
    [['{'], open],
    [['{"a":[1'], open],
    [['{"a":[1]', '}'], whole],
    [['[]'], whole],
    [['{}{}'], whole],
    [['{"a'], inString],
    [['"'], inString],
    [['""'], whole],
    [['{"a":"}'], inString],
    [['{"a":"}"}'], whole],
    [['{"a":"\\"}'], inString],
    [['{"a":"\\', '"}'], inString],
    [['{"a":"\\\\', '"}'], whole],
  ] as const)('of %j: %j', (pieces, expected) => {
    expect(read(...pieces)).toEqual(expected);
  });

  it('tells where each value at the top ends', () => {
    const ends: number[] = [];
    jsonNesting().read('{"a":{}} [{}] "s}" 1 {', (end) => ends.push(end));
    expect(ends).toEqual([8, 13, 18]);
  });
});
