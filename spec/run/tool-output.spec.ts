import { toolOutput } from '../../src/run/tool-output.js';

const cycle: { self?: unknown } = {};
cycle.self = cycle;

const image = { type: 'input_image', image_url: 'data:image/png;base64,AA==' };

describe('toolOutput', () => {
  it.each<[string, unknown, unknown]>([
    ['a text', 'as it is', 'as it is'],
    ['an empty text', '', ''],
    ['nothing', undefined, ''],
    ['null', null, 'null'],
    ['a number', 72, '72'],
    ['a boolean', false, 'false'],
    ['a list', [1, 'two'], '[1,"two"]'],
    ['an empty list', [], '[]'],
    ['an object', { city: 'Rome' }, '{"city":"Rome"}'],
    ['a date', new Date(0), '"1970-01-01T00:00:00.000Z"'],
    ['parts', [{ type: 'input_text', text: 'See:' }, image], [{ type: 'input_text', text: 'See:' }, image]],
    ['parts among other things', [image, 1], JSON.stringify([image, 1])],
    ['parts of an answer', [{ type: 'output_text', text: 'x' }], '[{"type":"output_text","text":"x"}]'],
    ['a list of null', [null], '[null]'],
  ])('writes %s', (_, value, expected) => {
    expect(toolOutput(value)).toEqual(expected);
  });

  it.each<[string, unknown]>([
    ['a cycle', cycle],
    ['a BigInt', 1n],
    ['a BigInt inside', { a: [1n] }],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    [
      'what throws when it is written',
      {
        toJSON: () => {
          throw new Error('private');
        },
      },
    ],
    [
      'what throws when it is read',
      [
        {
          get type(): never {
            throw new Error('private');
          },
        },
      ],
    ],
  ])('cannot write %s', (_, value) => {
    expect(toolOutput(value)).toBeUndefined();
  });
});
