/** One chunk of a stream, as a server-sent event. */
export const chunk = (fields: object): string => `data: ${JSON.stringify(fields)}\n\n`;

/** A chunk with text of choice 0. */
export const textChunk = (content: string, fields: object = {}): string =>
  chunk({ ...fields, choices: [{ index: 0, delta: { content }, finish_reason: null }] });

/** A chunk with the finish reason of choice 0. */
export const finishChunk = (reason = 'stop', fields: object = {}): string =>
  chunk({ ...fields, choices: [{ index: 0, delta: {}, finish_reason: reason }] });

export const done = 'data: [DONE]\n\n';
