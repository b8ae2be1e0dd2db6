import { ChangeDetectionStrategy, Component, computed, effect, inject, untracked } from '@angular/core';
import type { RunState } from 'rxjs-chat-completions';
import { Chat } from '../chat/chat';
import { describeError } from '../chat/describe-error';
import { isGoingOn } from '../chat/is-going-on';
import { Announcer } from './announcer';

/**
 * Tells screen readers that an answer has begun, and what became of it. The answer itself stands outside:
 * a live region around it would read every token.
 */
@Component({
  selector: 'app-live-region',
  changeDetection: ChangeDetectionStrategy.OnPush,
  host: { class: 'visually-hidden', role: 'status', 'aria-live': 'polite' },
  // A new element each time: the same words again are news too.
  template: `@for (message of [announcer.message()]; track message.id) {
    <p>{{ message.text }}</p>
  }`,
})
export class LiveRegion {
  protected readonly announcer = inject(Announcer);
  readonly #chat = inject(Chat);
  readonly #phase = computed(() => phaseOf(this.#chat.answer()));

  constructor() {
    let before: Phase = 'idle';
    effect(() => {
      const phase = this.#phase();
      // After a retry or a restart it is known that an answer is waited for.
      const isKnown = before === 'retrying' || before === 'restarting';
      const isNews = phase !== 'idle' && !(phase === 'answering' && isKnown);
      before = phase;
      if (isNews) untracked(() => this.announcer.announce(wordsFor(phase, this.#chat.answer())));
    });
  }
}

type Phase = 'idle' | 'answering' | 'retrying' | 'restarting' | 'completed' | 'stopped' | 'error';

function phaseOf(answer: RunState): Phase {
  const { status } = answer;
  if (status === 'retrying' || status === 'restarting') return status;
  return isGoingOn(answer) ? 'answering' : (status as Phase);
}

/** Longer answers are left to be read where they stand. */
const longest = 300;

function wordsFor(phase: Phase, { run, error }: RunState): string {
  const text = run.steps.at(-1)?.turn.text ?? '';
  switch (phase) {
    case 'answering':
      return 'Answering.';
    case 'retrying':
      return 'The server is busy. The question is asked again.';
    case 'restarting':
      return 'The answer broke off. The question is asked again.';
    case 'stopped':
      return 'Stopped.';
    case 'error': {
      const { title, advice } = describeError(error, text !== '');
      return `${title}. ${advice}`;
    }
    default: {
      const spoken = plainText(text);
      return spoken.length <= longest
        ? `Answer: ${spoken}`
        : `The answer is there: ${spoken.split(/\s+/).length} words.`;
    }
  }
}

/** Markdown without its marks, nearly enough for the ear. */
const plainText = (markdown: string): string =>
  markdown
    .replace(/^```.*$/gm, '')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[*_`#>|]+/g, '')
    .replace(/\s+/g, ' ')
    .trim();
