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
    ['a list of holes', new Array(2), '[null,null]'],
    [
      'a file',
      [{ type: 'input_file', file_url: 'https://a.example/b', filename: 'b' }],
      [{ type: 'input_file', file_url: 'https://a.example/b', filename: 'b' }],
    ],
    ['an image with a detail', [{ ...image, detail: 'low' }], [{ ...image, detail: 'low' }]],
    ['what is more in a part', [{ ...image, size: 1n }], [image]],
    ['a text part without its text', [{ type: 'input_text' }], '[{"type":"input_text"}]'],
    ['a text part whose text is none', [{ type: 'input_text', text: 5 }], '[{"type":"input_text","text":5}]'],
    [
      'an image without an address',
      [{ type: 'input_image', file_id: 'x' }],
      '[{"type":"input_image","file_id":"x"}]',
    ],
    [
      'an image with a detail that is none',
      [{ ...image, detail: 'x' }],
      JSON.stringify([{ ...image, detail: 'x' }]),
    ],
    [
      'an image in the format of Chat Completions',
      [{ type: 'input_image', image_url: { url: 'x' } }],
      '[{"type":"input_image","image_url":{"url":"x"}}]',
    ],
    [
      'a file that is nowhere',
      [{ type: 'input_file', filename: 'b' }],
      '[{"type":"input_file","filename":"b"}]',
    ],
  ])('writes %s', (_, value, expected) => {
    expect(toolOutput(value)).toEqual(expected);
  });

  it.each<[string, unknown]>([
    ['a cycle', cycle],
    ['a BigInt', 1n],
    ['a BigInt inside', { a: [1n] }],
    ['a BigInt in a part', [{ type: 'input_text', text: 1n }]],
    ['an image that is a cycle', [{ type: 'input_image', image_url: cycle }]],
    [
      'a list that throws when it is read',
      new Proxy([{ type: 'input_text', text: 'x' }], {
        get: () => {
          throw new Error('private');
        },
      }),
    ],
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

  it('keeps parts as they are now', () => {
    const part = { type: 'input_text', text: 'now' };
    const output = toolOutput([part]);
    part.text = 'later';
    expect(output).toEqual([{ type: 'input_text', text: 'now' }]);
  });
});
