import { type Attempt, defaultSettings, type Drawing, type Item, type Settings } from './drawing.js';

export interface Preset {
  readonly name: string;
  /** What to look at. */
  readonly about: string;
  readonly drawing: Drawing;
}

const headers = (at: number, status = 200): Item => ({ kind: 'headers', at, status });
const text = (at: number, said: string): Item => ({ kind: 'text', at, text: said });
const plain = (kind: Exclude<Item['kind'], 'headers' | 'text' | 'flood'>, at: number): Item => ({ kind, at });
const done = (at: number): readonly Item[] => [
  plain('finish', at),
  plain('done', at + 10),
  plain('end', at + 20),
];

const preset = (
  name: string,
  about: string,
  attempts: readonly Attempt[],
  settings: Partial<Settings> = {},
): Preset => ({ name, about, drawing: { attempts, settings: { ...defaultSettings, ...settings } } });

const busy: readonly Attempt[] = [
  [{ kind: 'headers', at: 60, status: 429, retryAfter: 1 }],
  [headers(120), text(180, 'Air '), text(240, 'scatters '), text(320, 'blue.'), ...done(360)],
];

const cut: readonly Attempt[] = [
  [headers(80), text(140, 'Air '), text(220, 'scat'), plain('cut', 280)],
  [headers(100), text(160, 'Air '), text(240, 'scatters '), text(320, 'blue.'), ...done(380)],
];

const silent: readonly Attempt[] = [
  [headers(80), text(140, 'Air '), text(200, 'scatters'), plain('comment', 700)],
];

const flood: readonly Attempt[] = [
  [headers(60), { kind: 'flood', at: 100, count: 24, every: 10 }, ...done(360)],
];

/** The first is shown where the link says nothing. */
export const presets: readonly Preset[] = [
  preset(
    '429, then an answer',
    "The provider is busy and asks for a second's wait. The retry is reported as an event, and the answer follows.",
    busy,
    { includeRetries: true },
  ),
  preset(
    'Cut in the middle of a word',
    'The connection breaks in mid-answer. The text so far has been delivered, and the turn fails with a StreamError.',
    cut,
    { output: 'textDeltas' },
  ),
  preset(
    'Cut, and restarted',
    'restartOnBreak() asks again. Its restarting event discards the partial text, so no text appears twice.',
    cut,
    { restartOnBreak: true, output: 'toState' },
  ),
  preset(
    'Silence, and the idle timeout',
    'The server goes quiet; a heartbeat does not count as an event. After 800 ms the turn fails and the request is aborted.',
    silent,
    { idleTimeout: 800 },
  ),
  preset('No [DONE]', 'The stream ends cleanly but too early, so the completed event has no finish reason.', [
    [headers(80), text(140, 'Air '), text(200, 'scatters'), plain('end', 260)],
  ]),
  preset(
    'No [DONE], with requireFinish()',
    'The same stream now fails with an IncompleteStreamError, which holds the partial answer.',
    [[headers(80), text(140, 'Air '), text(200, 'scatters'), plain('end', 260)]],
    { requireFinish: true, output: 'textDeltas' },
  ),
  preset('A flood of deltas', 'Every delta makes a new state, and every state a render.', flood, {
    output: 'accumulate',
  }),
  preset(
    'A flood, with coalesce()',
    'The same text in a few states, one every 50 ms. Nothing is lost.',
    flood,
    {
      coalesce: 50,
      output: 'accumulate',
    },
  ),
  preset(
    'Stop, and keep what came',
    'stopWhen() aborts the request and still completes the turn, so the partial answer can be kept.',
    [[headers(60), { kind: 'flood', at: 100, count: 20, every: 30 }, ...done(720)]],
    { stopWhen: 230, output: 'toState' },
  ),
  preset(
    'Unsubscribed while waiting',
    'Unsubscribing ends the turn at any point: here during the wait before the second request, which is never sent.',
    busy,
    { includeRetries: true, unsubscribe: 500 },
  ),
];
