import { of } from 'rxjs';
import type { ChatTool } from './chat-settings';

/** Tells the model what time it is somewhere, which it cannot know. */
export const localTime: ChatTool = {
  definition: {
    type: 'function',
    name: 'local_time',
    description: 'The date and time now in a time zone.',
    parameters: {
      type: 'object',
      properties: { time_zone: { type: 'string', description: 'IANA name, such as Europe/Lisbon' } },
      required: ['time_zone'],
      additionalProperties: false,
    },
  },
  run(args) {
    const timeZone =
      typeof args === 'object' && args !== null && 'time_zone' in args ? args.time_zone : undefined;
    if (typeof timeZone !== 'string') throw new TypeError('time_zone must be a string.');
    return of(new Date().toLocaleString('en-GB', { timeZone, dateStyle: 'full', timeStyle: 'short' }));
  },
};
