import {
  ChangeDetectionStrategy,
  Component,
  ElementRef,
  input,
  output,
  signal,
  viewChild,
} from '@angular/core';

/** Where questions are written. Its one button sends or stops, so that it never takes the focus away. */
@Component({
  selector: 'app-composer',
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <form class="composer" (submit)="send($event)">
      <label class="visually-hidden" for="question">Your question</label>
      <textarea
        #field
        id="question"
        rows="1"
        placeholder="Ask anything"
        aria-describedby="composer-keys"
        enterkeyhint="send"
        autocomplete="off"
        dir="auto"
        [value]="text()"
        (input)="text.set(field.value)"
        (keydown.enter)="enter($event)"
        (keydown.arrowup)="recall($event)"
      ></textarea>
      <button
        class="send"
        [type]="isAnswering() ? 'button' : 'submit'"
        [attr.aria-label]="isAnswering() ? 'Stop' : 'Send'"
        [attr.aria-disabled]="!isAnswering() && isEmpty()"
        (click)="isAnswering() && stop.emit()"
      >
        <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
          @if (isAnswering()) {
            <rect class="solid" x="5.5" y="5.5" width="9" height="9" rx="1.5" />
          } @else {
            <path d="M10 16V4.5M5 9l5-5 5 5" />
          }
        </svg>
      </button>
    </form>
    <p id="composer-keys" class="keys">
      <kbd>Enter</kbd> sends · <kbd>Shift+Enter</kbd> for a new line · <kbd>↑</kbd> last question ·
      <kbd>Esc</kbd> stops
    </p>
  `,
})
export class Composer {
  readonly isAnswering = input(false);
  /** What the up arrow brings back into an empty field. */
  readonly lastQuestion = input('');
  readonly ask = output<string>();
  readonly stop = output();

  protected readonly text = signal('');
  private readonly field = viewChild.required<ElementRef<HTMLTextAreaElement>>('field');

  focus(): void {
    this.field().nativeElement.focus();
  }

  protected isEmpty(): boolean {
    return this.text().trim() === '';
  }

  protected enter(event: Event): void {
    // While a word is being composed (Japanese, Chinese, Korean), Enter chooses it.
    if (!(event instanceof KeyboardEvent) || event.isComposing) return;
    this.send(event);
  }

  protected send(event: Event): void {
    event.preventDefault();
    if (this.isAnswering() || this.isEmpty()) return;
    this.ask.emit(this.text().trim());
    this.#write('');
  }

  protected recall(event: Event): void {
    if (this.text() !== '' || this.lastQuestion() === '') return;
    event.preventDefault();
    this.#write(this.lastQuestion());
  }

  /** Into the field too: a binding would not see that it has changed and changed back before it was drawn. */
  #write(text: string): void {
    this.text.set(text);
    this.field().nativeElement.value = text;
  }
}
