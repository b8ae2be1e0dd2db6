import { concat, concatMap, defer, from, type MonoTypeOperatorFunction } from 'rxjs';

/** Ends with the first half of a surrogate pair. */
const halfCharacter = /[\ud800-\udbff]$/;

/**
 * Holds the first half of a surrogate pair until the second arrives, so that each string can be encoded
 * separately: providers split text anywhere. Values that are not strings pass unchanged.
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
