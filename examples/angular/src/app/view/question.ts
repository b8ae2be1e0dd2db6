import {
  afterNextRender,
  ChangeDetectionStrategy,
  Component,
  ElementRef,
  inject,
  Injector,
  input,
  output,
  signal,
  viewChild,
} from '@angular/core';
import type { ChatQuestion } from 'rxjs-chat-completions/angular';

/** A question, which can be edited where it stands. */
@Component({
  selector: 'app-question',
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <div class="asked" [class.editing]="isEditing()">
      @if (!isEditing()) {
        <button
          #opener
          type="button"
          class="button plain square edit"
          aria-label="Edit the question"
          title="Edit"
          (click)="open()"
        >
          <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
            <path d="M12.5 4.5 15.5 7.5 7 16H4v-3ZM11 6l3 3" />
          </svg>
        </button>
      }
      <h2
        [class.question]="!isEditing()"
        [class.visually-hidden]="isEditing()"
        [id]="'question-' + question().id"
      >
        <span class="visually-hidden">You asked: </span
        ><span class="text" dir="auto">{{ question().text }}</span>
      </h2>
      @if (isEditing()) {
        <form class="editor" (submit)="save($event)" (keydown.escape)="cancel($event)">
          <textarea
            #field
            aria-label="Edit the question"
            rows="1"
            dir="auto"
            autocomplete="off"
            [value]="text()"
            (input)="text.set(field.value)"
            (keydown.enter)="enter($event)"
          ></textarea>
          <div>
            <button type="button" class="button" (click)="cancel($event)">Cancel</button>
            <button type="submit" class="button primary" [attr.aria-disabled]="text().trim() === ''">
              Save
            </button>
          </div>
        </form>
      }
    </div>
  `,
})
export class Question {
  readonly question = input.required<ChatQuestion>();
  readonly edited = output<string>();

  protected readonly isEditing = signal(false);
  protected readonly text = signal('');
  readonly #injector = inject(Injector);
  private readonly field = viewChild<ElementRef<HTMLTextAreaElement>>('field');
  private readonly opener = viewChild<ElementRef<HTMLButtonElement>>('opener');

  protected open(): void {
    this.text.set(this.question().text);
    this.isEditing.set(true);
    this.#whenDrawn(() => {
      const field = this.field()?.nativeElement;
      field?.focus();
      field?.setSelectionRange(field.value.length, field.value.length);
    });
  }

  protected enter(event: Event): void {
    // While a word is being composed (Japanese, Chinese, Korean), Enter chooses it.
    if (!(event instanceof KeyboardEvent) || event.isComposing) return;
    this.save(event);
  }

  protected save(event: Event): void {
    event.preventDefault();
    const text = this.text().trim();
    if (text === '') return;
    this.isEditing.set(false);
    this.edited.emit(text);
  }

  protected cancel(event: Event): void {
    // Elsewhere, Esc stops the answer.
    event.stopPropagation();
    this.isEditing.set(false);
    this.#whenDrawn(() => this.opener()?.nativeElement.focus());
  }

  #whenDrawn(work: () => void): void {
    afterNextRender({ write: work }, { injector: this.#injector });
  }
}
