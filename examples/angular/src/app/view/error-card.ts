import { ChangeDetectionStrategy, Component, computed, input, output } from '@angular/core';
import type { ChatCompletionsError } from 'rxjs-chat-completions';
import { describeError } from '../chat/describe-error';

/** What went wrong, and the way on. */
@Component({
  selector: 'app-error-card',
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <section class="card error" aria-label="Error">
      <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
        <path d="M10 6v5M10 13.6v.1" />
        <circle cx="10" cy="10" r="7.5" />
      </svg>
      <div>
        <p class="title">{{ description().title }}</p>
        <p class="quiet">{{ description().advice }}</p>
      </div>
      <button type="button" class="button" (click)="again.emit()">Try again</button>
    </section>
  `,
})
export class ErrorCard {
  readonly error = input.required<ChatCompletionsError>();
  readonly hasText = input(false);
  readonly again = output();

  protected readonly description = computed(() => describeError(this.error(), this.hasText()));
}
