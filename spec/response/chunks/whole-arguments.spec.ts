import { wholeArguments } from '../../../src/response/chunks/whole-arguments.js';

describe('wholeArguments()', () => {
  it.each<[string, readonly string[], string]>([
    ['nothing', [], ''],
    ['what is new each time', ['{"q":', '"sky"', '}'], '{"q":"sky"}'],
    ['deltas that look like snapshots and parse', ['{"a":', '{"a":1}', '}'], '{"a":{"a":1}}'],
    ['a text that repeats itself', ['{"t":"ha', 'ha', 'haha', '"}'], '{"t":"hahahaha"}'],
    ['a value and blanks', ['{}', ' ', '\n'], '{} \n'],
    ['all of it again at the end', ['{"q":', '1}', '{"q":1}'], '{"q":1}'],
    ['all of it again, written otherwise', ['{"q":', '1}', '{ "q": 1 }'], '{ "q": 1 }'],
    ['all of it again before its last bracket', ['{"q":', '1', '{"q":1}'], '{"q":1}'],
    ['all of it again, otherwise, before its last bracket', ['{"q":', '1', '{ "q": 1 }'], '{ "q": 1 }'],
    ['all of it again after its first key', ['{', '"q":', '{"q":1}'], '{"q":1}'],
    ['all of it twice, and blanks', ['{"q":1}', ' {"q":1}', ' '], '{"q":1}'],
    ['null inside, twice', ['{"q": null}', '{"q": null}'], '{"q": null}'],
    ['null inside, twice in one fragment', ['{"q": null}{"q": null}'], '{"q": null}'],
    ['all of it twice', ['{"q":1}', '{"q":1}'], '{"q":1}'],
    ['all of it twice in one fragment', ['{"q":1}{"q":1}'], '{"q":1}'],
    ['nothing twice', ['{}', '{}'], '{}'],
    ['nothing twice in one fragment', ['{}{}'], '{}'],
    ['a placeholder first', ['{}', '{"q":', '1}'], '{"q":1}'],
    ['a placeholder last', ['{"q":', '1}', '{}'], '{"q":1}'],
    ['null first', ['null', '{"q":', '1}'], '{"q":1}'],
    ['null last', ['{"q":1}', ' null'], '{"q":1}'],
    ['an empty string first', ['""', '{"q":', '1}'], '{"q":1}'],
    ['snapshots that grow', ['{', '{"q"', '{"q":"s', '{"q":"sky"}'], '{"q":"sky"}'],
    ['snapshots that grow and end twice', ['{"q"', '{"q":1}', '{"q":1}'], '{"q":1}'],
    ['snapshots that grow after a placeholder', ['{}', '{"q"', '{"q":1}'], '{"q":1}'],
    ['snapshots that are whole', ['{}', '{"q":""}', '{"q":"s"}', '{"q":"sky"}'], '{"q":"sky"}'],
    ['brackets and quotes in strings', ['{"q":"}{\\"["}', '{"q":"}{\\"["}'], '{"q":"}{\\"["}'],
  ])('of %s gives one value that parses', (_, pieces, expected) => {
    expect(wholeArguments(pieces)).toBe(expected);
    if (expected !== '') expect(JSON.parse(expected)).toBeDefined();
  });

  it.each<[string, readonly string[]]>([
    ['in the middle', ['{"q":', '"sk']],
    ['after an object', ['{"q":', '{}']],
    ['after a blank and an object', ['{"q": ', '{"r":1}']],
    ['after an object, in three fragments', ['{', '"q":', '{"r":1}']],
    ['after an object that holds something', ['{"q":', '{"r":1}']],
    ['in a list, after an object', ['{"q":[', '{"r":1}', ',', '{"r":1}']],
    ['in a string, after what looks like an object', ['{"code":"f(', '{"r":1}']],
    ['after a number', ['{"q":', '1']],
    ['after a whole value', ['{"q":1}', '{"q":']],
  ])('leaves arguments that were cut %s as they are', (_, pieces) => {
    expect(wholeArguments(pieces)).toBe(pieces.join(''));
  });

  it.each<[string, readonly string[]]>([
    ['text', ['not json {']],
    ['words in quotes', ['"a"', '"b"']],
    ['lists', ['[1]', '[2]']],
    ['numbers', ['1 ', '2']],
    ['a value with something behind it', ['{"q":1}', 'x']],
    ['what is no JSON with a value behind it', ['{q}{"q":1}']],
    ['values with something between them', ['{"q":1},{"q":2}']],
    ['brackets that close nothing', ['}{', '}{}']],
  ])('leaves %s as it is', (_, pieces) => {
    expect(wholeArguments(pieces)).toBe(pieces.join(''));
  });

  it('finds the last of 200,000 values in one go', () => {
    expect(wholeArguments(Array.from({ length: 200_000 }, (_, at) => `{"n":${at}}`))).toBe('{"n":199999}');
  });
});
