import { tool } from 'rxjs-chat-completions';

/** Tells the model what time it is somewhere, which it cannot know. */
export const localTime = tool({
  name: 'local_time',
  description: 'The date and time now in a time zone.',
  input: {
    validate: timeZoneOf,
    jsonSchema: {
      type: 'object',
      properties: { time_zone: { type: 'string', description: 'IANA name, such as Europe/Lisbon' } },
      required: ['time_zone'],
      additionalProperties: false,
    },
  },
  execute: (timeZone) =>
    new Date().toLocaleString('en-GB', { timeZone, dateStyle: 'full', timeStyle: 'short' }),
});

/** A schema of a library does this as well; the page loads none for one field. */
function timeZoneOf(args: unknown): string {
  const timeZone = (args as { readonly time_zone?: unknown } | null)?.time_zone;
  if (typeof timeZone !== 'string') throw new TypeError('time_zone must be a string.');
  return timeZone;
}
