import { concat, concatMap, defer, from, type MonoTypeOperatorFunction } from 'rxjs';

/** Ends with the first half of a surrogate pair. */
const halfCharacter = /[\ud800-\udbff]$/;

/**
 * Keeps the first half of a character of two code units until the second has come, so that each string
 * can be encoded by itself: providers split text anywhere. Values that are no strings pass as they are.
 *
 * ```
 * source   --'Hi \ud83d'--'\ude00!'--|
 *          wholeCharacters()
 * result   --'Hi '--------'😀!'------|
 * ```
 */
export function wholeCharacters<T>(): MonoTypeOperatorFunction<T | string> {
  return (source) =>
    defer(() => {
      let half = '';
      const flush = (): string[] => {
        const rest = half;
        half = '';
        return rest === '' ? [] : [rest];
      };
      const complete = (value: T | string): readonly (T | string)[] => {
        if (typeof value !== 'string') return [...flush(), value];
        const text = half + value;
        half = halfCharacter.exec(text)?.[0] ?? '';
        const whole = half === '' ? text : text.slice(0, -1);
        return whole === '' ? [] : [whole];
      };
      return concat(
        source.pipe(concatMap(complete)),
        defer(() => from(flush())),
      );
    });
}
