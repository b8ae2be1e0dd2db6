import type { CompletedEvent, ModelProvider, OutputItemDoneEvent } from '../../src/index.js';

/** The event of one piece of text. */
export const text = (value: string): OutputItemDoneEvent => ({
  type: 'output_item_done',
  item: { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: value }] },
});

/** The event of a piece of reasoning, with what the provider says of it. */
export const thought = (said: string, ...details: readonly unknown[]): OutputItemDoneEvent => ({
  type: 'output_item_done',
  item: {
    type: 'reasoning',
    content: said === '' ? [] : [{ type: 'reasoning_text', text: said }],
    ...(details.length > 0 && { reasoning_details: details }),
  },
});

/** A `completed` of a stream that told nothing but `[DONE]`, or what is given. */
export const completed = (fields: Partial<CompletedEvent> = {}): CompletedEvent => ({
  type: 'completed',
  responseId: '',
  finishReason: null,
  usage: null,
  ...(fields.stopped !== true && { endedBy: 'done' }),
  ...fields,
});

export const provider: ModelProvider = {
  name: 'test',
  baseUrl: 'http://provider.test/v1',
  apiKey: 'sk-test',
};
