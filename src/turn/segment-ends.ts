/** The part of `Intl.Segmenter` that is used, so that the types need no newer `lib`. */
export interface SegmenterLike {
  segment(text: string): Iterable<{ readonly segment: string; readonly isWordLike?: boolean | undefined }>;
}

/**
 * How to split a text: by name, with an `Intl.Segmenter`, or with a function that returns the pieces in order.
 */
export type TextSegmenter = 'word' | 'grapheme' | SegmenterLike | ((text: string) => Iterable<string>);

/**
 * Where the segments of a text end, except the last. Only the lengths of the pieces are used, so no segmenter
 * can lose or change text.
 */
export function segmentEnds(
  segmenter: TextSegmenter,
  locale?: string | readonly string[],
): (text: string) => number[] {
  const cut = cutterOf(segmenter, locale);
  return (text) => {
    const ends: number[] = [];
    let end = 0;
    let hasWord = false;
    let isBlank = true;
    for (const each of cut(text)) {
      const { segment, isWordLike } = typeof each === 'string' ? { segment: each } : each;
      const isSpace = isWordLike === false && segment.trim() === '';
      // A word includes the white space before it, and everything up to the next white space.
      const begins = isWordLike === undefined || (isWordLike ? hasWord : isSpace && !isBlank);
      if (begins && end > (ends.at(-1) ?? 0)) {
        ends.push(end);
        hasWord = false;
        isBlank = true;
      }
      end += segment.length;
      if (end >= text.length) break;
      hasWord ||= isWordLike === true;
      isBlank &&= isSpace;
    }
    return ends;
  };
}

function cutterOf(segmenter: TextSegmenter, locale?: string | readonly string[]) {
  if (typeof segmenter === 'function') return segmenter;
  if (typeof segmenter === 'object') return (text: string) => segmenter.segment(text);
  // Older browsers and some mobile engines lack it.
  if (typeof Intl === 'object' && 'Segmenter' in Intl) {
    const platform: SegmenterLike = new Intl.Segmenter(locale, { granularity: segmenter });
    return (text: string) => platform.segment(text);
  }
  // Sticky: each match begins where the last one ended.
  const pieces = segmenter === 'word' ? /\s*(?:\p{Ideographic}|[^\s\p{Ideographic}]+)?/guy : /./gsuy;
  return (text: string) => text.match(pieces) ?? [];
}
