import { reasoningItem } from '../../src/turn/reasoning-item.js';

const thought = { type: 'reasoning_text', text: 'Hm.' };
const detail = { type: 'reasoning.summary', summary: 'Hm.' };

describe('reasoningItem', () => {
  it.each([
    ['words alone', 'Hm.', [], { type: 'reasoning', content: [thought] }],
    ['details alone', '', [detail], { type: 'reasoning', content: [], reasoning_details: [detail] }],
    ['both', 'Hm.', [detail], { type: 'reasoning', content: [thought], reasoning_details: [detail] }],
    ['neither', '', [], { type: 'reasoning', content: [] }],
  ])('holds %s', (_, text, details, expected) => {
    expect(reasoningItem(text, details)).toStrictEqual(expected);
  });
});
